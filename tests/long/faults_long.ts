/**
 * The long run of faults: what becomes of numbered messages while the Python server and our own are killed and started
 * again, and what 500 reconnects leave behind.
 *
 *     deno task faults [MESSAGES] [KILLS] [--runtime=deno|bun]
 *     deno task faults --oracle [--runs=N] [--server=deno|bun|python] [--runtime=deno|bun] [--from=SEED | --seed=N]
 *
 * 20,000 messages and 30 kills in each runtime in turn unless told otherwise; about 15 minutes a runtime. Prints what
 * was counted and what did not hold; the exit code is 1 if a figure breaks its promise.
 *
 * With `--oracle`: many short runs over a faulty proxy, several at a time (`--width`), each drawn from its seed; every
 * message must be handled, reported or thrown as design.md 10 promises. The server is one of the same runtime unless
 * told otherwise; `--runs` is 2000, or 1000 for Python. `--seed` repeats one run; a run that fails, and with
 * `--trace` every run, prints its trace.
 * @module
 */

import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { countLoss, type LossOptions, type LossResult } from "../support/peers/loss.ts";
import { currentRuntime, runtimeCommand, type RuntimeName } from "../support/peers/process.ts";
import { runPlan } from "./oracle/main.ts";
import type { ServerName } from "./oracle/scenario.ts";
import { countReconnects, type ReconnectResult } from "../support/peers/reconnects.ts";
import { writeBunConfig } from "../support/std/imports.ts";

const RECONNECTS = 500;
/** Sockets that may be on their way out when descriptors are counted. */
const DESCRIPTORS = 5;
const GROWTH_MIB = 32;

const [text, flag] = [{ type: "string" }, { type: "boolean" }] as const;
const { values, positionals: [messages = "20000", kills = "30"] } = parseArgs({
  options: {
    runtime: text,
    here: flag,
    oracle: flag,
    runs: text,
    server: text,
    from: text,
    seed: text,
    width: text,
    trace: flag,
  },
  allowPositionals: true,
});
const { runtime, here } = values;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What was promised and did not hold. */
function brokenByLoss(result: LossResult, { inDoubt }: LossOptions): string[] {
  const promises: readonly (readonly [isKept: boolean, what: string])[] = [
    [result.killed > 0, "the server is killed while messages are sent (if not, ask for more messages)"],
    [result.silent === 0, "every message is received, reported or thrown"],
    [inDoubt === "resend" || result.duplicates === 0, "no message is received twice"],
    [inDoubt === "resend" || result.disordered === 0, "messages are received in order"],
  ];
  return promises.filter(([isKept]) => !isKept).map(([, what]) => what);
}

function brokenByReconnects({ reconnects, descriptors, rss }: ReconnectResult): string[] {
  const promises: readonly (readonly [isKept: boolean, what: string])[] = [
    [reconnects >= RECONNECTS, `the client is connected again ${RECONNECTS} times`],
    [descriptors[1] < descriptors[0] + DESCRIPTORS, "no file descriptor is left open"],
    [rss[1] < rss[0] + GROWTH_MIB, `memory grows by less than ${GROWTH_MIB} MiB`],
  ];
  return promises.filter(([isKept]) => !isKept).map(([, what]) => what);
}

/** Says what was counted, and gives how many promises were broken. */
function report(what: string, result: object, broken: readonly string[]): number {
  say(`${broken.length === 0 ? "PASS" : "FAIL"} ${what}: ${JSON.stringify(result)}`);
  for (const promise of broken) say(`  MISSED: ${promise}`);
  return broken.length;
}

/** Runs everything in this runtime; gives how many promises were broken. */
async function runHere(): Promise<number> {
  const ways = [["500/s", 500, "report"], ["unpaced", Infinity, "report"], ["500/s", 500, "resend"]] as const;
  let broken = 0;
  for (const server of ["python", "deno", "bun"] as const) {
    for (const [name, rate, inDoubt] of ways) {
      const options: LossOptions = { server, rate, inDoubt, messages: Number(messages), kills: Number(kills) };
      const result = await countLoss(options);
      const what = `client ${currentRuntime}, server ${server}, ${name}, ${inDoubt}`;
      broken += report(what, result, brokenByLoss(result, options));
    }
  }
  const reconnects = await countReconnects(RECONNECTS);
  return broken + report(`client ${currentRuntime}, reconnects`, reconnects, brokenByReconnects(reconnects));
}

/** Runs the oracle in this runtime; gives how many runs failed. */
async function runOracleHere(): Promise<number> {
  const server = (values.server ?? currentRuntime) as ServerName;
  if (!["deno", "bun", "python"].includes(server)) {
    throw new Error(`--server must be deno, bun or python; got "${server}"`);
  }
  const runs = Number(values.seed === undefined ? values.runs ?? (server === "python" ? 1000 : 2000) : 1);
  return await runPlan({
    server,
    runs,
    from: Number(values.seed ?? values.from ?? 1),
    width: Number(values.width ?? 12),
    isTraced: values.trace === true,
  });
}

/** Runs this program in a runtime; gives its exit code. */
function runIn(name: RuntimeName): number {
  const flags = process.argv.slice(2).filter((argument) => !argument.startsWith("--runtime"));
  const [command, args] = runtimeCommand(name, fileURLToPath(import.meta.url), [...flags, "--here"]);
  // Bun does not read deno.json: it has to be told where the names of imports lead.
  const options = name === "bun" ? [`--tsconfig-override=${writeBunConfig()}`] : [];
  return spawnSync(command, [...options, ...args], { stdio: "inherit" }).status ?? 1;
}

if (here === true) {
  const run = values.oracle === true ? runOracleHere : runHere;
  process.exit(await run() === 0 ? 0 : 1);
} else {
  const runtimes = (["deno", "bun"] as const).filter((name) => runtime === undefined || runtime === name);
  const codes = runtimes.map(runIn);
  process.exit(codes.length > 0 && codes.every((code) => code === 0) ? 0 : 1);
}
