import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { entryPoints, publishedFiles, readText, ROOT } from "../support/package.ts";
import { type RuntimeName, runtimeProgram, spawnLines } from "../support/peers/process.ts";
import { runtimeTest } from "../support/peers/skip.ts";
import { findImports, readSource } from "../support/source_code.ts";

/** Runs a program to its end and gives what it printed; fails with that if it fails. */
async function run(runtime: RuntimeName, args: readonly string[], cwd: string = ROOT): Promise<string> {
  await using child = spawnLines(runtimeProgram(runtime), args, { cwd, env: { NO_COLOR: "1" } });
  child.endInput();
  const { code } = await child.exit({ timeoutMs: 120_000 });
  const output = child.lines.join("\n");
  assertEquals(code, 0, output);
  return output;
}

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly { readonly specifier: string; readonly isDynamic?: boolean }[];
  }[];
}

/** Reads what Deno finds that a module loads. */
async function readGraph(entryPoint: string): Promise<Graph> {
  const output = await run("deno", ["info", "--json", entryPoint]);
  return JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1));
}

/** The path of a file URL from the root of the repository, with `/` between names. */
function pathOf(url: string): string {
  return relative(ROOT, fileURLToPath(url)).split(sep).join("/");
}

const EXCHANGE = `
import { createReply, MessageClient, MessageServer, plainText, seg } from "./mod.ts";

await using server = new MessageServer();
server.on("message", (message, peer) => peer.send(createReply(message, seg.text("got " + plainText(message)))));
await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
const answer = new Promise((resolve) => client.on("message", (message) => resolve(plainText(message))));
await client.connect();
client.sendText("hello", { user: "10001" });
console.log(await answer);
`;

describe("The published package", () => {
  for (const entryPoint of entryPoints.values()) {
    runtimeTest("deno", `imports nothing outside itself from ${entryPoint}`, async () => {
      const { modules } = await readGraph(entryPoint);
      assertEquals(modules.filter(({ error }) => error !== undefined), []);
      const loaded = modules.map(({ specifier }) => specifier).filter((name) => !name.startsWith("node:"));
      assertEquals(loaded.map(pathOf).filter((path) => !publishedFiles.includes(path)), []);
      for (const { specifier, dependencies = [] } of modules.filter(({ specifier }) => loaded.includes(specifier))) {
        // A built-in is loaded by a program once it runs, never by a module that is imported.
        const builtIns = dependencies.filter(({ specifier }) => !specifier.startsWith("."));
        assertEquals(builtIns.filter(({ isDynamic = false }) => !isDynamic), []);
        // What the other tests read from the source is what Deno reads.
        const { specifiers } = findImports(readSource(readText(pathOf(specifier))));
        const names = dependencies.map(({ specifier }) => specifier);
        assertEquals([...new Set(specifiers)].toSorted(), [...new Set(names)].toSorted(), specifier);
      }
    });
  }

  runtimeTest("deno", "is what deno.json names, with README, changelog and licence", async () => {
    const output = await run("deno", ["publish", "--dry-run", "--allow-dirty"]);
    const files = [...output.matchAll(/^\s*(file:\S+)/gm)].map(([, url = ""]) => pathOf(url));
    assertEquals(files.toSorted(), publishedFiles);
    const needed = [...entryPoints.values(), "deno.json", "README.md", "README.zh.md", "CHANGELOG.md", "LICENSE"];
    assertEquals(needed.filter((path) => !files.includes(path)), []);
  });

  const FLAGS = { deno: ["run", "-A", "--no-remote", "--no-npm"], bun: ["--no-install"] } as const;
  for (const runtime of ["deno", "bun"] as const) {
    runtimeTest(runtime, `exchanges a message in ${runtime} from its files alone`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "maim-published-"));
      try {
        for (const name of publishedFiles) {
          await mkdir(dirname(join(folder, name)), { recursive: true });
          await copyFile(join(ROOT, name), join(folder, name));
        }
        await writeFile(join(folder, "exchange.ts"), EXCHANGE);
        const output = await run(runtime, [...FLAGS[runtime], "exchange.ts"], folder);
        assertEquals(output.split("\n").at(-1), "got hello");
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  it("is found by its names in the folder of examples, where Bun reads tsconfig.json", () => {
    const { compilerOptions: { paths } } = JSON.parse(readText("examples/tsconfig.json"));
    const expected = [...entryPoints].map(([name, file]) => [name, [`../${file}`]]);
    assertEquals(paths, Object.fromEntries(expected));
  });
});
