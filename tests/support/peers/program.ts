/**
 * The programs of the package as a person starts them: by a command, with flags, to read what they print.
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

import type { Header } from "./handshake.ts";
import { currentRuntime, type LineProcess, runtimeCommand, type RuntimeName, spawnLines } from "./process.ts";
import { RawPeer } from "./raw.ts";
import { testUnless } from "./skip.ts";

/** The runtimes that a program must run in. */
export const RUNTIMES: readonly RuntimeName[] = ["deno", "bun"];
/** The program that serves. */
export const SERVER_PROGRAM: string = fileURLToPath(new URL("../../../server.ts", import.meta.url));
/** Milliseconds a start may take: through npx the first may download the runtime. */
export const START_MS = 60_000;

/** A program that listens; leaving its scope kills it. */
export interface Program extends AsyncDisposable {
  readonly child: LineProcess;
  /** Its first line. */
  readonly url: string;
}

/** What a program that ended by itself left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Env = Readonly<Record<string, string>>;

/** Starts a program on a free port and reads its first line, which is a URL. */
export async function startProgram(
  runtime: RuntimeName,
  script: string,
  args: readonly string[],
  env: Env = {},
): Promise<Program> {
  const child = spawnLines(...runtimeCommand(runtime, script, ["--port", "0", ...args]), { env });
  try {
    const url = await child.line(() => true, { timeoutMs: START_MS });
    assertMatch(url, /^wss?:\/\/[\w.]+:\d+\/\w+$/);
    return { child, url, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs a program that is to end by itself. */
export function runProgram(command: string, args: readonly string[], env: Env = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(command, [...args], {
    encoding: "utf8",
    timeout: START_MS,
    env: { ...process.env, ...env },
  });
  return { code: status, stdout, stderr };
}

/** Exactly one line on standard error, no stack, and exit code 1. */
export function assertOneLine({ code, stdout, stderr }: Outcome, fits: RegExp): void {
  assertEquals([stdout, code], ["", 1], stderr);
  assertMatch(stderr, /^(?:error: |错误：)[^\n]+\n$/);
  assertMatch(stderr, fits);
}

/** Declares a {@linkcode runtimeTest} that needs the signals of POSIX. */
export function signalTest(runtime: RuntimeName, name: string, fn: () => Promise<void>): void {
  if (runtime === currentRuntime) {
    testUnless(process.platform === "win32" ? "Windows has no such signals" : null, name, fn);
  }
}

/** Connects as an adapter does, with nothing of this library. */
export async function dialAs(platform: string, url: string, token?: string): Promise<RawPeer> {
  const authorization: readonly Header[] = token === undefined ? [] : [["authorization", token]];
  return await RawPeer.connect(url, { headers: [["platform", platform], ...authorization] });
}
