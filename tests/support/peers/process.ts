/**
 * Child processes whose output is read line by line, and the commands that run a script in either runtime.
 * @module
 */

import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

import { Inbox, type WaitOptions, withTimeout } from "./inbox.ts";

/** The runtimes the library is native to. */
export type RuntimeName = "deno" | "bun";

/** What a child process is started with. */
export interface SpawnOptions {
  /** Variables laid over this process's own. @default {{}} */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory. @default {process.cwd()} */
  readonly cwd?: string;
  /** Sees every line as it comes, before any wait does. */
  readonly onLine?: (line: string) => void;
  /** Is told once there are no more lines. */
  readonly onEnd?: () => void;
}

/** How a child process ended: one of the two is null. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The signals the tests send. */
export type SignalName = "SIGTERM" | "SIGKILL" | "SIGINT" | "SIGSTOP" | "SIGCONT";

/** The runtime this very process is. */
export const currentRuntime: RuntimeName = process.versions.bun === undefined ? "deno" : "bun";

const PINNED_VERSIONS: Readonly<Record<RuntimeName, string>> = { deno: "2.9.6", bun: "1.4.5" };

/** Finds a program on the PATH; undefined if it is not there. */
export function findProgram(name: string): string | undefined {
  const suffixes = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  return (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "")
    .flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)))
    .find((path) => existsSync(path));
}

/** Where npx keeps a runtime: started through npx itself, a signal and an exit code would be those of npx. */
function npxProgram(runtime: RuntimeName): string | undefined {
  const print = runtime === "deno" ? ["eval", "console.log(Deno.execPath())"] : ["-e", "console.log(process.execPath)"];
  const args = ["-y", `${runtime}@${PINNED_VERSIONS[runtime]}`, ...print];
  const { status, stdout } = spawnSync("npx", args, { encoding: "utf8", timeout: 120_000 });
  return status === 0 ? stdout.trim().split("\n").at(-1) : undefined;
}

const programs = new Map<RuntimeName, string>();

/** Names the program that is the given runtime: this process, `MAIM_DENO` or `MAIM_BUN`, the PATH, else by npx. */
export function runtimeProgram(runtime: RuntimeName): string {
  const known = programs.get(runtime);
  if (known !== undefined) return known;
  const path = runtime === currentRuntime
    ? process.execPath
    : process.env[`MAIM_${runtime.toUpperCase()}`] ?? findProgram(runtime) ?? npxProgram(runtime) ?? runtime;
  programs.set(runtime, path);
  return path;
}

/** Builds the command that runs a script under the given runtime, whichever one runs the tests. */
export function runtimeCommand(
  runtime: RuntimeName,
  script: string,
  args: readonly string[] = [],
): [command: string, args: string[]] {
  return [runtimeProgram(runtime), ["run", ...(runtime === "deno" ? ["-A"] : []), script, ...args]];
}

const runtimeIssues = new Map<RuntimeName, string | null>();

/** Says why a runtime cannot be started on this machine; null if it can. Through npx this may download it. */
export function runtimeIssue(runtime: RuntimeName): string | null {
  const known = runtimeIssues.get(runtime);
  if (known !== undefined) return known;
  const how = runtimeProgram(runtime);
  const { status, error } = spawnSync(how, ["--version"], { timeout: 120_000 });
  const issue = status === 0 ? null : `"${how}" does not run: ${error?.message ?? `exit code ${status}`}`;
  runtimeIssues.set(runtime, issue);
  return issue;
}

/** One running child process; leaving its scope kills it and whatever it started. */
export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #command: string;
  readonly #inbox = new Inbox<string>();
  readonly #lines: string[] = [];
  readonly #closed: Promise<ExitStatus>;
  readonly #onLine: (line: string) => void;
  readonly #onEnd: () => void;

  /** Wraps a child just spawned; use {@linkcode spawnLines}. */
  constructor(
    child: ChildProcessWithoutNullStreams,
    command: string,
    { onLine = () => {}, onEnd = () => {} }: SpawnOptions,
  ) {
    this.#child = child;
    this.#command = command;
    this.#onLine = onLine;
    this.#onEnd = onEnd;
    this.#closed = this.#watch(child);
    // A child that cannot start rejects whoever asks for its exit; nobody may be asking.
    this.#closed.catch(() => {});
    child.stdin.on("error", (error) => this.#receive(`[stdin: ${error.message}]`));
    for (const stream of [child.stdout, child.stderr]) this.#readLines(stream);
  }

  /** Process id; the id of a process group of its own, too. */
  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Everything printed so far, standard output and standard error mixed as they came. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Resolves with the first line that fits and was not taken by an earlier call; rejects if the process ends without one. */
  async line(wanted: RegExp | ((line: string) => boolean), { timeoutMs = 10_000 }: WaitOptions = {}): Promise<string> {
    const isMatch = wanted instanceof RegExp ? (line: string) => line.search(wanted) >= 0 : wanted;
    const line = await this.#inbox.take(isMatch, () => `a line of ${this.#describe()}`, { timeoutMs });
    if (line === null) throw new Error(`Ended without the line waited for: ${this.#describe()}`);
    return line;
  }

  /** Writes to standard input, adding nothing. */
  write(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Ends standard input. */
  endInput(): void {
    this.#child.stdin.end();
  }

  /** Sends a signal to the process and all it started; nothing happens once it has ended. */
  kill(signal: SignalName = "SIGTERM"): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    if (process.platform === "win32") this.#child.kill(signal);
    else killGroup(pid, signal);
  }

  /** Resolves once the process has ended and its output was read to the end. */
  async exit({ timeoutMs = 10_000 }: WaitOptions = {}): Promise<ExitStatus> {
    return await withTimeout(this.#closed, timeoutMs, () => `the end of ${this.#describe()}`);
  }

  /** Kills what is left of the process and waits until every handle is released. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    this.#child.stdin.destroy();
    await this.exit().catch((error: unknown) => {
      // One that never started holds nothing to wait for.
      if (this.#child.pid !== undefined) throw error;
    });
  }

  async #watch(child: ChildProcess): Promise<ExitStatus> {
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
    try {
      return await promise;
    } finally {
      this.#inbox.end();
      this.#onEnd();
    }
  }

  #readLines(stream: NodeJS.ReadableStream): void {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) this.#receive(part);
    });
    stream.on("end", () => {
      if (rest !== "") this.#receive(rest);
    });
  }

  #receive(line: string): void {
    this.#lines.push(line);
    this.#onLine(line);
    this.#inbox.push(line);
  }

  #describe(): string {
    return [this.#command, ...this.#lines.slice(-20).map((line) => `  | ${line.slice(0, 300)}`)].join("\n");
  }
}

function killGroup(pid: number, signal: SignalName): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: it ended before we were told.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Starts a program in a process group of its own, so that killing it also kills what `npx` or a shell started. */
export function spawnLines(command: string, args: readonly string[], options: SpawnOptions = {}): LineProcess {
  const { env = {}, cwd = process.cwd() } = options;
  const child = spawn(command, [...args], {
    cwd,
    env: { ...process.env, ...env },
    detached: process.platform !== "win32",
    stdio: ["pipe", "pipe", "pipe"],
  });
  return new LineProcess(child, [command, ...args].join(" "), options);
}
