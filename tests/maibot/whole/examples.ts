/**
 * The programs of `examples/` as child processes.
 * @module
 */

import { fileURLToPath } from "node:url";

import { type LineProcess, runtimeCommand, type RuntimeName } from "../../support/peers/process.ts";
import { TOKEN } from "./config.ts";
import { spawnChild } from "./way_out.ts";

/** Starts a program of `examples/` that dials a MaiBot. */
export function startExample(
  runtime: RuntimeName,
  name: string,
  url: string,
  env: Readonly<Record<string, string>> = {},
): LineProcess {
  const [command, args] = runtimeCommand(runtime, fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)));
  return spawnChild(command, args, { env: { NO_COLOR: "1", MAIBOT_URL: url, MAIBOT_TOKEN: TOKEN, ...env } });
}
