/**
 * Tests that need something a machine or a runtime may not have.
 * @module
 */

import { it } from "@std/testing/bdd";
import process from "node:process";

import { currentRuntime, type RuntimeName } from "./process.ts";

/** Declares a test that is skipped while there is an issue, visibly, or fails if `MAIM_PEERS` is `required`. */
export function testUnless(issue: string | null, name: string, fn: () => void | Promise<void>): void {
  if (issue === null) return it(name, fn);
  if (process.env.MAIM_PEERS !== "required") return it.skip(`${name} (skipped: ${issue})`, fn);
  it(name, () => {
    throw new Error(`Cannot skip a test as MAIM_PEERS is "required": ${issue}`);
  });
}

/** Declares a test of one runtime, or of programs in it: the other has no such test. */
export function runtimeTest(runtime: RuntimeName, name: string, fn: () => void | Promise<void>): void {
  if (runtime === currentRuntime) it(name, fn);
}
