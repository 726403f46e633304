/**
 * What every program of this library needs: flags, lines, signals and exit codes.
 * @module
 */

/** Flags by name, as `node:util` wants them. */
export type FlagOptions = Record<string, { type: "string" | "boolean"; multiple?: boolean }>;

/** The parts of `node:util` and `node:process` that every program uses; only a program may import those. */
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

/** What is said about flags that can not be read. */
export interface FlagTexts {
  readonly flagUnknown: (flag: string) => string;
  readonly flagValue: string;
}

/** A mistake of the person who started the program: one line, exit code 1. */
export class UsageError extends Error {}

/** Reads the flags; throws a {@linkcode UsageError} that shows no value. */
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
    // Values are not repeated, nor what stands where the value of a flag belongs: it may be a token.
    const bad = args.find((arg, index) => {
      const isValue = index > 0 && /^--[a-z]+$/.test(args[index - 1] ?? "");
      return !isValue && arg.startsWith("-") && !names.includes(arg.slice(2).split("=")[0] ?? "");
    });
    throw new UsageError(bad === undefined ? texts.flagValue : texts.flagUnknown(bad.split("=")[0] ?? ""));
  }
}

/** Whether a text is the number of a port. */
export function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= 65535;
}

/** A line stays a line whatever a message holds: neither control codes nor marks that turn it around get out. */
export function oneLine(text: string, length: number = 200): string {
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g, " ");
  return line.length > length ? `${line.slice(0, length)}…` : line;
}

/** Gives what prints a line. Whoever reads them may go, as in `server.ts | head -1`: that ends the program, without a stack. */
export function linePrinter({ process }: ProgramSystem): (line: string) => void {
  process.stdout.on("error", () => process.exit(0));
  return (line) => void process.stdout.write(`${line}\n`);
}

/** Resolves at the first Ctrl-C or termination; a second one ends the process at once. */
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

/** Runs a program and ends the process: a failure is one line, as `describe` puts it, and exit code 1. */
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
