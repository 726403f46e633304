import { runtime } from "../../runtime/mod.ts";
import type { Listener } from "../../runtime/types.ts";
import { dialableHost, type ListenAddress } from "../../util/address.ts";
import { CLOSE, type CloseFrame } from "../../util/close_codes.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";
import { MAIBOT_KEEPALIVE } from "./keepalive.ts";
import { LOG, type MaibotLogLine } from "./log.ts";
import { Peer } from "./peer.ts";

/** Events of {@linkcode Peers}. */
export interface PeersEvents {
  /** A peer was let in. */
  opened(platform: string): void;
  /** A frame was received; `text` is null for a binary frame. */
  frame(text: string | null, peer: Peer): void;
  /** The connection of a peer that was let in has ended. */
  closed(platform: string, end: CloseFrame): void;
  /** MaiBot would log a line. */
  log(line: MaibotLogLine): void;
}

/** Options of {@linkcode Peers}. */
export interface PeersOptions {
  readonly path: string;
  /** Tokens of the callers that are let in. If the set is empty, every caller is let in. */
  readonly tokens: ReadonlySet<string>;
  /** Maximum time to wait for peers to close their connections, in milliseconds. */
  readonly closeTimeout: number;
}

/**
 * Limits of a connection: a message may have at most 100 MiB; a ping is sent every 20 s, and its pong must come within
 * 20 s. Source: maim_message 0.6.8 and MaiBot. If the fake cannot send pings, the runtime sends them. Deno 2.9 sends a
 * ping after 20 s of silence, and closes after 40 s with 1001; MaiBot closes with 1011.
 */
const LIMITS = {
  maxBytes: 104_857_600,
  idleTimeout: runtime.canPing ? Infinity : MAIBOT_KEEPALIVE.interval + MAIBOT_KEEPALIVE.timeout,
};

/** Platform of a caller without a `platform` header. It may send messages, but gets no answers. */
const NO_PLATFORM = "unknown";

type Life =
  | { readonly state: "new" }
  | { readonly state: "listening"; readonly listener: Listener; readonly address: ListenAddress }
  | { readonly state: "restarting"; readonly stopped: Promise<void> }
  | { readonly state: "closed"; readonly done: Promise<void> };

/** Returns the response that refuses a request, in the form in which FastAPI sends it. */
function refuse(status: number, body: string, type: string): Response {
  return new Response(body, { status, headers: { "content-type": type } });
}

/**
 * The peers of a fake. This class lets callers in, and sends the messages for a platform to the peer that last
 * connected or sent a message, as maim_message 0.6.8 does. Source: ws_connection.py, WebSocketServer.
 */
export class Peers {
  readonly #options: PeersOptions;
  readonly #events: PeersEvents;
  readonly #all = new Set<Peer>();
  /** For each platform, the peer that gets the messages for this platform. */
  readonly #routes = new Map<string, Peer>();
  /** Called when the sockets of all peers have ended. */
  #onEmpty = (): void => {};
  #life: Life = { state: "new" };

  constructor(options: PeersOptions, events: PeersEvents) {
    this.#options = options;
    this.#events = events;
  }

  get platforms(): string[] {
    return [...this.#routes.keys()];
  }

  get isClosed(): boolean {
    return this.#life.state === "closed";
  }

  /** Listens on an address; returns the URL to dial. */
  listen(address: ListenAddress): string {
    const { state } = this.#life;
    if (state !== "new") {
      throw new MessageConnectionError("closed", `FakeMaiBot is ${state}; create a new one to listen again`);
    }
    return `ws://${dialableHost(address.hostname)}:${this.#bind(address)}${this.#options.path}`;
  }

  /** Sends a text to a platform. Returns false if the platform is not connected. */
  send(platform: string, text: string): boolean {
    return this.#routes.get(platform)?.send(text) ?? false;
  }

  /** Sends the later messages for a platform to this peer. Called when the peer has sent a message. */
  routeTo(peer: Peer): void {
    if (peer.platform !== NO_PLATFORM && peer.isOpen) this.#routes.set(peer.platform, peer);
  }

  /** If the messages for a platform go to this peer, removes the route. */
  unroute(peer: Peer): void {
    if (this.#routes.get(peer.platform) === peer) this.#routes.delete(peer.platform);
  }

  /** Closes the open connections of one platform, or of all platforms, as if each was replaced by a new connection. */
  kick(platform: string | undefined): void {
    for (const peer of this.#open(platform)) {
      this.#events.log(LOG.replaced(peer.platform));
      this.#end(peer, CLOSE.replaced);
    }
  }

  /** Closes the open connections of one platform, or of all platforms, with a close frame. */
  disconnect(frame: CloseFrame, platform: string | undefined): void {
    for (const peer of this.#open(platform)) this.#end(peer, frame);
  }

  /** Ends the open connections of one platform, or of all platforms, without a close frame. */
  cut(platform: string | undefined): void {
    for (const peer of this.#open(platform)) {
      this.unroute(peer);
      peer.cut();
    }
  }

  /** Closes all connections, stops listening, and listens again once `pause` has resolved. */
  async restart(pause: () => Promise<void>): Promise<void> {
    if (this.#life.state !== "listening") {
      throw new MessageConnectionError("not_open", `FakeMaiBot is ${this.#life.state}; call listen() before restart()`);
    }
    const { listener, address } = this.#life;
    // This runs in a microtask, because Bun ends sockets synchronously and then calls handlers at once: these handlers
    // must see the state "restarting".
    const stopped = Promise.resolve().then(() => this.#shutDown(CLOSE.restarting, listener));
    this.#life = { state: "restarting", stopped };
    await stopped;
    await pause();
    // close() may have been called meanwhile.
    if (!this.isClosed) this.#bind(address);
  }

  close(): Promise<void> {
    if (this.#life.state === "closed") return this.#life.done;
    const done = this.#stop(this.#life);
    this.#life = { state: "closed", done };
    return done;
  }

  async #stop(life: Life): Promise<void> {
    // Bun ends sockets synchronously and then calls handlers at once. These handlers must see the state "closed".
    await null;
    await (life.state === "restarting" ? life.stopped : null);
    await this.#shutDown(CLOSE.stopped, life.state === "listening" ? life.listener : null);
  }

  #bind(address: ListenAddress): number {
    const listener = runtime.listen(address, LIMITS, (request, info) => this.#admit(request, info));
    this.#life = { state: "listening", listener, address: { ...address, port: listener.port } };
    return listener.port;
  }

  /** Answers a request as uvicorn with FastAPI does. */
  #admit(request: Request, info: unknown): Response {
    const { headers, url } = request;
    const isUpgrade = headers.get("upgrade")?.toLowerCase() === "websocket";
    if (!isUpgrade) return refuse(404, '{"detail":"Not Found"}', "application/json");
    if (URL.parse(url)?.pathname !== this.#options.path) return refuse(403, "", "text/plain");
    const { tokens } = this.#options;
    const isAuthorized = tokens.size === 0 || tokens.has(headers.get("authorization") ?? "");
    const caller = { platform: headers.get("platform") ?? NO_PLATFORM, isAuthorized };
    const response = runtime.upgrade(request, info, LIMITS, (socket) => {
      const peer = new Peer(caller, socket, this.#peerEvents);
      this.#all.add(peer);
      return peer;
    });
    return response ?? refuse(400, "Invalid WebSocket handshake\n", "text/plain");
  }

  readonly #peerEvents = {
    opened: (peer: Peer): void => {
      if (this.#life.state !== "listening") return peer.end(CLOSE.restarting);
      if (peer.isAuthorized) return this.#letIn(peer);
      this.#events.log(LOG.tokenRefused(peer.platform));
      peer.end(CLOSE.unauthorizedByMaim);
    },
    frame: (text: string | null, peer: Peer): void => this.#events.frame(text, peer),
    ended: (peer: Peer, end: CloseFrame): void => {
      this.#all.delete(peer);
      this.unroute(peer);
      if (peer.isAuthorized) this.#events.closed(peer.platform, end);
      if (!this.#hasSockets) this.#onEmpty();
    },
  };

  /** Sends the later messages for the platform to a new peer, and closes the connection of the previous peer. */
  #letIn(peer: Peer): void {
    const { platform } = peer;
    if (platform === NO_PLATFORM) {
      this.#events.log(LOG.connectedWithoutPlatform());
    } else {
      const previous = this.#routes.get(platform);
      this.#routes.set(platform, peer);
      if (previous !== undefined) {
        this.#events.log(LOG.replaced(platform));
        previous.end(CLOSE.replaced);
      }
      this.#events.log(LOG.connected(platform));
    }
    this.#events.opened(platform);
  }

  get #hasSockets(): boolean {
    return [...this.#all].some((peer) => peer.hasSocket);
  }

  #open(platform: string | undefined): Peer[] {
    return [...this.#all].filter((peer) => {
      return peer.isOpen && (platform === undefined || peer.platform === platform);
    });
  }

  #end(peer: Peer, frame: CloseFrame): void {
    this.unroute(peer);
    peer.end(frame);
  }

  /** Closes all connections, waits at most `closeTimeout` until they have ended, and then stops listening. */
  async #shutDown(frame: CloseFrame, listener: Listener | null): Promise<void> {
    for (const peer of this.#all) this.#end(peer, frame);
    if (this.#hasSockets) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = runtime.after(this.#options.closeTimeout, resolve);
      this.#onEmpty = resolve;
      await promise;
      runtime.cancel(timer);
    }
    await listener?.stop();
  }
}
