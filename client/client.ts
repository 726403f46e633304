import { encodeMessage } from "../codec/encode.ts";
import { MessageDecodeError } from "../codec/errors.ts";
import type { MessageEnvelope, StreamMessage } from "../codec/stream/message_text.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import { isCustom } from "../schema/guards.ts";
import { withRoute } from "../schema/route.ts";
import { createCustom, createMessage, type GroupInput, seg, type UserInput } from "../schema/build.ts";
import type { CustomMessage, MessageBase, WireMessage } from "../schema/types.ts";
import { describeDrop, type Drop } from "../session/drops.ts";
import { refuseReserved } from "../session/hello.ts";
import type { Received, SessionEvents } from "../session/session.ts";
import { wholeMessage } from "../session/transfer/text.ts";
import type { SendStreamOptions } from "../session/transfer/transfers.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { Emitter, type HandlerResult, type Heard, type ListenOptions, unheard } from "../util/emitter.ts";
import { closedError, Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import type { MessageClientOptions } from "./options.ts";
import { checkUrl, type ClientSettings, resolveOptions } from "./settings.ts";
import type { ClientStatus } from "./status.ts";
import { checkBeforeSending, UnheardWarnings, type ValidationIssue } from "./validation.ts";

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

/** Events of {@linkcode MessageClient} and what their handlers get. */
export interface MessageClientEvents {
  /** An ordinary message. */
  message: [message: MessageBase];
  /** A custom message, whatever its name. */
  custom: [message: CustomMessage];
  /**
   * A message that its sender streams. Segments and their bytes come as they are read, and no faster; a message that is
   * not read for `chunks.timeout` is given up. Without a listener such a message is collected and an ordinary `message`.
   */
  stream: [envelope: MessageEnvelope, segments: SegmentReader];
  /** The state has changed. */
  status: [status: ClientStatus];
  /** A frame was not a message; nothing else happened. */
  invalid: [error: MessageDecodeError];
  /** A message that `send()` took is lost, or may be. Without a listener it is a line on `console.error`. */
  drop: [drop: Drop];
  /**
   * A message goes out although `validate` found something. Without a listener an issue of the level `unanswered` is a line
   * on `console.error`, once for each rule.
   */
  warning: [message: WireMessage, issues: readonly ValidationIssue[]];
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
  /**
   * The bot's own id on the platform.
   *
   * @default {the client's}
   */
  account?: string;
  /**
   * Tells apart several connections of one account.
   *
   * @default {the client's}
   */
  scope?: string;
}

/**
 * One connection to a maim_message server, dialled again when it falls.
 *
 * Nothing is dialled before {@linkcode MessageClient.connect}. `open` means welcome, not merely upgraded: the reference
 * accepts every caller first and closes those with a wrong token afterwards.
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
  /** The name this client routes by. */
  readonly platform: string;
  readonly #connection: Connection;
  readonly #emitter = new Emitter<Events>();
  readonly #settings: ClientSettings;
  readonly #counts = { received: 0, invalid: 0, dropped: 0 };
  #streamed = 0;
  readonly #unheardWarnings = new UnheardWarnings();

  /**
   * Creates a client; nothing is dialled yet.
   *
   * @param url Address of the server, `ws://` or `wss://`, or a function that gets it for each dial.
   * @param options The platform, and how to connect.
   * @throws {TypeError} If an option is of the wrong kind; the text names it.
   * @throws {RangeError} If an option is out of range; the text names it.
   */
  constructor(url: string | URL | (() => string | Promise<string>), options: MessageClientOptions) {
    const settings = resolveOptions(options);
    this.platform = settings.platform;
    this.#settings = settings;
    const dialled = typeof url === "function" ? url : checkUrl(String(url));
    this.#connection = new Connection(dialled, settings, this.#sessionEvents(), {
      status: (status) => void this.#emitter.emit("status", status),
      received: (received, link) => this.#received(received, link),
      drop: (drop) => this.#drop(drop),
      fail: (error) => this.#emitter.fail(error),
    });
  }

  /** Where the client stands now. */
  get status(): ClientStatus {
    return this.#connection.status;
  }

  /** What has happened so far, and what waits now. */
  get stats(): ClientStats {
    const { opened, outbox: { sent, length: waiting, bytes: waitingBytes } } = this.#connection;
    return { sent: sent + this.#streamed, waiting, waitingBytes, opened, ...this.#counts };
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
  connect({ signal, retry = false }: ConnectOptions = {}): Promise<void> {
    return this.#connection.connect(signal, retry);
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
   * @throws {MessageRejectedError} If `validate` found a `drop`.
   * @throws {TypeError} If it is a custom message with a name starting with `maim_`.
   */
  send(message: WireMessage): void {
    this.#send(message);
  }

  /** Returns the message as it was sent. */
  #send<Message extends WireMessage>(given: Message): Message {
    refuseReserved(given);
    this.#checkState();
    const message = withRoute(given, this.#settings.route);
    const warnings = this.#check(message);
    this.#connection.outbox.accept(message, encodeMessage(message));
    this.#warn(message, warnings);
    return message;
  }

  /**
   * Sends a custom message.
   *
   * @param name The `message_type_name` that picks the handler on the other side.
   * @param content Any JSON.
   * @throws {MessageConnectionError} As {@linkcode MessageClient.send}.
   * @throws {MessageRejectedError} If `validate` found a `drop`.
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
   * @throws {MessageRejectedError} If `validate` found a `drop`.
   */
  sendText(text: string, options: SendTextOptions): MessageBase {
    return this.#send(createMessage({ ...options, platform: this.platform }, seg.text(text)));
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
    const forget = this.#connection.outbox.whenFlushed(resolve);
    try {
      await promise;
    } finally {
      forget();
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Sends a message of any size in bounded memory, piece by piece, while other messages go on.
   *
   * Segments may hold a `Uint8Array`, a `Blob` or a `ReadableStream`. To a server of this library the message goes in
   * chunks, as fast as the other side reads it; to any other it is read into memory first and sent in one frame, as
   * {@linkcode MessageClient.send} does. Nothing is kept for a later connection: a line that falls ends the transfer.
   *
   * @param given The message; once the line is known to be open, streams in it are taken, and cancelled on a failure.
   * @param options A signal that gives up, and a callback for progress.
   * @returns Resolves when the other side has read everything, or has taken over the one frame.
   * @throws {MessageConnectionError} `not_open` or `closed` without a line or when it ends, `too_large`, `queue_full`,
   * `timeout` or `refused` when the other side will not have it.
   * @throws {MessageEncodeError} If the message can not be written; `too_large` if one frame must do and can not.
   * @throws {MessageRejectedError} If `validate` found a `drop`; streams in the message are left alone then.
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
      const whole = await wholeMessage(message, options);
      this.#checkState(); // meanwhile the line may have gone
      this.#connection.outbox.accept(whole, encodeMessage(whole));
      return this.#warn(message, warnings);
    }
    const sent = session.stream(message, options);
    this.#warn(message, warnings);
    await sent;
    this.#streamed++;
  }

  /**
   * Sends what waits, then ends the connection with 1000 and stays closed.
   *
   * Bounded by `closeTimeout` and harmless in every state; what is left is a `drop` with reason `closed`.
   *
   * @returns Resolves when the connection is gone, or given up on.
   */
  close(): Promise<void> {
    return this.#connection.close();
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
        `Cannot send message as the client must be connected: it is ${state}; call connect() first`,
      );
    }
  }

  /** Asks the `validate` of the options; throws if the message is to be dropped. */
  #check(message: WireMessage): readonly ValidationIssue[] {
    const { validate } = this.#settings;
    return validate === undefined ? [] : checkBeforeSending(message, validate);
  }

  #warn(message: WireMessage, warnings: readonly ValidationIssue[]): void {
    if (warnings.length === 0 || this.#emitter.emit("warning", message, warnings) !== "unheard") return;
    this.#unheardWarnings.tell(warnings);
  }

  #drop(drop: Drop): void {
    this.#counts.dropped++;
    if (this.#emitter.emit("drop", drop) === "unheard") unheard("drop", describeDrop(drop));
  }

  /** A message, or a fault, has come in one frame or in chunks. */
  #received(received: Exclude<Received, null>, { session }: Link): void {
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

  #sessionEvents(): SessionEvents<Link> {
    const emitter = this.#emitter;
    return {
      collected: (received, link) => this.#received(received, link),
      wantsStreams: () => emitter.has("stream"),
      streamed: (envelope, segments) => {
        this.#counts.received++;
        if (emitter.emit("stream", envelope, segments) === "unheard") void segments.return(); // never rejects
      },
      refused: (message, { code }) =>
        this.#connection.outbox.refuse(message, code === "too_large" ? code : "unconfirmed"),
    };
  }
}
