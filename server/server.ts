import { encodeMessage } from "../codec/encode.ts";
import { MessageDecodeError } from "../codec/errors.ts";
import type { MessageEnvelope } from "../codec/stream/message_text.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import { bunHandlers } from "../runtime/bun.ts";
import { runtime } from "../runtime/mod.ts";
import type { BunWebSocketHandlers, Listener } from "../runtime/types.ts";
import { isCustom, platformOf } from "../schema/guards.ts";
import { createCustom } from "../schema/build.ts";
import type { CustomMessage, MessageBase, WireMessage } from "../schema/types.ts";
import { describeDrop } from "../session/drops.ts";
import { isForwardable, keptText } from "../session/forward_text.ts";
import { refuseReserved } from "../session/hello.ts";
import type { Received, Session } from "../session/session.ts";
import { checkAddress, dialableHost } from "../util/address.ts";
import { CLOSE } from "../util/close_codes.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { Emitter, type HandlerResult, type Heard, type ListenOptions, unheard } from "../util/emitter.ts";
import { type Gate, plain, readCaller, refuseRequest } from "./admission.ts";
import type { LimitReached, MessageServerEvents, ServerDrop, ServerListenOptions, ServerStats } from "./events.ts";
import { Offences, Tally } from "./limits.ts";
import type { MessageServerOptions } from "./options.ts";
import { type Peer, ServerPeer } from "./peer.ts";
import { Registry } from "./routes.ts";
import { resolveOptions, type ServerSettings } from "./settings.ts";
import { TokenSet } from "./tokens.ts";

type Life =
  | { readonly state: "serving"; readonly listeners: Listener[]; readonly release: (() => void)[] }
  | { readonly state: "closed"; readonly done: Promise<void> };

/** The documented events, and one more for each custom name. */
type Events = { [Name in keyof MessageServerEvents]: MessageServerEvents[Name] } & {
  [name: `custom:${string}`]: [message: CustomMessage, peer: Peer];
};

const isOpen = (peer: ServerPeer): boolean => peer.isOpen;

/**
 * Talks to many adapters at once: Python ones of maim_message 0.6.8 and clients of this library alike.
 *
 * Messages are routed by platform. Nothing listens until {@linkcode MessageServer.listen} is called or
 * {@linkcode MessageServer.fetch} is mounted.
 *
 * @example Send to a platform
 * ```ts
 * import { createMessage, MessageConnectionError, MessageServer, seg } from "@maim/message";
 *
 * await using server = new MessageServer({ tokens: ["secret"] });
 * server.listen({ port: 0 });
 * try {
 *   server.send(createMessage({ platform: "qq", user: "10001" }, seg.text("hello")));
 * } catch (error) {
 *   if (error instanceof MessageConnectionError) console.log(error.code); // no_route: nobody is connected as qq
 * }
 * ```
 */
export class MessageServer {
  readonly #settings: ServerSettings;
  readonly #gate: Gate;
  readonly #wrongTokens: Offences;
  readonly #registry: Registry;
  readonly #tokens: TokenSet;
  readonly #emitter = new Emitter<Events>();
  /** Every socket that is not gone yet, let in or not. */
  readonly #sockets = new Set<ServerPeer>();
  readonly #admitted = new Set<ServerPeer>();
  /** Called when no socket is left. */
  #emptied = (): void => {};
  readonly #counts = { received: 0, sent: 0, invalid: 0, foreign: 0, unauthorized: 0, dropped: 0, limited: 0 };
  readonly #addresses = new Tally();
  #nextId = 1;
  /** The session whose message is being handled now. */
  #handling: Session<ServerPeer> | null = null;
  #life: Life = { state: "serving", listeners: [], release: [] };

  /**
   * Creates a server; nothing listens yet.
   *
   * @param options Path, tokens, and how to treat callers and frames.
   * @throws {TypeError} If an option is of the wrong kind; the text names it.
   * @throws {RangeError} If an option is out of range; the text names it.
   */
  constructor(options: MessageServerOptions = {}) {
    const settings = resolveOptions(options);
    this.#settings = settings;
    this.#tokens = new TokenSet(settings.tokens);
    this.#gate = { ...settings, tokens: this.#tokens };
    this.#wrongTokens = new Offences(settings.limits.wrongTokens);
    this.#registry = new Registry(settings.duplicates);
  }

  /** Connections that messages can be sent to now, oldest first. */
  get peers(): readonly Peer[] {
    return [...this.#admitted].filter((peer) => peer.isOpen);
  }

  /** What `Bun.serve` wants as `websocket` beside {@linkcode MessageServer.fetch}; Deno needs no such thing. */
  get websocket(): BunWebSocketHandlers {
    return bunHandlers(this.#settings.socket);
  }

  /**
   * Adds a handler. Handlers of one event run in the order they were added, messages in wire order.
   *
   * @param event Name of the event.
   * @param handler Called with what the event tells; a throw or rejection becomes an `error` event.
   * @param options A signal that removes it.
   * @returns Removes the handler; calling it twice is harmless.
   */
  on<Name extends keyof MessageServerEvents>(
    event: Name,
    handler: (...args: MessageServerEvents[Name]) => HandlerResult,
    options?: ListenOptions,
  ): () => void {
    return this.#emitter.on(event, handler as (...args: Events[Name]) => HandlerResult, options);
  }

  /**
   * Adds a handler for custom messages of one name.
   *
   * @param name The `message_type_name`.
   * @param handler Called with the whole envelope.
   * @param options A signal that removes it.
   * @returns Removes the handler.
   */
  onCustom(
    name: string,
    handler: (message: CustomMessage, peer: Peer) => HandlerResult,
    options?: ListenOptions,
  ): () => void {
    return this.#emitter.on(`custom:${name}`, handler, options);
  }

  /**
   * Binds a port, at once.
   *
   * @param options Address, port, TLS, and a signal that closes the server.
   * @returns The URL an adapter dials.
   * @throws {Error} What the runtime throws, as `EADDRINUSE` for a taken port.
   *
   * @example A free port
   * ```ts
   * import { MessageServer } from "@maim/message/server";
   *
   * await using server = new MessageServer();
   * console.log(server.listen({ port: 0 }).startsWith("ws://127.0.0.1:")); // true
   * ```
   */
  listen({ hostname = "127.0.0.1", port = 18000, tls, signal }: ServerListenOptions = {}): string {
    if (this.#life.state === "closed") {
      throw new MessageConnectionError("closed", "Cannot listen as the server must not be closed: create a new one");
    }
    checkAddress({ hostname, port });
    const listener = runtime.listen({ hostname, port, tls }, this.#settings.socket, this.fetch);
    this.#life.listeners.push(listener);
    if (signal !== undefined) this.#closeOn(signal, this.#life.release);
    const scheme = tls === undefined ? "ws" : "wss";
    return `${scheme}://${dialableHost(hostname)}:${listener.port}${this.#gate.path}`;
  }

  /**
   * Answers one HTTP request: upgrades it to a connection, or refuses it in one readable line.
   *
   * Mount it in a server of your own: `Deno.serve(server.fetch)`, or
   * `Bun.serve({ fetch: server.fetch, websocket: server.websocket })`. Never throws.
   *
   * @param request The request.
   * @param info The second argument of the runtime's fetch handler. Bun needs it.
   * @returns The response.
   */
  readonly fetch = async (request: Request, info?: unknown): Promise<Response> => {
    try {
      return await this.#admit(request, info);
    } catch (error) {
      this.#emitter.fail(error);
      return plain(500, "The server failed; see its log");
    }
  };

  /**
   * Sends one message to the connections of its platform.
   *
   * @param message The message; `message_info.platform` is the target, a custom message's `platform` likewise.
   * @throws {MessageConnectionError} `no_route` If nobody is connected under that platform.
   * @throws {MessageEncodeError} If the message can not be written.
   * @throws {TypeError} If it is a custom message with a name starting with `maim_`.
   */
  send(message: WireMessage): void {
    refuseReserved(message);
    const text = encodeMessage(message);
    this.#route(platformOf(message), text, message);
  }

  /**
   * Passes a received message on as it came, byte for byte, without encoding it again: all but those few that would
   * hurt a Python peer, with half a surrogate pair, a null, or more than 500 levels of nesting.
   *
   * @param platform The target.
   * @param received A message whose handler is at work, and for an async one afterwards too; any other is encoded.
   * @throws {MessageConnectionError} `no_route` If nobody is connected under that platform.
   * @throws {MessageEncodeError} `too_deep` If it nests deeper than a Python reader survives.
   */
  forward(platform: string, received: WireMessage): void {
    refuseReserved(received);
    const text = this.#handling?.textOf(received) ?? keptText(received);
    const isSame = text !== undefined && isForwardable(received, text);
    this.#route(platform, isSame ? text : encodeMessage(received), received);
  }

  /**
   * Sends a custom message to the connections of a platform.
   *
   * @param platform The target.
   * @param name The `message_type_name` that picks the handler there.
   * @param content Any JSON.
   * @throws {MessageConnectionError} `no_route` If nobody is connected under that platform.
   * @throws {TypeError} If the name is empty or starts with `maim_`.
   */
  sendCustom(platform: string, name: string, content: unknown): void {
    this.send(createCustom(name, content, platform));
  }

  /**
   * Sends one message to every connection; it is encoded once.
   *
   * @param message The message.
   * @returns How many connections it was sent to.
   * @throws {MessageEncodeError} If the message can not be written.
   */
  broadcast(message: WireMessage): number {
    refuseReserved(message);
    return this.#write(this.#admitted, encodeMessage(message), message);
  }

  /**
   * Lets a token in from now on; the first one turns the check on.
   *
   * @param token The token.
   * @throws {TypeError} If it is empty or no string.
   */
  addToken(token: string): void {
    if (typeof token !== "string" || token === "") {
      throw new TypeError("Cannot add token as 'token' must be a non-empty string");
    }
    this.#tokens.add(token);
  }

  /**
   * Lets a token in no more. Connections it opened stay; without any token left nobody gets in.
   *
   * @param token The token.
   */
  removeToken(token: string): void {
    this.#tokens.remove(token);
  }

  /**
   * Counts what has happened so far.
   *
   * @returns A snapshot.
   */
  stats(): ServerStats {
    let queuedBytes = 0;
    for (const peer of this.#sockets) queuedBytes += peer.bufferedAmount;
    return { peers: this.#admitted.size, connections: this.#sockets.size, queuedBytes, ...this.#counts };
  }

  /**
   * Closes every connection with 1000 `服务器关闭`, then the ports. Bounded by `closeTimeout`; calling it twice is
   * harmless.
   *
   * @returns Resolves when everything is closed, or given up on.
   */
  close(): Promise<void> {
    if (this.#life.state === "closed") return this.#life.done;
    const { listeners, release } = this.#life;
    for (const remove of release) remove();
    // Later, so that a handler of `close` that calls this finds the server closed: Bun ends sockets at once.
    const done = Promise.resolve().then(() => this.#shutDown(listeners));
    this.#life = { state: "closed", done };
    return done;
  }

  /** Calls {@linkcode MessageServer.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #closeOn(signal: AbortSignal, release: (() => void)[]): void {
    const close = () => void this.close(); // never rejects
    if (signal.aborted) return close();
    signal.addEventListener("abort", close, { once: true });
    release.push(() => signal.removeEventListener("abort", close));
  }

  async #shutDown(listeners: readonly Listener[]): Promise<void> {
    for (const peer of this.#sockets) peer.retire(CLOSE.stopped);
    if (this.#sockets.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = runtime.after(this.#settings.closeTimeout, resolve);
      this.#emptied = resolve;
      await promise;
      runtime.cancel(timer);
    }
    await Promise.all(listeners.map((listener) => listener.stop()));
  }

  async #admit(request: Request, info: unknown): Promise<Response> {
    const url = URL.parse(request.url);
    if (url === null) return plain(400, "The Host header is not right");
    const refusal = refuseRequest(request, url, this.#gate);
    if (refusal !== null) return refusal;
    const address = runtime.address(request, info);
    if (this.#wrongTokens.isBlocked(address)) return plain(429, "Too many wrong tokens; wait before you try again");
    const caller = await readCaller(request, url, address, this.#gate);
    if (caller instanceof Response) return caller;
    const limited = this.#refuseMore(address);
    if (limited !== null) return limited;
    if (!caller.isAuthorized) {
      this.#counts.unauthorized++;
      if (this.#wrongTokens.add(address)) this.#reached({ limit: "wrongTokens", address });
      if (this.#settings.refuse === "http") return plain(401, "Invalid or missing token");
    }
    return runtime.upgrade(request, info, this.#settings.socket, (socket) => {
      const peer = new ServerPeer(this.#nextId++, caller, socket, this.#peerEvents, this.#settings.peer);
      this.#sockets.add(peer);
      this.#addresses.add(address);
      return peer;
    }) ?? plain(426, "Connect with a WebSocket client");
  }

  /** Refuses a caller for which there is no room. */
  #refuseMore(address: string): Response | null {
    if (this.#life.state === "closed") return plain(503, "The server is closing");
    const limit = this.#sockets.size >= this.#settings.limits.connections
      ? "connections"
      : this.#addresses.of(address) >= this.#settings.limits.connectionsPerAddress
      ? "connectionsPerAddress"
      : null;
    if (limit === null) return null;
    this.#reached({ limit, address });
    return plain(503, "Too many connections; try again later", { "retry-after": "10" });
  }

  #reached(reached: LimitReached): void {
    this.#counts.limited++;
    this.#emitter.emit("limit", reached);
  }

  readonly #peerEvents = {
    admit: (peer: ServerPeer): boolean => {
      if (this.#life.state === "closed") {
        peer.retire(CLOSE.stopped);
        return false;
      }
      if (!this.#registry.add(peer)) {
        peer.turnOut(CLOSE.alreadyConnected);
        return false;
      }
      this.#admitted.add(peer);
      return true;
    },
    open: (peer: ServerPeer): void => void this.#emitter.emit("open", peer),
    received: (received: Exclude<Received, null>, peer: ServerPeer): void => this.#received(received, peer),
    collected: (received: Exclude<Received, null>, peer: ServerPeer): void => this.#received(received, peer),
    wantsStreams: (): boolean => this.#emitter.has("stream"),
    streamed: (envelope: MessageEnvelope, segments: SegmentReader, peer: ServerPeer): void => {
      this.#counts.received++;
      if (envelope.message_info.platform !== peer.platform) this.#counts.foreign++;
      if (this.#emitter.emit("stream", envelope, segments, peer) === "unheard") void segments.return(); // never rejects
    },
    refused: (message: WireMessage, { code }: MessageConnectionError, peer: ServerPeer): void =>
      this.#drop({ message, reason: code === "too_large" ? code : "slow" }, peer),
    sent: (): void => void this.#counts.sent++,
    slow: (peer: ServerPeer, message: WireMessage | null): void => {
      this.#registry.remove(peer);
      this.#reached({ limit: "queuedBytes", address: peer.address, platform: peer.platform });
      if (message === null) return;
      this.#drop({ message, reason: "slow" }, peer);
    },
    flood: (peer: ServerPeer): void => {
      this.#reached({ limit: "messagesPerSecond", address: peer.address, platform: peer.platform });
    },
    close: (peer: ServerPeer, code: number, reason: string): void => {
      this.#registry.remove(peer);
      this.#admitted.delete(peer);
      this.#emitter.emit("close", peer, { code, reason });
    },
    gone: (peer: ServerPeer): void => {
      this.#sockets.delete(peer);
      this.#addresses.remove(peer.address);
      if (this.#sockets.size === 0) this.#emptied();
    },
  };

  /** A message, or a fault, has come in one frame or in chunks. */
  #received(received: Exclude<Received, null>, peer: ServerPeer): void {
    if (received instanceof MessageDecodeError) {
      this.#counts.invalid++;
      this.#emitter.emit("invalid", received, peer);
      return peer.faulty(received);
    }
    const { session } = peer;
    const outer = this.#handling;
    this.#handling = session;
    this.#counts.received++;
    session.handled(isCustom(received) ? this.#emitCustom(received, peer) : this.#emitMessage(received, peer));
    this.#handling = outer;
  }

  #emitMessage(message: MessageBase, peer: ServerPeer): Heard {
    if (message.message_info.platform !== peer.platform) this.#counts.foreign++;
    return this.#emitter.emit("message", message, peer);
  }

  #emitCustom(message: CustomMessage, peer: ServerPeer): Heard {
    const heard = this.#emitter.emit("custom", message, peer);
    const byName = this.#emitter.emit(`custom:${message.message_type_name}`, message, peer);
    return heard === "pending" ? heard : byName;
  }

  #drop(drop: ServerDrop, peer: ServerPeer): void {
    this.#counts.dropped++;
    if (this.#emitter.emit("drop", drop, peer) === "unheard") unheard("drop", describeDrop(drop));
  }

  #route(platform: string, text: string, message: WireMessage): void {
    const peers = this.#registry.of(platform).filter(isOpen); // a copy, as one that is given up leaves the list
    if (peers.length > 0) return void this.#write(peers, text, message);
    const connected = this.#registry.platforms.slice(0, 10).map((name) => `"${name}"`).join(", ") || "nobody";
    throw new MessageConnectionError(
      "no_route",
      `Cannot send message as platform "${platform}" must be connected: connected is ${connected}`,
    );
  }

  #write(peers: Iterable<ServerPeer>, text: string, message: WireMessage): number {
    let count = 0;
    for (const peer of peers) if (peer.write(text, message)) count++;
    this.#counts.sent += count;
    return count;
  }
}
