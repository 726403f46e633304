/**
 * The program that `server.ts` starts.
 * @module
 */

import { runtime } from "../runtime/mod.ts";
import type { Listener } from "../runtime/types.ts";
import { plainText } from "../schema/plain_text.ts";
import { describeDrop } from "../session/drops.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { oneLine } from "../util/display.ts";
import {
  type FlagTexts,
  isPort,
  linePrinter,
  parseFlags,
  type ProgramSystem,
  runToEnd,
  stopSignal,
  UsageError,
} from "../util/program.ts";
import { answerMetrics } from "./metrics.ts";
import type { LimitName, MessageServerOptions } from "./options.ts";
import type { Peer } from "./events.ts";
import type { Refusal } from "./refusals.ts";
import { MessageServer } from "./server.ts";

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

/** The members of the runtime's built-in modules that the program uses. */
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
  flagValue: "a flag has no value, or a value that it does not take; --help lists them",
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
  throw new UsageError(`${flag} must be a port from 0 to 65535; received ${text}`);
}

async function readPem(flag: string, path: string, { fs }: System): Promise<string> {
  let text: string;
  try {
    text = await fs.readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`${flag} ${path} cannot be read: ${systemErrorText(error)}`);
  }
  if (text.includes("-----BEGIN")) return text;
  throw new UsageError(`${flag} ${path} must be a PEM file`);
}

async function readTls({ cert, key }: Flags, system: System): Promise<{ tls?: { cert: string; key: string } }> {
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined || key === undefined) throw new UsageError("--cert and --key must be given together");
  return { tls: { cert: await readPem("--cert", cert, system), key: await readPem("--key", key, system) } };
}

/** Describes an error of the operating system or the runtime in one line. */
function systemErrorText(error: unknown): string {
  const { code, name, message } = error as Error & { code?: string };
  if (code === "EADDRINUSE") return "the port is taken; choose another with --port, or 0 for a free one";
  if (code === "EADDRNOTAVAIL") return "this machine does not have that address; check --host";
  if (code === "EINVAL" || code === "ENOTFOUND") return "the address to listen on is unknown; check --host";
  if (code?.startsWith("ERR_OSSL") || name === "InvalidData") {
    return "the certificate or the key is not valid; check --cert and --key";
  }
  if (code === "EACCES" || name === "PermissionDenied") return "the system does not permit it";
  if (code === "ENOENT") return "no such file";
  if (name === "NotCapable") return `${message.split(",")[0]}; run it again as: deno run -A server.ts`;
  return oneLine(message.split("\n", 1)[0] || name);
}

function peerName(peer: Peer): string {
  return `#${peer.id} ${oneLine(peer.platform)}${peer.address === "" ? "" : ` (${peer.address})`}`;
}

/** Limits that refuse a caller: the line about the refusal names them. */
const REFUSING_LIMITS: readonly LimitName[] = ["connections", "connectionsPerAddress", "turnedOut"];

function describeRefusal({ address, platform = "", cause, code, limit, omitted }: Refusal): string {
  const caller = `${oneLine(platform)} (${address})`.trimStart();
  const why = limit === undefined ? cause : `${cause}, limit ${limit}`;
  return `refused ${caller}: ${why}, ${code}${omitted === 0 ? "" : `; ${omitted} more before`}`;
}

function printEvents(server: MessageServer, print: (line: string) => void): void {
  server.on("open", (peer) => print(`+ ${peerName(peer)}`));
  server.on("close", (peer, { code, reason }) => print(`- ${peerName(peer)} ${code} ${oneLine(reason)}`));
  server.on("message", (message, peer) => print(`< ${peerName(peer)} ${oneLine(plainText(message))}`));
  server.on("custom", (message, peer) => print(`< ${peerName(peer)} {${oneLine(message.message_type_name)}}`));
  server.on("invalid", (error, peer) => print(`! ${peerName(peer)} ${oneLine(error.message)}`));
  server.on("error", (error) => print(`! ${systemErrorText(error)}`));
  server.on("refused", (refusal) => print(`! ${describeRefusal(refusal)}`));
  server.on("limit", ({ limit, address, platform = "" }) => {
    if (!REFUSING_LIMITS.includes(limit)) print(`! limit ${limit}: ${oneLine(platform)} (${address})`);
  });
  server.on("drop", (drop, peer) => print(`! ${peerName(peer)} ${describeDrop(drop)}`));
}

function echoMessages(server: MessageServer, print: (line: string) => void): void {
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

/**
 * Keeps the process alive when a message exceeds the longest string of the runtime. Otherwise Deno 2.9 would end the
 * process.
 */
function surviveOversizedMessages(print: (line: string) => void): void {
  globalThis.addEventListener?.("unhandledrejection", (event) => {
    const { reason } = event as PromiseRejectionEvent;
    if (!runtime.isStringTooLong(reason)) return;
    event.preventDefault();
    print("! a message above 512 MiB was dropped, and its connection closed");
  });
}

async function start(system: System): Promise<void> {
  const say = linePrinter(system);
  const flags = readFlags(system);
  if (flags.help) return say(HELP.trimEnd());
  const options: MessageServerOptions = {};
  if (flags.token !== undefined) options.tokens = flags.token;
  if (flags.path !== undefined) options.path = flags.path;
  const tls = await readTls(flags, system);
  const port = readPort("--port", flags.port ?? "18000");
  const metricsPort = flags.metrics === undefined ? null : readPort("--metrics", flags.metrics);
  const server = new MessageServer(options);
  const print = flags.quiet ? () => {} : say;
  printEvents(server, print);
  if (flags.echo) echoMessages(server, print);
  surviveOversizedMessages(print);
  const stopped = stopSignal(system);
  say(server.listen({ port, ...(flags.host === undefined ? {} : { hostname: flags.host }), ...tls }));
  const metrics = metricsPort === null ? null : serveMetrics(metricsPort, server);
  if (metrics !== null) print(`metrics: http://127.0.0.1:${metrics.port}/metrics`);
  await stopped;
  await Promise.all([server.close(), metrics?.stop()]);
}

/** Runs `server.ts` as a program: reads the flags, serves until Ctrl-C, and ends the process. */
export async function runServer(): Promise<void> {
  const [util, fs, { default: process }] = await Promise.all([
    import("node:util"),
    import("node:fs/promises"),
    import("node:process"),
  ]);
  const system: System = { util, fs, process };
  await runToEnd(system, () => start(system), (error) => {
    return `error: ${error instanceof UsageError ? error.message : systemErrorText(error)}`;
  });
}
