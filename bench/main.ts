/**
 * Prints tables of ratios: what this library costs beside bare runtimes, validators, `ws` on Node and Python 0.6.8.
 *
 *     deno task bench [guard codec stream send echo broadcast idle images startup] [--rounds=N] [--ms=N] [--short]
 *                     [--only=TEXT]  in echo and broadcast, the rows that contain it
 *
 * Ratios are of numbers measured side by side in one round; a table shows their median, its 95 % confidence interval,
 * and the smallest and largest. Nothing here is a test. Environment: `MAIM_PYTHON` (a Python with maim_message 0.6.8),
 * `MAIM_BUN` (the program). Whatever is missing is said, and its rows are left out.
 * @module
 */

import { spawnSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";

import { findProgram, runtimeProgram } from "../tests/support/peers/process.ts";
import { benchBroadcast } from "./broadcast.ts";
import { benchCodec } from "./codec.ts";
import { benchEcho } from "./echo.ts";
import { benchGuard } from "./guard.ts";
import { benchIdle } from "./idle.ts";
import { benchImages } from "./images.ts";
import { type BenchOptions, print } from "./options.ts";
import { benchStartup } from "./startup.ts";
import { benchSend } from "./send.ts";
import { benchStream } from "./stream.ts";

const BENCHES: Readonly<Record<string, (options: BenchOptions) => string | Promise<string>>> = {
  guard: benchGuard,
  codec: benchCodec,
  stream: benchStream,
  send: benchSend,
  echo: benchEcho,
  broadcast: benchBroadcast,
  idle: benchIdle,
  images: benchImages,
  startup: benchStartup,
};

const PYTHON_VERSIONS = "import platform, importlib.metadata as m; print(platform.python_version(), " +
  "*(f'{n} {m.version(n)}' for n in ('maim_message', 'uvloop') if any(d.name == n for d in m.distributions())))";

function versionOf(program: string, args: readonly string[]): string {
  const { status, stdout } = spawnSync(program, [...args], { encoding: "utf8" });
  return status === 0 ? stdout.trim().split("\n")[0] ?? "" : "missing: its rows are left out";
}

/** Says on what, and with what, everything was measured. */
function describeMachine(): string {
  const python = process.env.MAIM_PYTHON;
  const versions = {
    Deno: versionOf(runtimeProgram("deno"), ["--version"]),
    Bun: versionOf(runtimeProgram("bun"), ["--version"]),
    Node: versionOf("node", ["--version"]),
    Python: python === undefined ? "skipped: MAIM_PYTHON is not set" : versionOf(python, ["-c", PYTHON_VERSIONS]),
    "C compiler": versionOf(findProgram("gcc") ?? "cc", ["--version"]),
  };
  const { model = "unknown" } = cpus()[0] ?? {};
  const load = loadavg().map((share) => share.toFixed(2)).join(" ");
  return [
    `${new Date().toISOString()}: ${cpus().length} x ${model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, load ${load}`,
    ...Object.entries(versions).map(([name, version]) => `- ${name}: ${version}`),
    "",
  ].join("\n");
}

function readNumber(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`Expected --${name} to be a whole number: got ${text}`);
  }
  return value;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: {
      rounds: { type: "string" },
      ms: { type: "string" },
      only: { type: "string", default: "" },
      short: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.find((name) => !Object.hasOwn(BENCHES, name));
  if (unknown !== undefined) throw new TypeError(`Expected ${Object.keys(BENCHES).join(", ")}: got "${unknown}"`);
  const { short: isShort, only } = values;
  const options: BenchOptions = {
    rounds: readNumber("rounds", values.rounds, isShort ? 3 : 11),
    loadMs: readNumber("ms", values.ms, isShort ? 400 : 2000),
    sampleMs: isShort ? 5 : 20,
    isShort,
    only,
  };
  print(describeMachine());
  if (isShort) print("A short run: good for trying the benches, not for believing them.\n");
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (positionals.length === 0 || positionals.includes(name)) print(await bench(options));
  }
}

if (import.meta.main) await main();
