import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { runtimeCommand, type RuntimeName, spawnLines } from "../support/peers/process.ts";
import { SERVER_PROGRAM } from "../support/peers/program.ts";
import { runtimeTest } from "../support/peers/skip.ts";

/** The full count is 200; `MAIM_RUNS` sets it. */
const RUNS = Number(process.env.MAIM_RUNS ?? "10");
const BURST = fileURLToPath(new URL("../support/peers/burst.ts", import.meta.url));

/** Starts `server.ts` as a program that knows another token. */
async function startServer(runtime: RuntimeName): Promise<{ url: string } & AsyncDisposable> {
  const server = spawnLines(
    ...runtimeCommand(runtime, SERVER_PROGRAM, ["--port", "0", "--token", "right", "--quiet"]),
  );
  const url = await server.line(/^ws:/, { timeoutMs: 60_000 });
  return { url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("MessageServer with tokens", () => {
  for (const serving of ["deno", "bun"] as const) {
    for (const dialling of ["deno", "bun"] as const) {
      for (const burst of [1, 50, 1000]) {
        const name = `on ${serving} is read as unauthorized by a client on ${dialling} that sends ${burst} at once`;
        // Both runtimes must be there: the one that runs the tests always is.
        runtimeTest(serving === "deno" ? dialling : serving, name, async () => {
          await using server = await startServer(serving);
          const args = [server.url, `${burst}`, `${RUNS}`];
          await using client = spawnLines(...runtimeCommand(dialling, BURST, args));
          const outcome = JSON.parse(await client.line(/^\{"native"/, { timeoutMs: 300_000 }));
          assertEquals(outcome, { native: { "1008 Invalid or missing token": RUNS }, client: { unauthorized: RUNS } });
        });
      }
    }
  }
});
