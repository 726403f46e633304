/**
 * Runs a deno subcommand with the packages of JSR, or with the stand-ins beside this file where JSR does not answer:
 *
 *     deno run -A tests/support/std/run.ts test|bench|run|check [arguments]
 *
 * Environment: `JSR_URL`.
 * @module
 */

import { isJsrReachable, writeImportMap } from "./imports.ts";

const SUBCOMMANDS = ["test", "bench", "run", "check"];

function print(line: string): void {
  // deno-lint-ignore no-console -- this is a program.
  console.log(line);
}

/** Says which packages are used and gives the options that make it so. */
async function chooseImports(): Promise<string[]> {
  const isReachable = await isJsrReachable();
  print(isReachable ? "@std: from JSR" : "@std: the stand-ins in tests/support/std, as JSR does not answer");
  return isReachable ? [] : [`--import-map=${writeImportMap()}`];
}

/** Runs a program on our own terminal and gives its exit code. */
async function runInherited(command: string, args: readonly string[]): Promise<number> {
  // Ctrl-C reaches the child as well; it ends in its own way, and we after it.
  const ignore = () => {};
  Deno.addSignalListener("SIGINT", ignore);
  try {
    return (await new Deno.Command(command, { args: [...args], stdin: "inherit" }).spawn().status).code;
  } finally {
    Deno.removeSignalListener("SIGINT", ignore);
  }
}

async function main([subcommand = "", ...args]: readonly string[]): Promise<number> {
  if (SUBCOMMANDS.includes(subcommand)) {
    return await runInherited(Deno.execPath(), [subcommand, ...await chooseImports(), ...args]);
  }
  print(`Expected one of ${SUBCOMMANDS.join(", ")}; got "${subcommand}"`);
  return 2;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
