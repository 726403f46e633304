/**
 * What the servers of both runtimes have in common.
 * @module
 */

import process from "node:process";

/**
 * Seconds of idle timeout at which both runtimes ping every 60 s: Deno 2.9 at half of it, which is what `MessageServer`
 * has by default, and Bun 1.4 16 s before its end.
 */
export const IDLE_SECONDS: number = "Deno" in globalThis ? 120 : 76;

/** Ends this process when its standard input ends: whoever started it is gone then, however it went. */
export function endWithInput(): void {
  process.stdin.on("end", () => process.exit(0)).resume();
}
