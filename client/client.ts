import { encodeMessage } from "../codec/encode.ts";
import { MessageDecodeError } from "../codec/errors.ts";
import type { MessageEnvelope, StreamMessage } from "../codec/stream/types.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import { isCustom } from "../schema/guards.ts";
import { withRoute } from "../schema/account.ts";
import { createCustom, createMessage, type GroupInput, seg, type UserInput } from "../schema/build.ts";
import type { CustomMessage, MessageBase, WireMessage } from "../schema/types.ts";
import { type Drop, UnheardDrops } from "../session/drops.ts";
import { refuseReserved } from "../session/reserved_names.ts";
import { Rounds } from "../session/rounds.ts";
import type { Content, SessionEvents } from "../session/session.ts";
import { readWholeMessage } from "../session/transfer/text.ts";
import type { SendStreamOptions } from "../session/transfer/transfers.ts";
import { isClosedError, MessageConnectionError } from "../util/connection_error.ts";
import { Emitter, type HandlerResult, type Heard, type ListenOptions } from "../util/emitter.ts";
import { closedError, Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import type { MessageClientOptions } from "./options.ts";
import type { OutboxItem } from "./outbox.ts";
import { checkUrl, type ClientSettings, resolveOptions } from "./settings.ts";
import { PlatformCheck } from "./platform_check.ts";
import type { ClientStatus } from "./status.ts";
import { checkBeforeSending, UnheardWarnings, type ValidationIssue } from "./check_before_sending.ts";

/** Options of {@linkcode MessageClient.connect}. */
export interface ConnectOptions {
  /** Aborts the wait. The signal has no effect after `connect()` has resolved. */
  signal?: AbortSignal;
  /**
   * If true, a failed attempt is repeated, with the delays and limits of the option `reconnect`. A fatal failure is
   * never retried: a token that was not accepted, or a connection that was replaced.
   *
   * @default {false}
   */
  retry?: boolean;
}

/** Events of {@linkcode MessageClient}, with the arguments of their handlers. */
export interface MessageClientEvents {
  /** An ordinary message was received. */
  message: [message: MessageBase];
  /** A custom message was received, of any name. */
  custom: [message: CustomMessage];
  /**
   * The server has begun to send a message as a stream. The client receives the segments as fast as the handler reads
   * them. If nothing is read for `chunks.timeout`, the transfer is aborted. Without a handler for this event, the whole
   * message is collected in memory and becomes an ordinary `message` event.
   */
  stream: [envelope: MessageEnvelope, segments: SegmentReader];
  /** The state has changed. */
  status: [status: ClientStatus];
  /** A frame was received that is not a message. The connection stays open. */
  invalid: [error: MessageDecodeError];
  /**
   * A message that `send()` accepted is lost, or may be lost. Without a handler for this event, one line is printed
   * with `console.error`.
   */
  drop: [drop: Drop];
  /**
   * A message is sent although `validate` has found issues, or although it names another platform (rule
   * `wrong_platform`). Without a handler for this event, an issue with the level
   * `unanswered` is printed as one line with `console.error`, once for each rule.
   */
  warning: [message: WireMessage, issues: readonly ValidationIssue[]];
  /** A handler has failed. Without a handler for this event, the error is printed as one line with `console.error`. */
  error: [error: unknown];
}

/** The public events, and one event for each name of a custom message. */
type Events = { [Name in keyof MessageClientEvents]: MessageClientEvents[Name] } & {
  [name: `custom:${string}`]: [message: CustomMessage];
};

/** Counters and gauges of a {@linkcode MessageClient}. */
export interface ClientStats {
  /** Messages sent. A message that is sent twice counts twice. */
  sent: number;
  /** Messages received, including custom messages. */
  received: number;
  /** Frames received that were not messages. */
  invalid: number;
  /** Number of `drop` events. Each event reports one message that is lost, or may be lost. */
  dropped: number;
  /** Messages that wait in the outbox. */
  waiting: number;
  /** UTF-8 bytes of the messages that wait in the outbox. */
  waitingBytes: number;
  /** Number of times that the state of the client became `open`. */
  opened: number;
}

/** Options of {@linkcode MessageClient.flush}. */
export interface FlushOptions {
  /** Aborts the wait. The messages are still sent. */
  signal?: AbortSignal;
  /**
   * If true, also waits until the server has confirmed that it has handled all messages. Only a server of this library
   * can confirm messages.
   *
   * @default {false}
   */
  confirmed?: boolean;
}

/**
 * Result of {@linkcode MessageClient.flush}. `sent`: the kernel has taken all messages; with `confirmed`, this also
 * means that the server cannot confirm messages, or that the connection was lost meanwhile. `confirmed`: the server has
 * handled them.
 */
export type FlushResult = "sent" | "confirmed";

/** Options of {@linkcode MessageClient.sendText}: the author of the message, and the chat. */
export interface SendTextOptions {
  /** The author: a user id, or an object with `user_id`. */
  user: UserInput;
  /** The group: a group id, or an object with `group_id`. Leave it out for a private chat. */
  group?: GroupInput;
  /**
   * The bot's own id on the platform.
   *
   * @default {the `account` of the client}
   */
  account?: string;
  /**
   * Name that distinguishes several connections of one account.
   *
   * @default {the `scope` of the client}
   */
  scope?: string;
}

function isOver({ state }: ClientStatus): boolean {
  return state === "closing" || state === "closed";
}

/**
 * A client of a maim_message server. If the connection is lost, the client reconnects.
 *
 * A new client is `idle` until {@linkcode MessageClient.connect} is called. It becomes `open` when the server is known
 * to accept the client. This is later than the handshake, because the reference server first accepts every handshake,
 * and then closes the connections with a wrong token.
 *
 * @example An adapter
 * ```ts
 * import { MessageClient, MessageServer, plainText } from "@maim/message";
 *
 * await using server = new MessageServer(); // stands in for MaiBot
 * const url = server.listen({ port: 0 });
 *
 * await using client = new MessageClient(url, { platform: "qq", account: "777" }); // the bot's own id there
 * client.on("message", (message) => console.log(`MaiBot: ${plainText(message)}`)); // show it on the platform
 * client.on("status", (status) => console.log(status.state));
 * await client.connect({ signal: AbortSignal.timeout(5000) });
 * client.sendText("hello", { user: "10001" });
 * ```
 */
export class MessageClient {
  /** Name of the platform of this client. Messages are routed by this name. */
  readonly platform: string;
  readonly #connection: Connection;
  readonly #emitter = new Emitter<Events>((error) => isClosedError(error) && isOver(this.status));
  readonly #settings: ClientSettings;
  readonly #counts = { received: 0, invalid: 0, dropped: 0 };
  #streamed = 0;
  readonly #platformCheck: PlatformCheck;
  readonly #unheardWarnings = new UnheardWarnings();
  readonly #rounds = new Rounds();
  readonly #unheardDrops = new UnheardDrops(this.#rounds);

  /**
   * Creates a client. It does not connect yet.
   *
   * @param url Address of the server, `ws://` or `wss://`; or a function that returns the address and is called for
   * each dial.
   * @param options The options; `platform` is required.
   * @throws {TypeError} If an option has the wrong type; the text names the option.
   * @throws {RangeError} If an option is out of range; the text names the option.
   */
  constructor(url: string | URL | (() => string | Promise<string>), options: MessageClientOptions) {
    const settings = resolveOptions(options);
    this.platform = settings.platform;
    this.#settings = settings;
    this.#platformCheck = new PlatformCheck(settings.platform, settings.otherPlatforms);
    const urlOption = typeof url === "function" ? url : checkUrl(String(url));
    this.#connection = new Connection(urlOption, settings, this.#sessionEvents(), {
      status: (status) => void this.#emitter.emit("status", status),
      received: (received, link) => this.#received(received, link),
      drop: (drop) => this.#drop(drop),
      fail: (error) => this.#emitter.fail(error),
    });
  }

  /** State of the client. */
  get status(): ClientStatus {
    return this.#connection.status;
  }

  /** Counters and gauges of the client, at this moment. */
  get stats(): ClientStats {
    const { opened, outbox: { sent, length: waiting, bytes: waitingBytes } } = this.#connection;
    return { sent: sent + this.#streamed, waiting, waitingBytes, opened, ...this.#counts };
  }

  /**
   * Adds a handler. The handlers of one event are called in the order in which they were added. Messages are handled in
   * the order in which they arrived.
   *
   * @param event Name of the event.
   * @param handler Function that is called for each event. If it throws or rejects, an `error` event follows.
   * @param options A signal that removes the handler.
   * @returns A function that removes the handler. It may be called more than once.
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
   * @param handler Function that is called with the whole message, not only with its `content`.
   * @param options A signal that removes the handler.
   * @returns A function that removes the handler.
   */
  onCustom(name: string, handler: (message: CustomMessage) => HandlerResult, options?: ListenOptions): () => void {
    return this.#emitter.on(`custom:${name}`, handler, options);
  }

  /**
   * Connects. Resolves when the connection is open.
   *
   * Without `retry`, the client makes one attempt. If it fails, the promise rejects and the client is `idle` again.
   * Calls at the same time share one attempt. After the connection was open once, the client reconnects by itself.
   *
   * @param options A signal that aborts the wait, and whether to retry.
   * @returns Resolves when the connection is open.
   * @throws {MessageConnectionError} `refused`, `unauthorized`, `timeout`, `replaced`, `too_large` or `closed`; the
   * error text says what to do.
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
  connect({ signal, retry = false }: ConnectOptions = {}): Promise<void> {
    return this.#connection.connect({ signal, retry });
  }

  /**
   * Sends one message. While the client reconnects, messages wait in the outbox and are sent first, in order.
   *
   * The protocol has no acknowledgement. If a message can neither be sent nor kept, `send()` throws. If an accepted
   * message is lost later, or may be lost, there is a `drop` event.
   *
   * @param message The message. Its platform should equal the platform of this client; see the option
   * `otherPlatforms`.
   * @throws {MessageConnectionError} `not_open` Before `connect()`; without an outbox, also while the client is not
   * open. `queue_full` If the outbox has no room. `closed` If the client is closed.
   * @throws {MessageEncodeError} If the message cannot be encoded.
   * @throws {MessageRejectedError} If `validate` found an issue with the level `drop`.
   * @throws {TypeError} If it is a custom message with a name starting with `maim_`.
   */
  send(message: WireMessage): void {
    this.#send(message);
  }

  /** Sends a message and returns it as it was sent, with account and scope. */
  #send<Message extends WireMessage>(given: Message): Message {
    refuseReserved(given);
    this.#checkState();
    const message = withRoute(given, this.#settings.route);
    const warnings = this.#check(message);
    this.#connection.outbox.send(message, encodeMessage(message));
    this.#warn(message, warnings);
    return message;
  }

  /**
   * Sends a custom message.
   *
   * @param name The `message_type_name`, which selects the handler on the other side.
   * @param content Any JSON value.
   * @throws {MessageConnectionError} For the same reasons as {@linkcode MessageClient.send}.
   * @throws {MessageRejectedError} If `validate` found an issue with the level `drop`.
   * @throws {TypeError} If the name is empty or starts with `maim_`.
   */
  sendCustom(name: string, content: unknown): void {
    this.send(createCustom(name, content, this.platform));
  }

  /**
   * Sends a message with one text segment.
   *
   * @param text The text.
   * @param options The author, and the group if there is one.
   * @returns The message that was sent, with its new id.
   * @throws {MessageConnectionError} For the same reasons as {@linkcode MessageClient.send}.
   * @throws {MessageRejectedError} If `validate` found an issue with the level `drop`.
   */
  sendText(text: string, options: SendTextOptions): MessageBase {
    return this.#send(createMessage({ ...options, platform: this.platform }, seg.text(text)));
  }

  /**
   * Waits until the outbox is empty and the kernel has taken every byte. This does not mean that the messages have
   * arrived; use `confirmed` to learn this from a server of this library.
   *
   * @param options A signal that aborts the wait, and whether to wait for the server's confirmation.
   * @returns Resolves when all messages were sent or dropped; with `confirmed`, when the server has handled them or the
   * connection was lost. The value tells which.
   */
  async flush({ signal, confirmed = false }: FlushOptions = {}): Promise<FlushResult> {
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    const { promise: flushed, resolve: onFlushed } = Promise.withResolvers<void>();
    const { promise: settled, resolve: onSettled } = Promise.withResolvers<FlushResult>();
    const forgets = [this.#connection.outbox.whenFlushed(onFlushed)];
    try {
      await Promise.race([flushed, aborted.promise]);
      if (!confirmed) return "sent";
      forgets.push(this.#connection.whenConfirmed((isConfirmed) => onSettled(isConfirmed ? "confirmed" : "sent")));
      return await Promise.race([settled, aborted.promise]);
    } finally {
      for (const forget of forgets) forget();
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Sends a message of any size in bounded memory. Other messages can be sent at the same time.
   *
   * Segments may hold a `Uint8Array`, a `Blob` or a `ReadableStream`. A server of this library receives the message in
   * chunks, as fast as the server reads them. For any other server, the client first reads the whole message into
   * memory and then sends it in one frame, as {@linkcode MessageClient.send} does. If the connection is lost, a
   * transfer in chunks fails: it does not continue on a later connection.
   *
   * @param given The message. If the client is open, `sendStream()` locks the streams in the message, and cancels them
   * after a failure.
   * @param options A signal that aborts the transfer, and a callback for progress.
   * @returns Resolves when the server has read the whole message. If the message goes out as one frame: resolves when
   * the frame was sent or waits in the outbox.
   * @throws {MessageConnectionError} `not_open` If the client is not open. `closed` If the connection ends.
   * `too_large`, `queue_full`, `timeout` or `refused` If the server refuses the message.
   * @throws {MessageEncodeError} If the message cannot be encoded; `too_large` if the message must fit into one frame
   * but is too large for it.
   * @throws {MessageRejectedError} If `validate` found an issue with the level `drop`. In this case the streams are not
   * locked.
   *
   * @example A file, as it is read
   * ```ts
   * import { createMessage, MessageClient, MessageServer, seg } from "@maim/message";
   *
   * await using server = new MessageServer();
   * server.on("stream", async (envelope, segments) => {
   *   for await (const { type, data } of segments) {
   *     if (data instanceof ReadableStream) console.log(type, (await new Response(data).bytes()).length); // video 3
   *   }
   * });
   * await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
   * await client.connect();
   * const video = new Blob(["abc"]).stream(); // or the body of a response, or a file
   * await client.sendStream(createMessage({ platform: "qq", user: "10001" }, seg.of("video", video)));
   * ```
   */
  async sendStream(given: StreamMessage, options: SendStreamOptions = {}): Promise<void> {
    const { session } = this.#connection.openLink();
    const message = withRoute(given, this.#settings.route);
    const warnings = this.#check(message);
    if (!session.takesChunks) {
      const whole = await readWholeMessage(message, options);
      this.#checkState(); // the connection may have been lost meanwhile
      this.#connection.outbox.send(whole, encodeMessage(whole));
      return this.#warn(message, warnings);
    }
    const sent = session.stream(message, options);
    this.#warn(message, warnings);
    await sent;
    this.#streamed++;
  }

  /**
   * Sends the messages that wait in the outbox, then closes the connection with 1000. The client cannot be used any
   * more.
   *
   * Takes at most `closeTimeout`. For each message that could not be sent in this time, there is a `drop` event with
   * the reason `closed`. Can be called in every state.
   *
   * @returns Resolves when the connection has ended.
   */
  async close(): Promise<void> {
    await this.#connection.close();
    this.#unheardDrops.printNow();
  }

  /** Calls {@linkcode MessageClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkState(): void {
    const { state } = this.#connection.status;
    if (state === "closing" || state === "closed") throw closedError();
    if (state === "idle" || (!this.#settings.keepsMessages && state !== "open")) {
      throw new MessageConnectionError(
        "not_open",
        `Client is ${state}; call connect() and wait for it before sending`,
      );
    }
  }

  /** Checks a message before it is sent, and returns the warnings. */
  #check(message: WireMessage): readonly ValidationIssue[] {
    const { validate } = this.#settings;
    const issue = this.#platformCheck.check(message);
    if (issue === null) return validate === undefined ? [] : checkBeforeSending(message, validate);
    return checkBeforeSending(message, (checked) => [issue, ...validate?.(checked) ?? []]);
  }

  #warn(message: WireMessage, warnings: readonly ValidationIssue[]): void {
    if (warnings.length === 0 || this.#emitter.emit("warning", message, warnings) !== "unheard") return;
    this.#unheardWarnings.print(warnings);
  }

  #drop(drop: Drop): void {
    this.#counts.dropped++;
    if (this.#emitter.emit("drop", drop) === "unheard") this.#unheardDrops.add(drop);
  }

  /** Handles the content of a frame, or of a transfer in chunks: a message, or the error for a fault. */
  #received(received: Content, { session }: Link): void {
    if (received instanceof MessageDecodeError) {
      this.#counts.invalid++;
      this.#emitter.emit("invalid", received);
      return;
    }
    this.#counts.received++;
    session.handled(isCustom(received) ? this.#emitCustom(received) : this.#emitter.emit("message", received));
  }

  #emitCustom(message: CustomMessage): Heard {
    const heard = this.#emitter.emit("custom", message);
    const byName = this.#emitter.emit(`custom:${message.message_type_name}`, message);
    return heard === "pending" ? heard : byName;
  }

  #sessionEvents(): SessionEvents<Link, OutboxItem> {
    const emitter = this.#emitter;
    return {
      rounds: this.#rounds,
      collected: (received, link) => this.#received(received, link),
      wantsStreams: () => emitter.has("stream"),
      streamed: (envelope, segments) => {
        this.#counts.received++;
        if (emitter.emit("stream", envelope, segments) === "unheard") void segments.return(); // never rejects
      },
      refused: ({ message }, { code }) => this.#drop({ message, reason: code === "too_large" ? code : "unconfirmed" }),
    };
  }
}
