/**
 * The servers of a run: our own in this process or in one of its own, and Python's.
 * @module
 */

import { fileURLToPath } from "node:url";

import { createMessage, seg } from "../../../mod.ts";
import { withTimeout } from "../../support/peers/inbox.ts";
import { currentRuntime, type LineProcess, runtimeCommand, spawnLines } from "../../support/peers/process.ts";
import { type PythonEvent, PythonServer } from "../../support/peers/python.ts";
import type { Ledger } from "./ledger.ts";
import { OurServer, type ServerCommands, type ServerReport } from "./our_server.ts";
import type { Scenario } from "./scenario.ts";

/** One life of a server. */
export interface TestServer extends ServerCommands {
  readonly port: number;
  /** Of one that throws away what it has read when it closes: resolves when all connections are gone and all is handled. */
  settled?(): Promise<void>;
  /** Resolves when everything that it has handled is in the ledger. */
  close(): Promise<void>;
  /** Of a process of its own. */
  signal?(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): Promise<void>;
}

/** Milliseconds by which `close()` may be late: Deno waits a second for sockets that it cannot drop, and this is a busy machine. */
export const CLOSE_SLACK = 2500;
const START_MS = 60_000;
const CHILD = fileURLToPath(new URL("./server_child.ts", import.meta.url));

function writeDown(report: ServerReport, ledger: Ledger, { spec }: Scenario): void {
  if (report.is === "sent") ledger.sent(report.id, report.way);
  else if (report.is === "thrown") ledger.thrown(report.id, report.error);
  else if (report.is === "dropped") ledger.dropped(report.id, report.reason);
  else if (report.is === "handled") ledger.handled(report.id, report.way);
  else if (report.is === "fault") ledger.fault(report.name);
  else if (report.is === "log") ledger.log(report.text);
  else if (report.is === "broken") ledger.broken(report.text);
  else if (report.is === "ended" && report.took > spec.closeTimeout + CLOSE_SLACK) {
    ledger.broken(`server.close() took ${report.took} ms`);
  }
}

function startHere(name: string, scenario: Scenario, ledger: Ledger): TestServer {
  return new OurServer(name, scenario.spec, (report) => writeDown(report, ledger, scenario));
}

/** Our server in a process of its own. */
class ChildServer implements TestServer {
  readonly #process: LineProcess;
  readonly #name: string;
  readonly #ledger: Ledger;
  readonly port: number;

  constructor(process: LineProcess, { name, ledger, port }: { name: string; ledger: Ledger; port: number }) {
    this.#process = process;
    this.#name = name;
    this.#ledger = ledger;
    this.port = port;
  }

  static async start(name: string, scenario: Scenario, ledger: Ledger): Promise<ChildServer> {
    if (scenario.server === "python") throw new Error("Python's server is no child of this kind");
    const command = runtimeCommand(scenario.server, CHILD, [name, JSON.stringify(scenario.spec)]);
    const process = spawnLines(...command, {
      onLine(line) {
        if (line.startsWith('{"is":')) writeDown(JSON.parse(line), ledger, scenario);
        else ledger.broken(`the server printed: ${line}`);
      },
    });
    const line = await process.line(/"listening"/, { timeoutMs: START_MS });
    return new ChildServer(process, { name, ledger, port: JSON.parse(line).port });
  }

  #call(call: string, ...args: unknown[]): void {
    this.#process.write(`${JSON.stringify({ call, args })}\n`);
  }

  send(platform: string, count: number): void {
    this.#call("send", platform, count);
  }

  closePeers(): void {
    this.#call("closePeers");
  }

  removeToken(): void {
    this.#call("removeToken");
  }

  addToken(): void {
    this.#call("addToken");
  }

  async close(): Promise<void> {
    this.#call("close");
    const { code, signal } = await this.#process.exit({ timeoutMs: START_MS });
    if (code !== 0 && signal !== "SIGKILL") this.#ledger.broken(`the server's process ended with ${code} ${signal}`);
  }

  async signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): Promise<void> {
    if (name === "SIGKILL") this.#ledger.killed.add(this.#name);
    this.#process.kill(name);
    if (name === "SIGKILL") await this.#process.exit();
  }
}

/** A Python process that serves one run or many. */
export class PythonHost {
  readonly #server: PythonServer;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #gone = new Map<string, () => void>();
  /** Messages that came when their run was over. */
  late = 0;

  /** Keeps the parts; use {@linkcode PythonHost.start}. */
  constructor(server: PythonServer) {
    this.#server = server;
  }

  static async start(hasTokens: boolean): Promise<PythonHost> {
    // Started, it hears of nobody before it is asked to serve.
    const onEvent = (event: PythonEvent): boolean => host?.heard(event) ?? false;
    let host: PythonHost | null = null;
    host = new PythonHost(
      await PythonServer.start({ tokens: hasTokens ? ["nobody's"] : [], tellsUnread: true, onEvent }),
    );
    return host;
  }

  heard({ event, data, platform, connection }: PythonEvent): boolean {
    if (event === "gone") this.#gone.get(String(platform))?.();
    if (event !== "message" && event !== "unread") return event === "gone" || event === "sent" || event === "error";
    const { message_info: info } = data as { message_info: { message_id: string; platform: string } };
    const ledger = this.#ledgers.get(info.platform);
    if (ledger === undefined) this.late++;
    else if (event === "unread") ledger.discarded(info.message_id);
    else ledger.handled(info.message_id, `python#${connection}`);
    return true;
  }

  /** Serves one run; `isOwn` if it is the only one. */
  serve(platform: string, { spec }: Scenario, ledger: Ledger, isOwn: boolean): TestServer {
    this.#ledgers.set(platform, ledger);
    const { peer } = this.#server;
    const tokens = spec.token === null ? [] : [spec.token];
    const changeTokens = (how: "add" | "remove") => this.#server.send({ do: "tokens", [how]: tokens });
    changeTokens("add");
    let number = 0;
    return {
      port: this.#server.port,
      send: (_platform, count) => {
        for (let index = 0; index < count; index++) {
          this.#server.send({ do: "send", message: createMessage({ platform, user: "1" }, seg.text(`${++number}`)) });
        }
      },
      closePeers: () => this.#server.send({ do: "close", platform }),
      removeToken: () => changeTokens("remove"),
      addToken: () => changeTokens("add"),
      settled: () => this.#waitUntilGone(platform),
      close: async () => {
        if (isOwn) await this.#server.stop();
        this.#ledgers.delete(platform);
      },
      signal: async (name) => {
        peer.kill(name);
        if (name === "SIGKILL") await peer.process.exit();
      },
    };
  }

  async #waitUntilGone(platform: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gone.set(platform, resolve);
    this.#server.send({ do: "gone", platform });
    await withTimeout(promise, 30_000, () => `the end of the connections of ${platform}`);
    this.#gone.delete(platform);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

/** The Python servers that serve many runs. */
export class PythonHosts {
  readonly #hosts: readonly [open: PythonHost, closed: PythonHost];

  /** Keeps the parts; use {@linkcode PythonHosts.start}. */
  constructor(hosts: readonly [PythonHost, PythonHost]) {
    this.#hosts = hosts;
  }

  static async start(): Promise<PythonHosts> {
    return new PythonHosts([await PythonHost.start(false), await PythonHost.start(true)]);
  }

  /** The one for callers with a token, or for callers without. */
  of({ spec }: Scenario): PythonHost {
    return this.#hosts[spec.token === null ? 0 : 1];
  }

  get late(): number {
    return this.#hosts[0].late + this.#hosts[1].late;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#hosts) await host[Symbol.asyncDispose]();
  }
}

/** Starts servers of a run, one life after the other. */
export class ServerStarter {
  readonly #scenario: Scenario;
  readonly #ledger: Ledger;
  readonly #platform: string;
  readonly #hosts: PythonHosts | null;
  readonly #own: PythonHost[] = [];
  #lives = 0;

  constructor(platform: string, scenario: Scenario, ledger: Ledger, hosts: PythonHosts | null) {
    this.#platform = platform;
    this.#scenario = scenario;
    this.#ledger = ledger;
    this.#hosts = hosts;
  }

  async start(): Promise<TestServer> {
    const name = `s${++this.#lives}`;
    const { server, hasOwnProcess, spec } = this.#scenario;
    if (server !== "python") {
      const isChild = hasOwnProcess || server !== currentRuntime;
      if (!isChild) return startHere(name, this.#scenario, this.#ledger);
      return await ChildServer.start(name, this.#scenario, this.#ledger);
    }
    if (!hasOwnProcess && this.#hosts !== null) {
      return this.#hosts.of(this.#scenario).serve(this.#platform, this.#scenario, this.#ledger, false);
    }
    const host = await PythonHost.start(spec.token !== null);
    this.#own.push(host);
    return host.serve(this.#platform, this.#scenario, this.#ledger, true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#own) await host[Symbol.asyncDispose]();
  }
}
