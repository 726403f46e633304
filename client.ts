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
import { judge, type Verdict } from "./internal/ending.ts";
import { Emitter, type HandlerResult, type ListenOptions } from "./internal/emitter.ts";
import { MessageConnectionError } from "./internal/errors.ts";
import { FEATURES, HELLO_HEADER, helloFeatures, helloHeader, refuseReserved } from "./internal/hello.ts";
import { type InboundHandlers, receive } from "./internal/inbound.ts";
import { Link, type LinkEnd } from "./internal/link.ts";
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
export type { ClientTls, HandlerResult, ListenOptions, MessageClientOptions, ReconnectOptions };

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
    /** Counts dials since the last stable connection, from 1. */
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
    /** Number of the dial to come. */
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
  /** A handler failed. Without a listener it is a line on `console.error`. */
  error: [error: unknown];
}

/** The documented events, and one more for each custom name. */
type Events = { [Name in keyof MessageClientEvents]: MessageClientEvents[Name] } & {
  [name: `custom:${string}`]: [message: CustomMessage];
};

/** Whom {@linkcode MessageClient.sendText} speaks as, and where. */
export interface SendTextOptions {
  /** The author: an id, or an object with `user_id`. */
  user: UserInput;
  /** The group, left out in a private chat. */
  group?: GroupInput;
}

type Timer = ReturnType<typeof setTimeout>;

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
  | { readonly state: "closing"; readonly link: Link; readonly done: PromiseWithResolvers<void> }
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
   * @throws {MessageConnectionError} `refused`, `unauthorized`, `timeout`, `replaced` or `closed`; the text says what to do.
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
      this.#dial({ state: "connecting", attempt: 1, waiter, isOnce: !retry, lostAt: undefined, link: null });
      return await this.#wait(waiter, signal);
    }
    if (retry && live.state === "connecting") live.isOnce = false;
    return await this.#wait(live.waiter, signal);
  }

  /**
   * Sends one message, in order.
   *
   * @param message The message; its platform should be this client's.
   * @throws {MessageConnectionError} `not_open` If the client is not connected, `closed` if it is closed for good.
   * @throws {MessageEncodeError} If the message can not be written.
   * @throws {TypeError} If it is a custom message with a name starting with `maim_`.
   */
  send(message: WireMessage): void {
    refuseReserved(message);
    const live = this.#live;
    if (live.state === "closing" || live.state === "closed") throw closedError();
    const text = encodeMessage(message);
    if (live.state !== "open") {
      throw new MessageConnectionError(
        "not_open",
        `Cannot send message as the client must be open: it is ${live.state}; await connect() first`,
      );
    }
    live.link.send(text);
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
   * Ends the connection with 1000 and stays closed. Bounded by `closeTimeout`, harmless in every state.
   *
   * @returns Resolves when the connection is gone, or given up on.
   */
  async close(): Promise<void> {
    const live = this.#live;
    if (live.state === "closed") return;
    if (live.state === "closing") return await live.done.promise;
    if (live.state === "waiting") clearTimeout(live.timer);
    const link = live.state === "connecting" || live.state === "open" ? live.link : null;
    const done = Promise.withResolvers<void>();
    if (link === null) this.#enter({ state: "closed" });
    else this.#enter({ state: "closing", link, done });
    if ("waiter" in live) live.waiter.reject(closedError());
    if (link === null) return;
    link.close(this.#options.closeTimeout ?? 5000);
    await done.promise;
  }

  /** Calls {@linkcode MessageClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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
      const link: Link = new Link(url, { headers, ca: this.#ca, connectTimeout }, {
        usable: () => this.#usable(live, link),
        frame: (text) => receive(text, this.#decode, this.#inbound),
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
    if (this.#live !== from) return;
    const since = performance.now();
    const gap = from.lostAt === undefined ? {} : { gap: Math.round(since - from.lostAt) };
    this.#enter({ state: "open", attempt: from.attempt, link, since, ...gap });
    from.waiter.resolve();
  }

  #ended(link: Link, end: LinkEnd, place: URL): void {
    const live = this.#live;
    if (!("link" in live) || live.link !== link) return;
    if (live.state === "closing") {
      this.#enter({ state: "closed" });
      live.done.resolve();
    } else {
      this.#fall(live, judge(end, place));
    }
  }

  /** Decides what follows the end of a dial or of a connection. */
  #fall(live: Connecting | Open, { error: reason, isFatal }: Verdict): void {
    const waiter = live.state === "connecting" ? live.waiter : newWaiter();
    const lostAt = live.state === "connecting" ? live.lostAt : performance.now();
    const isStable = live.state === "open" && performance.now() - live.since >= this.#backoff.stableAfter;
    const attempt = isStable ? 1 : live.attempt + 1;
    const isOnce = live.state === "connecting" && live.isOnce;
    const delay = isFatal || isOnce ? null : this.#delay(attempt, reason);
    if (delay !== null) return this.#waitFor({ attempt, delay, reason, waiter, lostAt });
    this.#enter({ state: lostAt === undefined ? "idle" : "closed", reason });
    waiter.reject(reason);
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

  readonly #inbound: InboundHandlers = {
    message: (message) => void this.#emitter.emit("message", message),
    custom: (message) => {
      this.#emitter.emit("custom", message);
      this.#emitter.emit(`custom:${message.message_type_name}`, message);
    },
    own: (message) => this.#answer(message),
    invalid: (error) => void this.#emitter.emit("invalid", error),
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
    if (message.message_type_name === "maim_pong") return true;
    if (message.message_type_name !== "maim_ping") return false;
    link.send(encodeMessage(createCustom("maim_pong", message.content, this.platform)));
    return true;
  }
}
