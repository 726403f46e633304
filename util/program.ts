import type { MessageServer, MessageServerOptions, Peer } from "../server/server.ts";
import { plainText } from "../schema/rules.ts";
import { MessageConnectionError } from "./connection_error.ts";
import { answerMetrics } from "../server/metrics.ts";
import { describeDrop } from "../client/outbox.ts";
import { runtime } from "../runtime/mod.ts";
import type { Listener } from "../runtime/types.ts";

// ---------------------------------------------------------------------------------------------- for every program

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

// ---------------------------------------------------------------------------------------------- server.ts

const HELP = `Serves the maim_message protocol to adapters.

Usage: deno run -A server.ts [flags]      (or: bun server.ts [flags])

  --host ADDRESS   address to bind (default 127.0.0.1; 0.0.0.0 is every interface: use --token then)
  --port PORT      port to bind, 0 picks a free one (default 18000)
  --path PATH      path of the WebSocket (default /ws)
  --token TOKEN    lets this token in; repeat it for several; without one everybody is let in
  --cert FILE      certificate chain (PEM), makes it wss:// together with --key
  --key FILE       private key (PEM)
  --metrics PORT   serves /metrics (Prometheus) and /health on 127.0.0.1:PORT
  --echo           sends every message back to its platform
  --quiet          prints the URL only
  --help           prints this
`;

/** The parts of the runtime's own modules that `server.ts` uses. */
export type System = ProgramSystem & {
  readonly fs: { readFile(path: string, encoding: "utf8"): Promise<string> };
};

interface Flags {
  host?: string;
  port?: string;
  path?: string;
  token?: string[];
  cert?: string;
  key?: string;
  metrics?: string;
  echo?: boolean;
  quiet?: boolean;
  help?: boolean;
}

const FLAG_TEXTS: FlagTexts = {
  flagUnknown: (flag) => `unknown flag ${flag}; --help lists them`,
  flagValue: "a flag lacks its value or has one too many; --help lists them",
};

function readFlags(system: System): Flags {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    host: text,
    port: text,
    path: text,
    token: { type: "string", multiple: true },
    cert: text,
    key: text,
    metrics: text,
    echo: flag,
    quiet: flag,
    help: flag,
  } as const;
  return parseFlags(options, system, FLAG_TEXTS);
}

function readPort(flag: string, text: string): number {
  if (isPort(text)) return Number(text);
  throw new UsageError(`${flag} must be from 0 to 65535: received ${text}`);
}

async function readPem(flag: string, path: string, { fs }: System): Promise<string> {
  let text: string;
  try {
    text = await fs.readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`${flag} ${path} can not be read: ${reason(error)}`);
  }
  if (text.includes("-----BEGIN")) return text;
  throw new UsageError(`${flag} ${path} must be a PEM file`);
}

async function readTls({ cert, key }: Flags, system: System): Promise<{ tls?: { cert: string; key: string } }> {
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined || key === undefined) throw new UsageError("--cert and --key must be given together");
  return { tls: { cert: await readPem("--cert", cert, system), key: await readPem("--key", key, system) } };
}

/** One line about a failure of the system. */
function reason(error: unknown): string {
  const { code, name, message } = error as Error & { code?: string };
  if (code === "EADDRINUSE") return "the port is taken; choose another with --port, or 0 for a free one";
  if (code === "EADDRNOTAVAIL") return "this machine does not have that address; see --host";
  if (code === "EINVAL" || code === "ENOTFOUND") return "the address to bind is not known; see --host";
  if (code?.startsWith("ERR_OSSL") || name === "InvalidData") return "certificate and key can not be used; see --cert";
  if (code === "EACCES" || name === "PermissionDenied") return "the system does not permit it";
  if (code === "ENOENT") return "no such file";
  if (name === "NotCapable") return `${message.split(",")[0]}; run it again as: deno run -A server.ts`;
  return message.split("\n")[0] ?? name;
}

function peerName(peer: Peer): string {
  return `#${peer.id} ${peer.platform}${peer.address === "" ? "" : ` (${peer.address})`}`;
}

function narrate(server: MessageServer, print: (line: string) => void): void {
  server.on("open", (peer) => print(`+ ${peerName(peer)}`));
  server.on("close", (peer, { code, reason }) => print(`- ${peerName(peer)} ${code} ${oneLine(reason)}`));
  server.on("message", (message, peer) => print(`< ${peerName(peer)} ${oneLine(plainText(message))}`));
  server.on("custom", (message, peer) => print(`< ${peerName(peer)} {${oneLine(message.message_type_name)}}`));
  server.on("invalid", (error, peer) => print(`! ${peerName(peer)} ${error.message}`));
}

function echo(server: MessageServer, print: (line: string) => void): void {
  server.on("message", (message) => {
    const { platform } = message.message_info;
    try {
      server.forward(platform, message);
    } catch (error) {
      if (!(error instanceof MessageConnectionError)) throw error;
      print(`! echo: ${oneLine(error.message)}`);
    }
  });
}

function serveMetrics(port: number, server: MessageServer): Listener {
  const address = { hostname: "127.0.0.1", port };
  return runtime.listen(address, { maxBytes: 1, idleTimeout: 0 }, (request) => {
    return answerMetrics(request, () => server.stats());
  });
}

/** Deno 2.9 ends the process when the fragments of one message exceed the longest string it has; this one error may not. */
function outliveGiants(print: (line: string) => void): void {
  globalThis.addEventListener?.("unhandledrejection", (event) => {
    const { reason } = event as PromiseRejectionEvent;
    if (!(reason instanceof TypeError) || !reason.message.startsWith("failed to allocate string")) return;
    event.preventDefault();
    print("! a message above 512 MiB was dropped, and its connection with it");
  });
}

async function start(Server: typeof MessageServer, system: System): Promise<void> {
  const say = linePrinter(system);
  const flags = readFlags(system);
  if (flags.help) return say(HELP.trimEnd());
  const options: MessageServerOptions = {};
  if (flags.token !== undefined) options.tokens = flags.token;
  if (flags.path !== undefined) options.path = flags.path;
  const tls = await readTls(flags, system);
  const port = readPort("--port", flags.port ?? "18000");
  const metricsPort = flags.metrics === undefined ? null : readPort("--metrics", flags.metrics);
  const server = new Server(options);
  const print = flags.quiet ? () => {} : say;
  narrate(server, print);
  if (flags.echo) echo(server, print);
  server.on("error", (error) => print(`! ${reason(error)}`));
  server.on("limit", ({ limit, address, platform }) => print(`! limit ${limit}: ${platform ?? ""} (${address})`));
  server.on("drop", ({ message, reason }, peer) => print(`! ${peerName(peer)} ${describeDrop({ message, reason })}`));
  outliveGiants(print);
  const stopped = stopSignal(system);
  say(server.listen({ port, ...(flags.host === undefined ? {} : { hostname: flags.host }), ...tls }));
  const metrics = metricsPort === null ? null : serveMetrics(metricsPort, server);
  if (metrics !== null) print(`metrics: http://127.0.0.1:${metrics.port}/metrics`);
  await stopped;
  await Promise.all([server.close(), metrics?.stop()]);
}

/**
 * Runs `server.ts` as a program: reads the flags, serves until Ctrl-C, and ends the process.
 *
 * @param Server The class, handed in so that imports point one way.
 * @param system The runtime's own modules.
 */
export async function runProgram(Server: typeof MessageServer, system: System): Promise<void> {
  await runToEnd(system, () => start(Server, system), (error) => {
    return `error: ${error instanceof UsageError ? error.message : reason(error)}`;
  });
}
