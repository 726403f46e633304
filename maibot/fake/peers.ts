import { runtime } from "../../runtime/mod.ts";
import type { Listener } from "../../runtime/types.ts";
import { dialableHost, type ListenAddress } from "../../util/address.ts";
import { CLOSE, type CloseFrame } from "../../util/close_codes.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";
import { Connection } from "./peer.ts";
import { MAIBOT_KEEPALIVE } from "./keepalive.ts";
import { LINES, type MaibotLogLine } from "./log.ts";

/** What the connections tell the fake. */
export interface ConnectionsEvents {
  /** A connection was let in. */
  opened(platform: string): void;
  /** One frame; `null` for a binary one. */
  frame(text: string | null, connection: Connection): void;
  /** A connection that was let in has ended. */
  closed(platform: string, end: CloseFrame): void;
  /** MaiBot logs something. */
  log(line: MaibotLogLine): void;
}

/** Who is let in, and how long a close may take. */
export interface ConnectionsOptions {
  readonly path: string;
  readonly tokens: ReadonlySet<string>;
  /** Milliseconds. */
  readonly closeTimeout: number;
}

/**
 * Source: maim_message 0.6.8 and MaiBot: 100 MiB, a ping every 20 s and 20 s for its pong. Where the fake cannot send
 * pings the runtime does: Deno 2.9 after half of this time, and closes with 1001 instead of 1011.
 */
const LIMITS = {
  maxBytes: 104_857_600,
  idleTimeout: runtime.canPing ? Infinity : MAIBOT_KEEPALIVE.interval + MAIBOT_KEEPALIVE.timeout,
};

/** Name of a caller without a `platform` header. It may send and gets no answer. */
const NAMELESS = "unknown";

type Life =
  | { readonly state: "new" }
  | { readonly state: "listening"; readonly listener: Listener; readonly address: ListenAddress }
  | { readonly state: "restarting"; readonly stopped: Promise<void> }
  | { readonly state: "closed"; readonly done: Promise<void> };

/** A plain answer as FastAPI writes it. */
function refuse(status: number, body: string, type: string): Response {
  return new Response(body, { status, headers: { "content-type": type } });
}

/**
 * The connections of a fake, as maim_message 0.6.8 keeps them: who is let in, and which one a platform's messages go to.
 * Source: ws_connection.py, WebSocketServer.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #events: ConnectionsEvents;
  readonly #all = new Set<Connection>();
  /** The connection that the messages of a platform go to. */
  readonly #routes = new Map<string, Connection>();
  /** Called when no socket is left. */
  #emptied = (): void => {};
  #life: Life = { state: "new" };

  constructor(options: ConnectionsOptions, events: ConnectionsEvents) {
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
  listen(address: ListenAddress): string {
    const { state } = this.#life;
    if (state !== "new") {
      throw new MessageConnectionError("closed", `FakeMaiBot is ${state}; create a new one to listen again`);
    }
    return `ws://${dialableHost(address.hostname)}:${this.#bind(address)}${this.#options.path}`;
  }

  /** Sends a text to a platform; returns whether it is connected. */
  send(platform: string, text: string): boolean {
    return this.#routes.get(platform)?.send(text) ?? false;
  }

  /** Routes a platform to a connection that has sent something. */
  claim(connection: Connection): void {
    if (connection.platform !== NAMELESS && connection.isOpen) this.#routes.set(connection.platform, connection);
  }

  /** Routes nothing to a connection any more. */
  unroute(connection: Connection): void {
    if (this.#routes.get(connection.platform) === connection) this.#routes.delete(connection.platform);
  }

  /** Ends the open connections of a platform, or all, as if they were replaced. */
  kick(platform: string | undefined): void {
    for (const connection of this.#open(platform)) {
      this.#events.log(LINES.replaced(connection.platform));
      this.#end(connection, CLOSE.replaced);
    }
  }

  /** Ends the open connections of a platform, or all. */
  disconnect(frame: CloseFrame, platform: string | undefined): void {
    for (const connection of this.#open(platform)) this.#end(connection, frame);
  }

  /** Drops the open connections of a platform, or all. */
  cut(platform: string | undefined): void {
    for (const connection of this.#open(platform)) {
      this.unroute(connection);
      connection.cut();
    }
  }

  /** Ends all connections, frees the port, and binds it again once `pause` has resolved. */
  async restart(pause: () => Promise<void>): Promise<void> {
    if (this.#life.state !== "listening") {
      throw new MessageConnectionError("not_open", `FakeMaiBot is ${this.#life.state}; call listen() before restart()`);
    }
    const { listener, address } = this.#life;
    // Later, so that a handler called meanwhile finds it restarting: Bun ends sockets at once.
    const stopped = Promise.resolve().then(() => this.#shutDown(CLOSE.restarting, listener));
    this.#life = { state: "restarting", stopped };
    await stopped;
    await pause();
    // It may have been closed meanwhile.
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
    await this.#shutDown(CLOSE.stopped, life.state === "listening" ? life.listener : null);
  }

  #bind(address: ListenAddress): number {
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
    const caller = { platform: headers.get("platform") ?? NAMELESS, isAuthorized };
    const response = runtime.upgrade(request, info, LIMITS, (socket) => {
      const connection = new Connection(caller, socket, this.#connectionEvents, MAIBOT_KEEPALIVE);
      this.#all.add(connection);
      return connection;
    });
    return response ?? refuse(400, "The WebSocket handshake is not right\n", "text/plain");
  }

  readonly #connectionEvents = {
    opened: (connection: Connection): void => {
      if (this.#life.state !== "listening") return connection.end(CLOSE.restarting);
      if (connection.isAuthorized) return this.#welcome(connection);
      this.#events.log(LINES.refused(connection.platform));
      connection.end(CLOSE.unauthorizedByMaim);
    },
    frame: (text: string | null, connection: Connection): void => this.#events.frame(text, connection),
    ended: (connection: Connection, end: CloseFrame): void => {
      this.#all.delete(connection);
      this.unroute(connection);
      if (connection.isAuthorized) this.#events.closed(connection.platform, end);
      if (!this.#isBusy) this.#emptied();
    },
  };

  /** Routes a platform to its newest connection, and ends the one before. */
  #welcome(connection: Connection): void {
    const { platform } = connection;
    if (platform === NAMELESS) {
      this.#events.log(LINES.nameless());
    } else {
      const older = this.#routes.get(platform);
      this.#routes.set(platform, connection);
      if (older !== undefined) {
        this.#events.log(LINES.replaced(platform));
        older.end(CLOSE.replaced);
      }
      this.#events.log(LINES.connected(platform));
    }
    this.#events.opened(platform);
  }

  /** Whether there are sockets that may still tell of their end. */
  get #isBusy(): boolean {
    return [...this.#all].some((connection) => connection.isConnected);
  }

  #open(platform: string | undefined): Connection[] {
    return [...this.#all].filter((connection) => {
      return connection.isOpen && (platform === undefined || connection.platform === platform);
    });
  }

  #end(connection: Connection, frame: CloseFrame): void {
    this.unroute(connection);
    connection.end(frame);
  }

  async #shutDown(frame: CloseFrame, listener: Listener | null): Promise<void> {
    for (const connection of this.#all) this.#end(connection, frame);
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
