/**
 * Peers that run the reference library itself: Python processes with `maim_message` 0.6.x, driven by JSON lines.
 * @module
 */

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { Inbox, type WaitOptions } from "./inbox.ts";
import {
  currentRuntime,
  type ExitStatus,
  findProgram,
  type LineProcess,
  type RuntimeName,
  type SignalName,
  spawnLines,
} from "./process.ts";
import { testUnless } from "./skip.ts";

/** One event of a Python peer; the scripts say which there are. */
export interface PythonEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** One command for a Python peer; the scripts say which there are. */
export interface PythonCommand {
  readonly do: string;
  readonly [field: string]: unknown;
}

/** Starting Python and importing the library is slow on a busy machine. */
const START_TIMEOUT_MS = 60_000;
const FIND_MODULES = "import importlib.util as u, sys\n" +
  'sys.exit(", ".join(m for m in ("maim_message", "aiohttp", "uvicorn", "websockets") if u.find_spec(m) is None) or None)';

let issue: string | null | undefined;

function pythonProgram(): string | undefined {
  const given = process.env.MAIM_PYTHON;
  // A path relative to the working directory of the tests, not to the one of the peer.
  return given === undefined || given === "" ? findProgram("python3") : resolve(given);
}

function findPythonIssue(): string | null {
  const program = pythonProgram();
  if (program === undefined) return "no python3 on the PATH and MAIM_PYTHON not set";
  const { status, stderr, error } = spawnSync(program, ["-c", FIND_MODULES], {
    encoding: "utf8",
    timeout: START_TIMEOUT_MS,
  });
  if (error !== undefined) return `${program} does not run: ${error.message}`;
  return status === 0 ? null : `${program} has no module ${stderr.trim()}; set MAIM_PYTHON`;
}

/** Says why there is no Python peer on this machine; null if there is one. */
export function pythonIssue(): string | null {
  if (issue === undefined) issue = findPythonIssue();
  return issue;
}

/** The program of Python. Throws if there is none that can run peers. */
export function pythonCommand(): string {
  const program = pythonProgram();
  const problem = pythonIssue();
  if (program === undefined || problem !== null) throw new Error(`Cannot run Python: ${problem}`);
  return program;
}

/** Declares a test that needs Python peers: without them it is skipped, or fails if `MAIM_PEERS` is `required`. */
export function peerTest(name: string, fn: () => void | Promise<void>): void {
  testUnless(pythonIssue(), name, fn);
}

/**
 * Runs a few lines of Python, which get any JSON as `value` and leave what they found in `found`: whatever text is in it
 * comes back as it is, halves of surrogate pairs included.
 */
export function askPython(lines: string, value: unknown): unknown {
  const program = pythonProgram();
  const problem = pythonIssue();
  if (program === undefined || problem !== null) throw new Error(`Cannot ask Python: ${problem}`);
  const code = `import json, sys\nvalue = json.loads(sys.stdin.read())\n${lines}\nprint(json.dumps(found))\n`;
  const { status, stdout, stderr } = spawnSync(program, ["-c", code], {
    encoding: "utf8",
    input: JSON.stringify(value),
    maxBuffer: 2 ** 26,
    timeout: START_TIMEOUT_MS,
  });
  if (status !== 0) throw new Error(`Python ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Declares a {@linkcode peerTest} of what only one runtime does with a Python peer; the other has no such test. */
export function peerTestOn(runtime: RuntimeName, name: string, fn: () => Promise<void>): void {
  if (runtime === currentRuntime) peerTest(name, fn);
}

/** One running Python script. */
export class PythonPeer {
  /** The process, for its lines, its end and signals. */
  readonly process: LineProcess;
  readonly #events: Inbox<PythonEvent>;

  /** Keeps the parts; use {@linkcode PythonPeer.spawn}. */
  constructor(running: LineProcess, events: Inbox<PythonEvent>) {
    this.process = running;
    this.#events = events;
  }

  /**
   * Starts one of the scripts beside this file and waits until it takes commands. Events for which `onEvent` returns true
   * can not be taken later.
   */
  static async spawn(
    script: string,
    args: readonly string[],
    onEvent: (event: PythonEvent) => boolean = () => false,
  ): Promise<PythonPeer> {
    const program = pythonProgram();
    const problem = pythonIssue();
    if (program === undefined || problem !== null) throw new Error(`Cannot run a Python peer: ${problem}`);
    const events = new Inbox<PythonEvent>();
    const path = fileURLToPath(new URL(script, import.meta.url));
    const running = spawnLines(program, ["-B", "-u", path, ...args], {
      // A proxy for everything would otherwise also get what is meant for 127.0.0.1.
      env: { PYTHONIOENCODING: "utf-8", NO_PROXY: "*" },
      onLine: (line) => pushEvent(events, line, onEvent),
      onEnd: () => events.end(),
    });
    const peer = new PythonPeer(running, events);
    try {
      await peer.next("started", { timeoutMs: START_TIMEOUT_MS });
      return peer;
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Sends one command. */
  send(command: PythonCommand): void {
    this.process.write(`${JSON.stringify(command)}\n`);
  }

  /** Takes the next event that fits; events nobody asks for stay. */
  async next(
    wanted: string | ((event: PythonEvent) => boolean),
    { timeoutMs = 10_000 }: WaitOptions = {},
  ): Promise<PythonEvent> {
    const isMatch = typeof wanted === "string" ? ({ event }: PythonEvent) => event === wanted : wanted;
    const recent = () => this.process.lines.slice(-20).map((line) => `\n  | ${line.slice(0, 300)}`).join("");
    const describe = () =>
      `${typeof wanted === "string" ? `event "${wanted}"` : "an event"} of a Python peer${recent()}`;
    const event = await this.#events.take(isMatch, describe, { timeoutMs });
    if (event === null) throw new Error(`Python peer ended before ${describe()}`);
    return event;
  }

  /** Has the peer stop in its own way, closing its connections, and waits for its end. */
  async stop({ timeoutMs = 20_000 }: WaitOptions = {}): Promise<ExitStatus> {
    this.send({ do: "stop" });
    return await this.process.exit({ timeoutMs });
  }

  /** Sends a signal to the process. */
  kill(signal: SignalName): void {
    this.process.kill(signal);
  }

  /** Kills the peer if it is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}

function pushEvent(events: Inbox<PythonEvent>, line: string, onEvent: (event: PythonEvent) => boolean): void {
  // Whatever else a line of a peer's log is, it does not start like this.
  if (!line.startsWith('{"event": ')) return;
  const event: PythonEvent = JSON.parse(line);
  if (!onEvent(event)) events.push(event);
}

function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}

function customOptions(names: readonly string[]): string[] {
  return names.flatMap((name) => option("custom", name));
}

/** How a Python server starts. */
export interface PythonServerOptions {
  /** Tokens that are valid; without any nobody needs one. @default {[]} */
  readonly tokens?: readonly string[];
  /** Names of custom messages to report. @default {[]} */
  readonly custom?: readonly string[];
  /** Paths of certificate and key; the server then speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** A free one unless given. @default {0} */
  readonly port?: number;
  /** Reports as "unread" what the server had read when it stopped to hand out messages of a connection. @default {false} */
  readonly tellsUnread?: boolean;
  /** Is told each event; those for which it returns true can not be taken with `next()`. */
  readonly onEvent?: (event: PythonEvent) => boolean;
}

/** A running `MessageServer` of Python. */
export class PythonServer {
  /** The script that runs it. */
  readonly peer: PythonPeer;
  readonly port: number;
  readonly url: string;

  /** Keeps the parts; use {@linkcode PythonServer.start}. */
  constructor(peer: PythonPeer, port: number, isSecure: boolean) {
    this.peer = peer;
    this.port = port;
    this.url = `${isSecure ? "wss" : "ws"}://127.0.0.1:${port}/ws`;
  }

  /** Starts a server and waits until it accepts connections. */
  static async start(
    { tokens = [], custom = [], tls, port = 0, tellsUnread = false, onEvent }: PythonServerOptions = {},
  ): Promise<PythonServer> {
    const args = [
      ...option("port", `${port}`),
      ...tokens.flatMap((token) => option("token", token)),
      ...customOptions(custom),
      ...option("cert", tls?.cert),
      ...option("key", tls?.key),
      ...tellsUnread ? ["--unread"] : [],
    ];
    const peer = await PythonPeer.spawn("server.py", args, onEvent);
    try {
      const listening = await peer.next("listening", { timeoutMs: START_TIMEOUT_MS });
      return new PythonServer(peer, Number(listening.port), tls !== undefined);
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Sends one command. */
  send(command: PythonCommand): void {
    this.peer.send(command);
  }

  /** Takes the next event that fits. */
  async next(wanted: string | ((event: PythonEvent) => boolean), options: WaitOptions = {}): Promise<PythonEvent> {
    return await this.peer.next(wanted, options);
  }

  /** Has the server close every connection and end. */
  async stop(options: WaitOptions = {}): Promise<ExitStatus> {
    return await this.peer.stop(options);
  }

  /** Kills the server if it is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
  }
}

/** How a Python client starts. */
export interface PythonClientOptions {
  readonly url: string;
  readonly platform: string;
  readonly token?: string;
  /** Path of the certificate to trust; without one `wss:` trusts any. */
  readonly ca?: string;
  /** Names of custom messages to report. @default {[]} */
  readonly custom?: readonly string[];
}

/** Starts one kind of Python peer. */
export interface PythonStarter<O> {
  /** Starts it and returns before it is connected: "connected" or "refused" is the event to take next. */
  start(options: O): Promise<PythonPeer>;
}

async function startClient(
  script: string,
  { url, platform, token, ca, custom = [] }: PythonClientOptions,
): Promise<PythonPeer> {
  const args = [url, platform, ...option("token", token), ...option("ca", ca), ...customOptions(custom)];
  return await PythonPeer.spawn(script, args);
}

/** The `MessageClient` of Python. */
export const PythonClient: PythonStarter<PythonClientOptions> = {
  start: (options) => startClient("client.py", options),
};

/** The Python client of the 0.3.0 WebSocket document; it does not know custom messages. */
export const SeedClient: PythonStarter<Omit<PythonClientOptions, "custom">> = {
  start: (options) => startClient("seed_client.py", options),
};

/** How a Python router starts. */
export interface PythonRouterOptions {
  /** Where each platform connects; `ssl_verify` is the path of a certificate. */
  readonly routes: Readonly<
    Record<string, { readonly url: string; readonly token?: string; readonly ssl_verify?: string }>
  >;
  /** Names of custom messages to report. @default {[]} */
  readonly custom?: readonly string[];
}

/** The `Router` of Python; its events name the platform. */
export const PythonRouter: PythonStarter<PythonRouterOptions> = {
  start: ({ routes, custom = [] }) => PythonPeer.spawn("router.py", [JSON.stringify(routes), ...customOptions(custom)]),
};
