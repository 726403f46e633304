/**
 * What a run leaves behind is undone on every way out of it: the end, a signal, an error that nobody has caught.
 * @module
 */

import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { type LineProcess, spawnLines, type SpawnOptions } from "../../support/peers/process.ts";

const INTERRUPTED = 130;
const children = new Set<LineProcess>();
const folders = new Set<string>();

process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  for (const folder of folders) removeFolder(folder);
});
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.once(event, (error: unknown) => { // Deno 2.9: such an end is no event "exit"
    process.stdout.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exit(1);
  });
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(INTERRUPTED));

/** Starts a program that is killed at the latest when this process ends. */
export function spawnChild(command: string, args: readonly string[], options: SpawnOptions = {}): LineProcess {
  const { onEnd = () => {}, ...rest } = options;
  const child = spawnLines(command, args, { ...rest, onEnd: () => (children.delete(child), onEnd()) });
  children.add(child);
  return child;
}

/** Makes a folder that is deleted at the latest when this process ends. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "maim-whole-"));
  folders.add(folder);
  return folder;
}

/** Deletes a folder of {@linkcode makeFolder}. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.delete(folder);
}
