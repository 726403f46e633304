/**
 * Functions that the programs of this library share: flags, printing, signals and exit codes.
 * @module
 */

/** Flags by name, in the form that `parseArgs` of `node:util` expects. */
export type FlagOptions = Record<string, { type: "string" | "boolean"; multiple?: boolean }>;

/** The members of `node:util` and `node:process` that every program uses. Only a program may import these modules. */
export interface ProgramSystem {
  readonly util: {
    parseArgs(config: { args: string[]; options: FlagOptions }): { values: Record<string, unknown> };
  };
  readonly process: {
    readonly argv: readonly string[];
    readonly stdout: { write(text: string): unknown; on(event: "error", handler: () => void): unknown };
    readonly stderr: { write(text: string): unknown };
    on(signal: "SIGINT" | "SIGTERM", handler: () => void): unknown;
    exit(code: number): never;
  };
}

/** Error texts for flags that cannot be read. */
export interface FlagTexts {
  readonly flagUnknown: (flag: string) => string;
  readonly flagValue: string;
}

/** An error in the flags of a program or in a file that a flag names. It is printed as one line; the exit code is 1. */
export class UsageError extends Error {}

/**
 * Reads the flags.
 *
 * @throws {UsageError} If a flag is wrong. The error text shows no value of a flag, because the value may be a token.
 */
export function parseFlags(
  options: FlagOptions,
  { util, process }: ProgramSystem,
  texts: FlagTexts,
): Record<string, unknown> {
  const args = process.argv.slice(2);
  try {
    return util.parseArgs({ args, options }).values;
  } catch {
    const names = Object.keys(options);
    // Finds the first unknown flag. An argument after a flag is skipped, because it may be the value of that flag.
    const bad = args.find((arg, index) => {
      const isValue = index > 0 && /^--[a-z]+$/.test(args[index - 1] ?? "");
      return !isValue && arg.startsWith("-") && !names.includes(arg.slice(2).split("=")[0] ?? "");
    });
    throw new UsageError(bad === undefined ? texts.flagValue : texts.flagUnknown(bad.split("=")[0] ?? ""));
  }
}

/** Tells whether a text is a port number. */
export function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= 65535;
}

/**
 * Returns the function that prints a line. If the reader of stdout is gone, as in `server.ts | head -1`, the program
 * ends.
 */
export function linePrinter({ process }: ProgramSystem): (line: string) => void {
  process.stdout.on("error", () => process.exit(0));
  return (line) => void process.stdout.write(`${line}\n`);
}

/** Resolves at the first SIGINT (Ctrl-C) or SIGTERM. A second signal ends the process at once, with exit code 130. */
export function stopSignal({ process }: ProgramSystem): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(130);
    isStopping = true;
    resolve();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return promise;
}

/** Runs a program and ends the process. If it fails, prints the line that `describe` returns and exits with 1. */
export async function runToEnd(
  { process }: ProgramSystem,
  start: () => Promise<void>,
  describe: (error: unknown) => string,
): Promise<void> {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exit(1);
  }
  process.exit(0);
}
