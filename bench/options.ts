/**
 * What a run of the benches is given, and the few things about a machine they all need.
 * @module
 */

import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { findProgram, type RuntimeName, runtimeProgram } from "../tests/support/peers/process.ts";

/** How long and how often. */
export interface BenchOptions {
  /** Paired rounds. */
  readonly rounds: number;
  /** Milliseconds of one sample of load. */
  readonly loadMs: number;
  /** Milliseconds of one sample of a small function. */
  readonly sampleMs: number;
  /** Whether numbers are only looked at, not believed. */
  readonly isShort: boolean;
  /** What the labels of echo and broadcast must contain. */
  readonly only: string;
}

/** The runtimes compared. */
export const RUNTIMES: readonly RuntimeName[] = ["deno", "bun"];

/** No single measurement takes longer; one that does is stuck. */
const LIMIT_MS = 180_000;

/** Names a runtime in a table. */
export const TITLES: Readonly<Record<RuntimeName, string>> = { deno: "Deno", bun: "Bun" };

/** Where this folder is. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Builds the command that runs a script of this folder. The packages of the guards are found in node_modules. */
export function scriptCommand(runtime: RuntimeName, script: string, args: readonly string[]): string[] {
  const modules = script.startsWith("micro/") ? ["--node-modules-dir=auto"] : [];
  const flags = runtime === "deno" ? ["-A", ...modules] : [];
  return [runtimeProgram(runtime), "run", ...flags, pathOf(script), ...args];
}

/** Keeps a command on one core: servers on the first, load on the second. Without taskset or a second core, anywhere. */
export function pinned(core: 0 | 1, command: readonly string[]): string[] {
  if (findProgram("taskset") === undefined || availableParallelism() < 2) return [...command];
  return ["taskset", "-c", `${core}`, ...command];
}

/** Runs a program to its end and gives what it printed. */
export function outputOf(command: readonly string[]): string {
  const [program = "", ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  if (status === 0) return stdout.trim();
  throw new Error(`Cannot go on as ${command.join(" ")} must succeed: ${error?.message ?? stderr.slice(-2000)}`);
}

/** Prints one line or table. */
export function print(text: string = ""): void {
  // deno-lint-ignore no-console -- this is a program.
  console.log(text);
}
