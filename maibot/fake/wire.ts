import { MessageConnectionError } from "../../util/connection_error.ts";
import { runtime } from "../../runtime/mod.ts";
import type { Listener } from "../../runtime/types.ts";
import { LINES, type MaibotLogLine } from "./log.ts";
import { MAIBOT_KEEPALIVE } from "./keepalive.ts";
import { Line, type LineEnd } from "./connection.ts";

/** Where a fake listens. */
export interface WireAddress {
  readonly hostname: string;
  readonly port: number;
}

/** What the wire tells the fake. */
export interface WireEvents {
  opened(platform: string): void;
  /** One frame; `null` is a binary one. */
  frame(text: string | null, line: Line): void;
  closed(platform: string, end: LineEnd): void;
  note(line: MaibotLogLine): void;
}

/** Who is let in, and how long a goodbye may take. */
export interface WireOptions {
  readonly path: string;
  readonly tokens: ReadonlySet<string>;
  /** Milliseconds. */
  readonly closeTimeout: number;
}

/**
 * Source: maim_message 0.6.8 and MaiBot: 100 MiB, a ping after 20 s and 20 s for its pong. Where the runtime can not be
 * told to ping it does so by itself: Deno 2.9 after half of this time, and closes with 1001 instead of 1011.
 */
const LIMITS = {
  maxBytes: 104_857_600,
  idleTimeout: runtime.canPing ? Infinity : MAIBOT_KEEPALIVE.interval + MAIBOT_KEEPALIVE.timeout,
};

/** What a caller without a `platform` header is called. It may talk and gets no answer. */
const NAMELESS = "unknown";

const REPLACED: LineEnd = { code: 1000, reason: "新的连接已建立" };
const UNAUTHORIZED: LineEnd = { code: 1008, reason: "无效的令牌" };
const STOPPED: LineEnd = { code: 1000, reason: "服务器关闭" };
/** What uvicorn sends when its process is told to end. */
const RESTARTED: LineEnd = { code: 1012, reason: "" };

type Life =
  | { readonly state: "new" }
  | { readonly state: "listening"; readonly listener: Listener; readonly address: WireAddress }
  | { readonly state: "restarting"; readonly stopped: Promise<void> }
  | { readonly state: "closed"; readonly done: Promise<void> };

/** An address that can be dialled: the one that means "all" can not. */
function dialable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::" || hostname === "[::]") return "[::1]";
  return hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
}

/** A plain answer as FastAPI writes it. */
function refuse(status: number, body: string, type: string): Response {
  return new Response(body, { status, headers: { "content-type": type } });
}

/**
 * The connections of a fake, as maim_message 0.6.8 keeps them: who is let in, and who has which name.
 * Source: ws_connection.py, WebSocketServer.
 */
export class Wire {
  readonly #options: WireOptions;
  readonly #events: WireEvents;
  readonly #lines = new Set<Line>();
  /** Where the messages for a platform go. */
  readonly #routes = new Map<string, Line>();
  /** Called when no socket is left. */
  #emptied = (): void => {};
  #life: Life = { state: "new" };

  constructor(options: WireOptions, events: WireEvents) {
    this.#options = options;
    this.#events = events;
  }

  get platforms(): string[] {
    return [...this.#routes.keys()];
  }

  get isClosed(): boolean {
    return this.#life.state === "closed";
  }

  /** Binds a port; returns the URL to dial. */
  listen(address: WireAddress): string {
    const { state } = this.#life;
    if (state === "new") return `ws://${dialable(address.hostname)}:${this.#bind(address)}${this.#options.path}`;
    throw new MessageConnectionError("closed", `Cannot listen as the FakeMaiBot must be new: it is ${state}`);
  }

  /** Sends a text to a platform; returns whether it is connected. */
  send(platform: string, text: string): boolean {
    return this.#routes.get(platform)?.send(text) ?? false;
  }

  /** Gives a connection that talks its name back. */
  claim(line: Line): void {
    if (line.platform !== NAMELESS && line.isOpen) this.#routes.set(line.platform, line);
  }

  /** Takes a connection's name away. */
  unroute(line: Line): void {
    if (this.#routes.get(line.platform) === line) this.#routes.delete(line.platform);
  }

  /** Ends the open connections of a platform, or all, as if they were replaced. */
  kick(platform: string | undefined): void {
    for (const line of this.#open(platform)) {
      this.#events.note(LINES.replaced(line.platform));
      this.#end(line, REPLACED);
    }
  }

  /** Ends the open connections of a platform, or all. */
  disconnect(end: LineEnd, platform: string | undefined): void {
    for (const line of this.#open(platform)) this.#end(line, end);
  }

  /** Drops the open connections of a platform, or all. */
  cut(platform: string | undefined): void {
    for (const line of this.#open(platform)) {
      this.unroute(line);
      line.cut();
    }
  }

  /** Ends all connections, frees the port, and binds it again once `pause` has resolved. */
  async restart(pause: () => Promise<void>): Promise<void> {
    if (this.#life.state !== "listening") {
      const { state } = this.#life;
      throw new MessageConnectionError("not_open", `Cannot restart as the FakeMaiBot must listen: it is ${state}`);
    }
    const { listener, address } = this.#life;
    // Later, so that what a handler does meanwhile finds it restarting: Bun ends sockets at once.
    const stopped = Promise.resolve().then(() => this.#shutDown(RESTARTED, listener));
    this.#life = { state: "restarting", stopped };
    await stopped;
    await pause();
    // A close meanwhile has the last word.
    if (!this.isClosed) this.#bind(address);
  }

  close(): Promise<void> {
    if (this.#life.state === "closed") return this.#life.done;
    const done = this.#stop(this.#life);
    this.#life = { state: "closed", done };
    return done;
  }

  async #stop(life: Life): Promise<void> {
    await null; // so that a handler that closes once more finds it closed: Bun ends sockets at once
    await (life.state === "restarting" ? life.stopped : null);
    await this.#shutDown(STOPPED, life.state === "listening" ? life.listener : null);
  }

  #bind(address: WireAddress): number {
    const listener = runtime.listen(address, LIMITS, (request, info) => this.#admit(request, info));
    this.#life = { state: "listening", listener, address: { ...address, port: listener.port } };
    return listener.port;
  }

  /** Answers one request as uvicorn with FastAPI does. */
  #admit(request: Request, info: unknown): Response {
    const { headers, url } = request;
    const isUpgrade = headers.get("upgrade")?.toLowerCase() === "websocket";
    if (!isUpgrade) return refuse(404, '{"detail":"Not Found"}', "application/json");
    if (URL.parse(url)?.pathname !== this.#options.path) return refuse(403, "", "text/plain");
    const { tokens } = this.#options;
    const isAuthorized = tokens.size === 0 || tokens.has(headers.get("authorization") ?? "");
    const platform = headers.get("platform") ?? NAMELESS;
    const response = runtime.upgrade(request, info, LIMITS, (socket) => {
      const line = new Line(platform, isAuthorized, socket, this.#lineEvents, MAIBOT_KEEPALIVE);
      this.#lines.add(line);
      return line;
    });
    return response ?? refuse(400, "The WebSocket handshake is not right\n", "text/plain");
  }

  readonly #lineEvents = {
    opened: (line: Line): void => {
      if (this.#life.state !== "listening") return line.end(RESTARTED);
      if (line.isAuthorized) return this.#welcome(line);
      this.#events.note(LINES.refused(line.platform));
      line.end(UNAUTHORIZED);
    },
    frame: (text: string | null, line: Line): void => this.#events.frame(text, line),
    ended: (line: Line, code: number, reason: string): void => {
      this.#lines.delete(line);
      this.unroute(line);
      if (line.isAuthorized) this.#events.closed(line.platform, { code, reason });
      if (!this.#isBusy) this.#emptied();
    },
  };

  /** Gives a newcomer its name, and takes it from whoever has it. */
  #welcome(line: Line): void {
    const { platform } = line;
    if (platform === NAMELESS) {
      this.#events.note(LINES.nameless());
    } else {
      const older = this.#routes.get(platform);
      this.#routes.set(platform, line);
      if (older !== undefined) {
        this.#events.note(LINES.replaced(platform));
        older.end(REPLACED);
      }
      this.#events.note(LINES.connected(platform));
    }
    this.#events.opened(platform);
  }

  /** Whether there are sockets that may still tell of their end. */
  get #isBusy(): boolean {
    return [...this.#lines].some((line) => line.isConnected);
  }

  #open(platform: string | undefined): Line[] {
    return [...this.#lines].filter((line) => line.isOpen && (platform === undefined || line.platform === platform));
  }

  #end(line: Line, end: LineEnd): void {
    this.unroute(line);
    line.end(end);
  }

  async #shutDown(end: LineEnd, listener: Listener | null): Promise<void> {
    for (const line of this.#lines) this.#end(line, end);
    if (this.#isBusy) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = runtime.after(this.#options.closeTimeout, resolve);
      this.#emptied = resolve;
      await promise;
      runtime.cancel(timer);
    }
    await listener?.stop();
  }
}
