/**
 * One adapter's connection to a maim_message server, kept open: `MessageClient`.
 *
 * ```ts
 * import { createMessage, MessageClient, MessageServer, plainText, seg } from "@maim/message";
 *
 * await using server = new MessageServer();
 * server.on("message", (message, peer) => peer.send(message));
 *
 * await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
 * const answer = new Promise<string>((resolve) => client.on("message", (message) => resolve(plainText(message))));
 * await client.connect();
 * client.send(createMessage({ platform: "qq", user: "10001" }, seg.text("hello")));
 * console.log(await answer); // hello
 * ```
 *
 * @module
 */

import { encodeMessage } from "./codec.ts";
import type { DecodeOptions, MessageDecodeError } from "./codec.ts";
import { Backoff } from "./internal/backoff.ts";
import {
  checkOptions,
  checkToken,
  checkUrl,
  type ClientTls,
  type MessageClientOptions,
  type ReconnectOptions,
} from "./internal/client_options.ts";
import { judge, socketIoVerdict, type Verdict } from "./internal/ending.ts";
import { Emitter, type HandlerResult, type ListenOptions, unheard } from "./internal/emitter.ts";
import { MessageConnectionError } from "./internal/errors.ts";
import { Heartbeat, type HeartbeatOptions } from "./internal/heartbeat.ts";
import { FEATURES, HELLO_HEADER, helloFeatures, helloHeader, refuseReserved } from "./internal/hello.ts";
import { type InboundHandlers, receive } from "./internal/inbound.ts";
import { Link, type LinkEnd } from "./internal/link.ts";
import { describeDrop, type Drop, type DropReason, Outbox, type OutboxOptions } from "./internal/outbox.ts";
import { probeUrl, speaksSocketIo } from "./internal/probe.ts";
import { runtime } from "./internal/runtime.ts";
import { after, type Timer } from "./internal/timer.ts";
import {
  createCustom,
  createMessage,
  type CustomMessage,
  type GroupInput,
  type MessageBase,
  seg,
  type UserInput,
  type WireMessage,
} from "./schema.ts";

export { MessageConnectionError } from "./internal/errors.ts";
export type { MessageConnectionErrorCode, MessageConnectionErrorOptions } from "./internal/errors.ts";
export type {
  ClientTls,
  Drop,
  DropReason,
  HandlerResult,
  HeartbeatOptions,
  ListenOptions,
  MessageClientOptions,
  OutboxOptions,
  ReconnectOptions,
};

/** Options of {@linkcode MessageClient.connect}. */
export interface ConnectOptions {
  /** Ends the wait, not the connection: aborted later it does nothing. */
  signal?: AbortSignal;
  /**
   * Whether a failed dial is followed by others under the reconnect policy, unless it is fatal.
   *
   * @default {false}
   */
  retry?: boolean;
}

/** Where a client stands. */
export type ClientStatus =
  | {
    /** Not connected, nothing under way. */
    readonly state: "idle";
    /** Why the last attempt failed. */
    readonly reason?: MessageConnectionError;
  }
  | {
    /** Dialling, or upgraded and not yet known to be welcome. */
    readonly state: "connecting";
    /** 0 for the dial of `connect()`, then the number of the new dial; starts from 1 after a stable connection. */
    readonly attempt: number;
  }
  | {
    /** Usable. */
    readonly state: "open";
    /** Milliseconds since the connection before this one was lost; absent for the first. */
    readonly gap?: number;
  }
  | {
    /** Waiting to dial again. */
    readonly state: "waiting";
    /** Number of the new dial to come. */
    readonly attempt: number;
    /** Milliseconds until then. */
    readonly delay: number;
    /** What ended the last connection or dial. */
    readonly reason: MessageConnectionError;
  }
  | {
    /** Saying goodbye. */
    readonly state: "closing";
  }
  | {
    /** Down for good. */
    readonly state: "closed";
    /** What made it so; absent after `close()`. */
    readonly reason?: MessageConnectionError;
  };

/** Events of {@linkcode MessageClient} and what their handlers get. */
export interface MessageClientEvents {
  /** An ordinary message. */
  message: [message: MessageBase];
  /** A custom message, whatever its name. */
  custom: [message: CustomMessage];
  /** The state has changed. */
  status: [status: ClientStatus];
  /** A frame was not a message; nothing else happened. */
  invalid: [error: MessageDecodeError];
  /** A message that `send()` took is lost, or may be. Without a listener it is a line on `console.error`. */
  drop: [drop: Drop];
  /** A handler failed. Without a listener it is a line on `console.error`. */
  error: [error: unknown];
}

/** The documented events, and one more for each custom name. */
type Events = { [Name in keyof MessageClientEvents]: MessageClientEvents[Name] } & {
  [name: `custom:${string}`]: [message: CustomMessage];
};

/** Counters and gauges of a {@linkcode MessageClient}. */
export interface ClientStats {
  /** Messages handed to the runtime, those sent again included. */
  sent: number;
  /** Messages received, custom ones included. */
  received: number;
  /** Frames that were not messages. */
  invalid: number;
  /** Messages lost, or perhaps lost: one for each `drop`. */
  dropped: number;
  /** Messages that wait in the outbox. */
  waiting: number;
  /** UTF-8 bytes of those. */
  waitingBytes: number;
  /** Times the connection became usable. */
  opened: number;
}

/** Options of {@linkcode MessageClient.flush}. */
export interface FlushOptions {
  /** Ends the wait; what waits goes on waiting. */
  signal?: AbortSignal;
}

/** Whom {@linkcode MessageClient.sendText} speaks as, and where. */
export interface SendTextOptions {
  /** The author: an id, or an object with `user_id`. */
  user: UserInput;
  /** The group, left out in a private chat. */
  group?: GroupInput;
}

/** Those who wait for the link to become usable; all share one promise. */
interface Waiter extends PromiseWithResolvers<void> {
  callers: number;
}

interface Connecting {
  readonly state: "connecting";
  readonly attempt: number;
  readonly waiter: Waiter;
  /** Whether failure leads straight back to `idle`: the dial of a `connect()` without `retry`. */
  isOnce: boolean;
  /** When the connection before this one was lost; absent before the first. */
  readonly lostAt: number | undefined;
  link: Link | null;
}

interface Open {
  readonly state: "open";
  readonly attempt: number;
  readonly link: Link;
  readonly heartbeat: Heartbeat | null;
  readonly since: number;
  readonly gap?: number;
}

interface Waiting {
  readonly state: "waiting";
  readonly attempt: number;
  readonly delay: number;
  readonly reason: MessageConnectionError;
  readonly waiter: Waiter;
  readonly lostAt: number | undefined;
  readonly timer: Timer;
}

/** What a client holds in each state, and nothing else. */
type Live =
  | { readonly state: "idle"; readonly reason?: MessageConnectionError }
  | Connecting
  | Open
  | Waiting
  | { readonly state: "closing"; readonly link: Link; readonly done: PromiseWithResolvers<void>; readonly timer: Timer }
  | { readonly state: "closed"; readonly reason?: MessageConnectionError };

function newWaiter(): Waiter {
  const waiter = { ...Promise.withResolvers<void>(), callers: 0 };
  waiter.promise.catch(() => {}); // nobody may be waiting during a reconnect: `status` tells
  return waiter;
}

function closedError(): MessageConnectionError {
  return new MessageConnectionError("closed", "Cannot use client as it must not be closed: create a new one");
}

/**
 * One connection to a maim_message server, dialled again when it falls.
 *
 * Nothing is dialled before {@linkcode MessageClient.connect}. `open` means welcome, not merely upgraded: the reference
 * accepts every caller first and closes those with a wrong token afterwards.
 *
 * @example An adapter that answers
 * ```ts
 * import { createReply, MessageClient, MessageServer, seg } from "@maim/message";
 *
 * await using server = new MessageServer();
 * const url = server.listen({ port: 0 });
 *
 * await using client = new MessageClient(url, { platform: "qq" });
 * client.on("message", (message) => client.send(createReply(message, seg.text("got it"))));
 * client.on("status", (status) => console.log(status.state));
 * await client.connect({ signal: AbortSignal.timeout(5000) });
 * ```
 */
export class MessageClient {
  /** The name this client routes by. */
  readonly platform: string;
  readonly #url: string | (() => string | Promise<string>);
  readonly #options: MessageClientOptions;
  readonly #ca: readonly string[];
  readonly #backoff: Backoff;
  readonly #emitter = new Emitter<Events>();
  readonly #decode: DecodeOptions;
  readonly #outbox: Outbox;
  readonly #counts = { received: 0, invalid: 0, dropped: 0, opened: 0 };
  #live: Live = { state: "idle" };

  /**
   * Creates a client; nothing is dialled yet.
   *
   * @param url Address of the server, `ws://` or `wss://`, or a function that gets it for each dial.
   * @param options The platform, and how to connect.
   * @throws {TypeError} If an option is of the wrong kind; the text names it.
   * @throws {RangeError} If an option is out of range; the text names it.
   */
  constructor(url: string | URL | (() => string | Promise<string>), options: MessageClientOptions) {
    checkOptions(options);
    this.#url = typeof url === "function" ? url : checkUrl(String(url));
    this.#options = options;
    this.platform = options.platform;
    const ca = options.tls?.ca ?? [];
    this.#ca = typeof ca === "string" ? [ca] : ca;
    this.#backoff = new Backoff(options.reconnect ?? {});
    this.#decode = options.decode ?? {};
    this.#outbox = new Outbox(options.outbox ?? {}, (drop) => this.#drop(drop));
  }

  /** Where the client stands now. */
  get status(): ClientStatus {
    const live = this.#live;
    switch (live.state) {
      case "connecting":
        return { state: "connecting", attempt: live.attempt };
      case "open":
        return live.gap === undefined ? { state: "open" } : { state: "open", gap: live.gap };
      case "waiting":
        return { state: "waiting", attempt: live.attempt, delay: live.delay, reason: live.reason };
      case "closing":
        return { state: "closing" };
      default:
        return live.reason === undefined ? { state: live.state } : { state: live.state, reason: live.reason };
    }
  }

  /** What has happened so far, and what waits now. */
  get stats(): ClientStats {
    const { sent, length: waiting, bytes: waitingBytes } = this.#outbox;
    return { sent, waiting, waitingBytes, ...this.#counts };
  }

  /**
   * Adds a handler. Handlers of one event run in the order they were added, messages in wire order.
   *
   * @param event Name of the event.
   * @param handler Called with what the event tells; a throw or rejection becomes an `error` event.
   * @param options A signal that removes it.
   * @returns Removes the handler; calling it twice is harmless.
   */
  on<Name extends keyof MessageClientEvents>(
    event: Name,
    handler: (...args: MessageClientEvents[Name]) => HandlerResult,
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
  onCustom(name: string, handler: (message: CustomMessage) => HandlerResult, options?: ListenOptions): () => void {
    return this.#emitter.on(`custom:${name}`, handler, options);
  }

  /**
   * Connects, and resolves when the server is known to listen to us.
   *
   * Without `retry` this is one dial: it rejects when that fails and the client is `idle` again. Concurrent calls share
   * one attempt. A connection that was open and is lost is dialled again by itself.
   *
   * @param options A signal for the wait, and whether to go on after a failure.
   * @throws {MessageConnectionError} `refused`, `unauthorized`, `timeout`, `replaced`, `too_large` or `closed`; the text
   * says what to do.
   *
   * @example One try, then give up
   * ```ts
   * import { MessageClient, MessageConnectionError } from "@maim/message";
   *
   * const client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
   * try {
   *   await client.connect();
   * } catch (error) {
   *   if (error instanceof MessageConnectionError) console.log(error.code); // refused
   * }
   * ```
   */
  async connect({ signal, retry = false }: ConnectOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const live = this.#live;
    if (live.state === "open") return;
    if (live.state === "closing" || live.state === "closed") throw closedError();
    if (live.state === "idle") {
      const waiter = newWaiter();
      this.#dial({ state: "connecting", attempt: 0, waiter, isOnce: !retry, lostAt: undefined, link: null });
      return await this.#wait(waiter, signal);
    }
    if (retry && live.state === "connecting") live.isOnce = false;
    return await this.#wait(live.waiter, signal);
  }

  /**
   * Sends one message: at once when connected, else as soon as the line is there again, always in order.
   *
   * The protocol acknowledges nothing. A message that can not be kept is refused by a throw; one that is lost later, or
   * may be, is a `drop` event.
   *
   * @param message The message; its platform should be this client's.
   * @throws {MessageConnectionError} `not_open` before `connect()`, `queue_full` when the outbox has no room, `closed`
   * when the client is closed for good.
   * @throws {MessageEncodeError} If the message can not be written.
   * @throws {TypeError} If it is a custom message with a name starting with `maim_`.
   */
  send(message: WireMessage): void {
    refuseReserved(message);
    const { state } = this.#live;
    if (state === "closing" || state === "closed") throw closedError();
    if (state === "idle" || (this.#options.outbox === false && state !== "open")) {
      throw new MessageConnectionError(
        "not_open",
        `Cannot send message as the client must be connected: it is ${state}; call connect() first`,
      );
    }
    this.#outbox.accept(message, encodeMessage(message));
  }

  /**
   * Sends a custom message.
   *
   * @param name The `message_type_name` that picks the handler on the other side.
   * @param content Any JSON.
   * @throws {MessageConnectionError} As {@linkcode MessageClient.send}.
   * @throws {TypeError} If the name is empty or starts with `maim_`.
   */
  sendCustom(name: string, content: unknown): void {
    this.send(createCustom(name, content, this.platform));
  }

  /**
   * Sends a text as one message.
   *
   * @param text The text.
   * @param options The author, and the group if any.
   * @returns The message sent, with its new id.
   * @throws {MessageConnectionError} As {@linkcode MessageClient.send}.
   */
  sendText(text: string, { user, group }: SendTextOptions): MessageBase {
    const where = group === undefined ? {} : { group };
    const message = createMessage({ platform: this.platform, user, ...where }, seg.text(text));
    this.send(message);
    return message;
  }

  /**
   * Waits until nothing waits here any more and the kernel has taken every byte. It does not tell what arrived.
   *
   * @param options A signal that ends the wait.
   * @returns Resolves when everything has left, or was dropped.
   */
  async flush({ signal }: FlushOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    const forget = this.#outbox.whenFlushed(resolve);
    try {
      await promise;
    } finally {
      forget();
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Sends what waits, then ends the connection with 1000 and stays closed.
   *
   * Bounded by `closeTimeout` and harmless in every state; what is left is a `drop` with reason `closed`.
   *
   * @returns Resolves when the connection is gone, or given up on.
   */
  async close(): Promise<void> {
    const live = this.#live;
    if (live.state === "closed") return;
    if (live.state === "closing") return await live.done.promise;
    if (live.state === "waiting") clearTimeout(live.timer);
    if (live.state === "open") live.heartbeat?.stop();
    const link = "link" in live ? live.link : null;
    if (link !== null) return await this.#closeLink(link, "waiter" in live ? live.waiter : null);
    this.#enter({ state: "closed" });
    if ("waiter" in live) live.waiter.reject(closedError());
    this.#outbox.clear("closed");
  }

  /** Calls {@linkcode MessageClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Flushes, shakes hands, and ends, each bounded by a share of `closeTimeout`. */
  async #closeLink(link: Link, waiter: Waiter | null): Promise<void> {
    const { closeTimeout = 5000 } = this.#options;
    const share = Math.min(closeTimeout / 2, 1000);
    const end = performance.now() + closeTimeout;
    const done = Promise.withResolvers<void>();
    const goodbye = () => {
      this.#outbox.hold();
      link.close(Math.max(share, end - performance.now()));
    };
    const timer = after(this.#outbox.length === 0 ? 0 : closeTimeout - share, goodbye);
    this.#enter({ state: "closing", link, done, timer });
    waiter?.reject(closedError());
    if (this.#outbox.length > 0) this.#outbox.whenFlushed(goodbye);
    await done.promise;
  }

  #enter(live: Live): void {
    this.#live = live;
    this.#emitter.emit("status", this.status);
  }

  async #wait(waiter: Waiter, signal: AbortSignal | undefined): Promise<void> {
    waiter.callers++;
    if (signal === undefined) return await waiter.promise;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      await Promise.race([waiter.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
      waiter.callers--;
      if (signal.aborted && waiter.callers === 0) this.#cancel(waiter);
    }
  }

  /** Gives up a first connection that nobody waits for any more; a reconnect goes on. */
  #cancel(waiter: Waiter): void {
    const live = this.#live;
    if (!("waiter" in live) || live.waiter !== waiter || live.lostAt !== undefined) return;
    if (live.state === "waiting") clearTimeout(live.timer);
    this.#enter({ state: "idle" });
    if (live.state === "connecting") live.link?.close(this.#options.closeTimeout ?? 5000);
  }

  #dial(live: Connecting): void {
    this.#enter(live);
    void this.#open(live); // never rejects
  }

  async #open(live: Connecting): Promise<void> {
    const target = await this.#target();
    if (this.#live !== live) return; // closed or cancelled meanwhile
    if (target instanceof MessageConnectionError) return this.#fall(live, { error: target, isFatal: false });
    const { url, headers } = target;
    const { connectTimeout = 10_000 } = this.#options;
    const place = new URL(url);
    try {
      const link: Link = new Link(url, { platform: this.platform, headers, ca: this.#ca, connectTimeout }, {
        usable: () => this.#usable(live, link),
        frame: (text) => this.#frame(text),
        sign: (pong) => this.#sign(pong),
        ended: (end) => this.#ended(link, end, place),
      });
      live.link = link;
    } catch (cause) {
      const end = { code: 1006, reason: "", wasUpgraded: false, timeout: null, cause };
      this.#fall(live, judge(end, place));
    }
  }

  /** Where to dial and how, fresh for each dial. */
  async #target(): Promise<{ url: string; headers: Record<string, string> } | MessageConnectionError> {
    try {
      const url = typeof this.#url === "function" ? checkUrl(await this.#url()) : this.#url;
      return { url, headers: await this.#headers() };
    } catch (cause) {
      const text = "Cannot connect as the functions given for 'url' and 'token' must succeed: see cause";
      return new MessageConnectionError("refused", text, { cause });
    }
  }

  async #headers(): Promise<Record<string, string>> {
    const { token: given, headers = {} } = this.#options;
    const token = checkToken(typeof given === "function" ? await given() : given ?? "");
    return {
      ...headers,
      platform: this.platform,
      ...(token === "" ? {} : { authorization: token }),
      [HELLO_HEADER]: helloHeader(FEATURES),
    };
  }

  #usable(from: Connecting, link: Link): void {
    if (this.#live === from) {
      const since = performance.now();
      const gap = from.lostAt === undefined ? {} : { gap: Math.round(since - from.lostAt) };
      const heartbeat = this.#heartbeat(link);
      this.#counts.opened++;
      this.#enter({ state: "open", attempt: from.attempt, link, heartbeat, since, ...gap });
      from.waiter.resolve();
    }
    // A handler of `status` may have closed the client; then what waits is still sent before the goodbye.
    if (!("link" in this.#live) || this.#live.link !== link) return;
    this.#outbox.attach(link);
    if (this.#live.state === "open") this.#live.heartbeat?.start();
  }

  #frame(text: string | null): void {
    if (this.#live.state === "open") this.#live.heartbeat?.sign();
    receive(text, this.#decode, this.#inbound);
  }

  #ended(link: Link, end: LinkEnd, place: URL): void {
    const live = this.#live;
    if (!("link" in live) || live.link !== link) return;
    const verdict = judge(end, place);
    if (live.state !== "closing") return void this.#fallWithAdvice(live, end, verdict, place);
    clearTimeout(live.timer);
    this.#enter({ state: "closed" });
    // The answer to our close frame proves that everything before it was read.
    this.#outbox.detach({
      silentSince: Infinity,
      verdict: end.code === 1000 ? "delivered" : "in_doubt",
      mayResend: false,
    });
    this.#outbox.clear("closed");
    live.done.resolve();
  }

  /** A server that refused the handshake may speak Socket.IO: it is asked, once and briefly. */
  async #fallWithAdvice(live: Connecting | Open, end: LinkEnd, verdict: Verdict, place: URL): Promise<void> {
    const status = live.state === "connecting" ? runtime.httpStatus(end.cause) : null;
    if (status !== 400 && status !== 404) return this.#fall(live, verdict);
    const isSocketIo = await speaksSocketIo(place, this.#ca);
    if (this.#live !== live) return; // closed meanwhile
    this.#fall(live, isSocketIo ? socketIoVerdict(verdict) : verdict);
  }

  /** Decides what follows the end of a dial or of a connection. */
  #fall(live: Connecting | Open, { error: reason, isFatal }: Verdict): void {
    const waiter = live.state === "connecting" ? live.waiter : newWaiter();
    const lostAt = live.state === "connecting" ? live.lostAt : performance.now();
    const isStable = live.state === "open" && performance.now() - live.since >= this.#backoff.stableAfter;
    const attempt = isStable ? 1 : live.attempt + 1;
    const isOnce = live.state === "connecting" && live.isOnce;
    const silentSince = live.state === "open" ? live.heartbeat?.silentSince ?? Infinity : Infinity;
    if (live.state === "open") live.heartbeat?.stop();
    const delay = isFatal || isOnce ? null : this.#delay(attempt, reason);
    if (delay !== null) this.#waitFor({ attempt, delay, reason, waiter, lostAt });
    else this.#enter({ state: lostAt === undefined ? "idle" : "closed", reason });
    this.#settle(reason.code, silentSince);
    if (delay === null) waiter.reject(reason);
  }

  /** Tells what became of the messages on the line that fell, and of those that can wait no longer. */
  #settle(code: MessageConnectionError["code"], silentSince: number): void {
    const verdict = code === "unauthorized" || code === "too_large" ? code : "in_doubt";
    this.#outbox.detach({ silentSince, verdict, mayResend: this.#live.state === "waiting" });
    const isOver = this.#live.state === "idle" || this.#live.state === "closed";
    if (isOver) this.#outbox.clear(code === "unauthorized" ? "unauthorized" : "closed");
  }

  #delay(attempt: number, reason: MessageConnectionError): number | null {
    try {
      return this.#backoff.delayOf(attempt, reason);
    } catch (error) {
      this.#emitter.fail(error);
      return null;
    }
  }

  #waitFor(next: Omit<Waiting, "state" | "timer">): void {
    const { attempt, waiter, lostAt, delay } = next;
    const dial = () => this.#dial({ state: "connecting", attempt, waiter, lostAt, isOnce: false, link: null });
    this.#enter({ ...next, state: "waiting", timer: setTimeout(dial, delay) });
  }

  #heartbeat(link: Link): Heartbeat | null {
    const { heartbeat = {} } = this.#options;
    if (heartbeat === false) return null;
    return new Heartbeat(heartbeat, {
      ask: (signal) => this.#ask(link, signal, heartbeat.probe ?? true),
      get bufferedAmount() {
        return link.bufferedAmount;
      },
      dead: () => link.abandon("no answer to the heartbeat"),
    });
  }

  /** Asks by the best means there is: our own ping, the protocol's, or an HTTP request beside the connection. */
  #ask(link: Link, signal: AbortSignal, mayProbe: boolean): boolean {
    if (link.ask()) return true;
    if (mayProbe) void this.#probe(link, signal);
    return mayProbe;
  }

  async #probe(link: Link, signal: AbortSignal): Promise<void> {
    try {
      await runtime.get(probeUrl(link.url), this.#ca, signal);
    } catch {
      return; // no answer is what the heartbeat waits for
    }
    if (this.#live.state === "open" && this.#live.link === link) this.#live.heartbeat?.sign();
  }

  #sign(pong: number | null): void {
    if (this.#live.state !== "open") return;
    const { heartbeat, link } = this.#live;
    heartbeat?.sign();
    if (pong !== null) this.#outbox.confirm(link.answered(pong));
  }

  #drop(drop: Drop): void {
    this.#counts.dropped++;
    if (!this.#emitter.emit("drop", drop)) unheard("drop", describeDrop(drop));
  }

  readonly #inbound: InboundHandlers = {
    message: (message) => {
      this.#counts.received++;
      this.#emitter.emit("message", message);
    },
    custom: (message) => {
      this.#counts.received++;
      this.#emitter.emit("custom", message);
      this.#emitter.emit(`custom:${message.message_type_name}`, message);
    },
    own: (message) => this.#answer(message),
    invalid: (error) => {
      this.#counts.invalid++;
      this.#emitter.emit("invalid", error);
    },
  };

  /** The conversation of the hello features; anything that was not agreed on is refused. */
  #answer(message: CustomMessage): boolean {
    const link = "link" in this.#live ? this.#live.link : null;
    if (link === null) return false;
    const features = link.features === null ? helloFeatures(message) : null;
    if (features !== null) {
      link.features = features;
      return true;
    }
    if (!link.features?.includes("ping")) return false;
    if (message.message_type_name === "maim_pong") {
      this.#sign(Number((message.content as { n?: unknown } | null)?.n));
      return true;
    }
    if (message.message_type_name !== "maim_ping") return false;
    link.send(encodeMessage(createCustom("maim_pong", message.content, this.platform)));
    return true;
  }
}
