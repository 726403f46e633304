import { encodeMessage } from "../codec/encode.ts";
import { MessageDecodeError } from "../codec/errors.ts";
import type { MessageEnvelope } from "../codec/stream/types.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import { bunHandlers } from "../runtime/bun.ts";
import { runtime } from "../runtime/mod.ts";
import type { BunWebSocketHandlers, Listener } from "../runtime/types.ts";
import { isCustom, platformOf } from "../schema/guards.ts";
import { createCustom } from "../schema/build.ts";
import type { CustomMessage, MessageBase, WireMessage } from "../schema/types.ts";
import { UnheardDrops } from "../session/drops.ts";
import { isForwardable, keptText } from "../session/forward_text.ts";
import { refuseReserved } from "../session/reserved_names.ts";
import { Rounds } from "../session/rounds.ts";
import type { Content, Session } from "../session/session.ts";
import type { SentMessage } from "../session/confirmation.ts";
import { checkAddress, dialableHost } from "../util/address.ts";
import { CLOSE } from "../util/close_codes.ts";
import { isClosedError, MessageConnectionError } from "../util/connection_error.ts";
import { oneLine } from "../util/display.ts";
import { Emitter, type HandlerResult, type Heard, type ListenOptions } from "../util/emitter.ts";
import { textResponse } from "./admission.ts";
import { Callers } from "./callers.ts";
import type {
  LimitReached,
  MessageServerEvents,
  Peer,
  ServerDrop,
  ServerListenOptions,
  ServerStats,
} from "./events.ts";
import type { MessageServerOptions } from "./options.ts";
import { ServerPeer } from "./peer.ts";
import { Routes } from "./routes.ts";
import { resolveOptions, type ServerSettings } from "./settings.ts";
import { checkTls } from "./tls.ts";
import { TokenSet } from "./tokens.ts";

type Life =
  | { readonly state: "serving"; readonly listeners: Listener[]; readonly cleanUps: (() => void)[] }
  | { readonly state: "closed"; readonly done: Promise<void> };

/** The public events, and one more event for each name of a custom message. */
type Events = { [Name in keyof MessageServerEvents]: MessageServerEvents[Name] } & {
  [name: `custom:${string}`]: [message: CustomMessage, peer: Peer];
};

const isOpen = (peer: ServerPeer): boolean => peer.isOpen;

/**
 * A server for many adapters: Python adapters that use maim_message 0.6.8, and clients of this library.
 *
 * Messages are routed by platform. The server is reachable once {@linkcode MessageServer.listen} was called or
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
  readonly #callers: Callers<ServerPeer>;
  readonly #routes: Routes;
  readonly #tokens: TokenSet;
  readonly #emitter = new Emitter<Events>((error) => this.#life.state === "closed" && isClosedError(error));
  /** Peers of all sockets that still exist, accepted or not. */
  readonly #sockets = new Set<ServerPeer>();
  /** Peers that were accepted and have not ended. */
  readonly #admitted = new Set<ServerPeer>();
  /** Called when the last socket is gone. */
  #onLastGone = (): void => {};
  readonly #counts = { received: 0, sent: 0, invalid: 0, foreign: 0, dropped: 0, limited: 0 };
  readonly #rounds = new Rounds();
  readonly #unheardDrops = new UnheardDrops(this.#rounds);
  #nextId = 1;
  /** The session whose message is being handled. */
  #handling: Session<ServerPeer, SentMessage> | null = null;
  #life: Life = { state: "serving", listeners: [], cleanUps: [] };

  /**
   * Creates a server. It does not listen yet.
   *
   * @param options The options.
   * @throws {TypeError} If an option has the wrong type; the text names the option.
   * @throws {RangeError} If an option is out of range; the text names the option.
   */
  constructor(options: MessageServerOptions = {}) {
    const settings = resolveOptions(options);
    this.#settings = settings;
    this.#tokens = new TokenSet(settings.tokens);
    this.#callers = new Callers(settings, this.#tokens, {
      isClosed: () => this.#life.state === "closed",
      createPeer: (socket, caller) => {
        const { peer: settings } = this.#settings;
        const peer = new ServerPeer(socket, { id: this.#nextId++, caller, events: this.#peerEvents, settings });
        this.#sockets.add(peer);
        return peer;
      },
      limit: (reached) => this.#reportLimit(reached),
      refused: (refusal) => void this.#emitter.emit("refused", refusal),
      failed: (error) => this.#emitter.fail(error),
    });
    this.#routes = new Routes(settings.duplicates);
  }

  /** Open connections, oldest first. */
  get peers(): readonly Peer[] {
    return [...this.#admitted].filter((peer) => peer.isOpen);
  }

  /**
   * Handlers for the option `websocket` of `Bun.serve`. Use them together with {@linkcode MessageServer.fetch}. Deno
   * does not need them.
   */
  get websocket(): BunWebSocketHandlers {
    return bunHandlers(this.#settings.socket);
  }

  /**
   * Adds a handler. Handlers of one event are called in the order in which they were added. Messages are handled in the
   * order in which they arrived.
   *
   * @param event Name of the event.
   * @param handler Called for each event. If it throws or rejects, there is an `error` event.
   * @param options A signal that removes the handler.
   * @returns A function that removes the handler. It may be called more than once.
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
   * @param handler Called with the whole message, not only its `content`.
   * @param options A signal that removes the handler.
   * @returns A function that removes the handler.
   */
  onCustom(
    name: string,
    handler: (message: CustomMessage, peer: Peer) => HandlerResult,
    options?: ListenOptions,
  ): () => void {
    return this.#emitter.on(`custom:${name}`, handler, options);
  }

  /**
   * Listens on a port. The port is open when this method returns. Call it more than once to listen on several ports.
   *
   * @param options Address, port, TLS, and a signal that closes the server.
   * @returns The URL that adapters connect to.
   * @throws {MessageConnectionError} `closed` If the server is closed.
   * @throws {TypeError} If `hostname` is not an address, or if a member of `tls` is not PEM text.
   * @throws {RangeError} If `port` is out of range.
   * @throws {Error} The error of the runtime, for example with the code `EADDRINUSE` if the port is taken.
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
      throw new MessageConnectionError("closed", "Server is closed; create a new one");
    }
    checkAddress({ hostname, port });
    if (tls !== undefined) checkTls(tls);
    const listener = runtime.listen({ hostname, port, tls }, this.#settings.socket, this.fetch);
    this.#life.listeners.push(listener);
    if (signal !== undefined) this.#closeOnAbort(signal, this.#life.cleanUps);
    const scheme = tls === undefined ? "ws" : "wss";
    return `${scheme}://${dialableHost(hostname)}:${listener.port}${this.#settings.path}`;
  }

  /**
   * Answers one HTTP request: upgrades it to a WebSocket, or refuses it with one line of text. Never rejects.
   *
   * Use this method in your own server: `Deno.serve(server.fetch)`, or
   * `Bun.serve({ fetch: server.fetch, websocket: server.websocket })`.
   *
   * @param request The request.
   * @param info The second argument of the runtime's fetch handler. Bun requires it.
   * @returns The response.
   */
  readonly fetch = async (request: Request, info?: unknown): Promise<Response> => {
    try {
      return await this.#callers.answer(request, info);
    } catch (error) {
      this.#emitter.fail(error);
      return textResponse(500, "The server failed; see its log");
    }
  };

  /**
   * Sends one message to the connections of its platform.
   *
   * @param message The message. Its `message_info.platform` is the target; in a custom message, its `platform` is.
   * @throws {MessageConnectionError} `no_route` If the platform is not connected.
   * @throws {MessageEncodeError} If the message cannot be encoded.
   * @throws {TypeError} If it is a custom message with a name starting with `maim_`.
   */
  send(message: WireMessage): void {
    refuseReserved(message);
    const text = encodeMessage(message);
    this.#route(platformOf(message), message, text);
  }

  /**
   * Forwards a received message byte for byte, without encoding it again. Only a message that would harm a Python peer
   * is encoded again: a message that holds half of a surrogate pair, or a `null`.
   *
   * @param platform The target.
   * @param received The message. Its handler must be running or asynchronous; otherwise the message is encoded again.
   * @throws {MessageConnectionError} `no_route` If the platform is not connected.
   * @throws {MessageEncodeError} `too_deep` If the message nests deeper than 500 levels, which a Python peer cannot
   * read.
   */
  forward(platform: string, received: WireMessage): void {
    refuseReserved(received);
    const text = this.#handling?.textOf(received) ?? keptText(received);
    const isSame = text !== undefined && isForwardable(received, text);
    this.#route(platform, received, isSame ? text : encodeMessage(received));
  }

  /**
   * Sends a custom message to the connections of a platform.
   *
   * @param platform The target.
   * @param name The `message_type_name`, which selects the handler on the other side.
   * @param content Any JSON value.
   * @throws {MessageConnectionError} `no_route` If the platform is not connected.
   * @throws {TypeError} If the name is empty or starts with `maim_`.
   */
  sendCustom(platform: string, name: string, content: unknown): void {
    this.send(createCustom(name, content, platform));
  }

  /**
   * Sends one message to every open connection. It is encoded only once.
   *
   * @param message The message.
   * @returns Number of connections that the message was queued to.
   * @throws {MessageEncodeError} If the message cannot be encoded.
   * @throws {TypeError} If it is a custom message with a name starting with `maim_`.
   */
  broadcast(message: WireMessage): number {
    refuseReserved(message);
    return this.#write([...this.#admitted].filter(isOpen), message, encodeMessage(message));
  }

  /**
   * Accepts one more token. As soon as the first token was added, every caller needs a token.
   *
   * @param token The token.
   * @throws {TypeError} If the token is empty or not a string.
   */
  addToken(token: string): void {
    if (typeof token !== "string" || token === "") {
      throw new TypeError("'token' must be a non-empty string");
    }
    this.#tokens.add(token);
  }

  /**
   * Stops accepting a token. Connections that were opened with this token stay open. When no token is left, every new
   * caller is refused.
   *
   * @param token The token.
   */
  removeToken(token: string): void {
    this.#tokens.remove(token);
  }

  /**
   * Returns the counters and gauges of this server.
   *
   * @returns Their values at this moment.
   */
  stats(): ServerStats {
    let queuedBytes = 0;
    for (const peer of this.#sockets) queuedBytes += peer.bufferedAmount;
    const { counts, places: { turnedOut } } = this.#callers;
    return {
      peers: this.peers.length,
      connections: this.#sockets.size,
      turnedOut,
      queuedBytes,
      transferBytes: this.#settings.transfers.held,
      ...this.#counts,
      ...counts,
    };
  }

  /**
   * Closes every connection with 1000 `服务器关闭`, then closes the ports. Takes at most about `closeTimeout`. May be
   * called more than once.
   *
   * @returns Resolves when the ports are closed: after all connections have ended, or after `closeTimeout`.
   */
  close(): Promise<void> {
    if (this.#life.state === "closed") return this.#life.done;
    const { listeners, cleanUps } = this.#life;
    for (const cleanUp of cleanUps) cleanUp();
    // This runs in a microtask, because Bun ends sockets synchronously. A `close` handler may call close() again, and
    // `#life` must already be "closed" then.
    const done = Promise.resolve().then(() => this.#shutDown(listeners));
    this.#life = { state: "closed", done };
    return done;
  }

  /** Calls {@linkcode MessageServer.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #closeOnAbort(signal: AbortSignal, cleanUps: (() => void)[]): void {
    const close = (): undefined => void this.close(); // never rejects
    if (signal.aborted) return close();
    signal.addEventListener("abort", close, { once: true });
    cleanUps.push(() => signal.removeEventListener("abort", close));
  }

  async #shutDown(listeners: readonly Listener[]): Promise<void> {
    for (const peer of this.#sockets) peer.shutDown(CLOSE.stopped);
    if (this.#sockets.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = runtime.after(this.#settings.closeTimeout, resolve);
      this.#onLastGone = resolve;
      await promise;
      runtime.cancel(timer);
    }
    await Promise.all(listeners.map((listener) => listener.stop()));
    for (const peer of this.#sockets) peer.reportUnconfirmed(); // sockets that the runtime cannot end
    this.#unheardDrops.printNow();
  }

  #reportLimit(reached: LimitReached): void {
    this.#counts.limited++;
    this.#emitter.emit("limit", reached);
  }

  readonly #peerEvents = {
    rounds: this.#rounds,
    admit: (peer: ServerPeer): boolean => {
      if (this.#life.state === "closed") {
        peer.closeReadingInput(CLOSE.stopped);
        return false;
      }
      if (!this.#routes.add(peer)) {
        const { code } = CLOSE.alreadyConnected;
        this.#callers.report({ address: peer.address, platform: peer.platform, cause: "duplicate", code });
        peer.closeIgnoringInput(CLOSE.alreadyConnected);
        return false;
      }
      this.#admitted.add(peer);
      return true;
    },
    open: (peer: ServerPeer): void => void this.#emitter.emit("open", peer),
    received: (received: Content, peer: ServerPeer): void => this.#received(received, peer),
    collected: (received: Content, peer: ServerPeer): void => this.#received(received, peer),
    wantsStreams: (): boolean => this.#emitter.has("stream"),
    streamed: (envelope: MessageEnvelope, segments: SegmentReader, peer: ServerPeer): void => {
      this.#counts.received++;
      if (envelope.message_info.platform !== peer.platform) this.#counts.foreign++;
      if (this.#emitter.emit("stream", envelope, segments, peer) === "unheard") void segments.return(); // never rejects
    },
    refused: ({ message }: SentMessage, { code }: MessageConnectionError, peer: ServerPeer): void =>
      this.#drop({ message, reason: code === "too_large" ? code : code === "refused" ? "unconfirmed" : "slow" }, peer),
    unconfirmed: (peer: ServerPeer, messages: readonly SentMessage[]): void => {
      for (const { message } of messages) this.#drop({ message, reason: "unconfirmed" }, peer);
    },
    silent: (peer: ServerPeer): void => {
      this.#callers.places.turnOut(peer);
      this.#routes.remove(peer);
    },
    sent: (): void => void this.#counts.sent++,
    turnedOut: (peer: ServerPeer): void => this.#callers.places.turnOut(peer),
    slow: (peer: ServerPeer): void => {
      this.#callers.places.turnOut(peer);
      this.#routes.remove(peer);
      this.#reportLimit({ limit: "queuedBytes", address: peer.address, platform: peer.platform });
    },
    notQueued: (peer: ServerPeer, message: WireMessage): void => this.#drop({ message, reason: "slow" }, peer),
    rateExceeded: (peer: ServerPeer): void => {
      this.#reportLimit({ limit: "messagesPerSecond", address: peer.address, platform: peer.platform });
    },
    transfersFull: (peer: ServerPeer): void => {
      this.#reportLimit({ limit: "transferBytes", address: peer.address, platform: peer.platform });
    },
    close: (peer: ServerPeer, code: number, reason: string): void => {
      this.#routes.remove(peer);
      this.#admitted.delete(peer);
      this.#emitter.emit("close", peer, { code, reason });
    },
    gone: (peer: ServerPeer): void => {
      this.#sockets.delete(peer);
      this.#callers.places.remove(peer);
      if (this.#sockets.size === 0) this.#onLastGone();
    },
  };

  /** Handles a message or a fault that came in a frame or in the chunks of a transfer. */
  #received(received: Content, peer: ServerPeer): void {
    if (received instanceof MessageDecodeError) {
      this.#counts.invalid++;
      this.#emitter.emit("invalid", received, peer);
      return peer.closeAfterFault(received);
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
    if (this.#emitter.emit("drop", drop, peer) === "unheard") this.#unheardDrops.add(drop);
  }

  #route(platform: string, message: WireMessage, text: string): void {
    const peers = this.#routes.of(platform).filter(isOpen); // a copy: peers that do not read are removed from #routes
    if (peers.length > 0) return void this.#write(peers, message, text);
    const connected = this.#routes.platforms.slice(0, 10).map((name) => `"${oneLine(name)}"`).join(", ") || "none";
    throw new MessageConnectionError(
      "no_route",
      `Platform "${oneLine(platform)}" is not connected; connected platforms: ${connected}`,
    );
  }

  #write(peers: Iterable<ServerPeer>, message: WireMessage, text: string): number {
    let count = 0;
    let slow: ServerPeer[] | null = null;
    for (const peer of peers) {
      if (peer.write(message, text)) count++;
      else (slow ??= []).push(peer);
    }
    this.#counts.sent += count;
    // Not earlier: a handler of `drop` may send other messages, which must not overtake this one.
    for (const peer of slow ?? []) peer.giveUp(message);
    return count;
  }
}
