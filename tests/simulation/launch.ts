/**
 * Starts processes in which `runtime/mod.ts` is the simulated runtime: in Deno by an import map, in Bun by a plugin.
 * The published code has no hook for it.
 * @module
 */

import { spawn } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { type RuntimeName, runtimeProgram } from "../support/peers/process.ts";
import { ROOT } from "../support/package.ts";
import type { ChildReport, ChildTask } from "./task.ts";

const fileHere = (name: string): URL => new URL(name, import.meta.url);

/** A folder that Git ignores. */
const FOLDER = `${ROOT}node_modules/.maim/`;

function writeImportMap(): string {
  const seam = new URL("../../runtime/mod.ts", import.meta.url).href;
  mkdirSync(FOLDER, { recursive: true });
  const path = `${FOLDER}simulation.json`;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ imports: { [seam]: fileHere("runtime.ts").href } }));
  renameSync(draft, path);
  return path;
}

function argumentsFor(runtime: RuntimeName): string[] {
  return runtime === "deno"
    ? ["run", "-A", "--no-lock", `--import-map=${writeImportMap()}`]
    : ["--preload", fileURLToPath(fileHere("preload_bun.ts"))];
}

/** Runs a task in a process of its own; calls `onReport` for each line that it prints. */
export async function runChild(
  task: ChildTask,
  onReport: (report: ChildReport) => void,
  runtime: RuntimeName = "deno",
): Promise<void> {
  const args = [...argumentsFor(runtime), fileURLToPath(fileHere("child.ts")), JSON.stringify(task)];
  const child = spawn(runtimeProgram(runtime), args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  for await (const line of createInterface({ input: child.stdout })) onReport(JSON.parse(line));
  const code = await ended;
  if (code !== 0) throw new Error(`a simulation ended with exit code ${code}`);
}
