import { decodeMessage, type DecodeOptions } from "../codec/decode.ts";
import { encodeMessage } from "../codec/encode.ts";
import { MessageDecodeError } from "../codec/errors.ts";
import type { MessageEnvelope, StreamMessage } from "../codec/stream/types.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import { runtime } from "../runtime/mod.ts";
import { isCustom } from "../schema/guards.ts";
import type { CustomMessage, WireMessage } from "../schema/types.ts";
import type { MessageConnectionError } from "../util/connection_error.ts";
import type { Heard } from "../util/emitter.ts";
import { forgetText, keepText } from "./forward_text.ts";
import { helloFeatures, pingMessage, pingNumber, pongMessage } from "./hello.ts";
import { isReserved } from "./reserved_names.ts";
import { CHUNK_NAME, type ChunkFrame, chunkMessage, notAgreed, readChunk } from "./transfer/frames.ts";
import { streamText } from "./transfer/text.ts";
import { isLarge, type SendStreamOptions, type TransferLimits, Transfers } from "./transfer/transfers.ts";

/**
 * Content of a frame: a message, or the error that says why it is not a message; `null` if the frame was for the
 * session itself.
 */
export type Received = WireMessage | MessageDecodeError | null;

/** The connection that a session runs over: a link of a client, or a peer of a server. */
export interface SessionChannel {
  /** Name of the client's side. */
  readonly platform: string;
  /** Bytes that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /** Queues one text frame that carries a message. */
  sendFrame(text: string): void;
  /** Queues one frame that the session itself sends, for example a ping; does nothing if the connection is ending. */
  sendOwn(text: string): void;
  /** A frame was received that a transfer needs. It does not count as a message. */
  transferFrameReceived?(): void;
  /** An incoming transfer was refused, because those of all connections hold too much text. */
  transfersFull?(): void;
  /** The other side has answered a ping: it has handled every message sent before the time `sentBefore`. */
  confirmed?(sentBefore: number): void;
}

/** Events of a session, in addition to the results that `receive` returns. */
export interface SessionEvents<Channel> {
  /** A whole text was received in chunks. `received` is the message, or an error if the text is not a message. */
  collected(received: Exclude<Received, null>, channel: Channel): void;
  /** Returns true if a handler reads messages as streams. */
  wantsStreams(): boolean;
  /** A message that is read as a stream has begun to arrive in chunks. */
  streamed(envelope: MessageEnvelope, segments: SegmentReader, channel: Channel): void;
  /** The other side has refused a message that was sent in chunks, or did not receive it in time. */
  refused(message: WireMessage, error: MessageConnectionError, channel: Channel): void;
}

/** Options of all sessions of one client or server. */
export interface SessionOptions {
  readonly decode: DecodeOptions;
  readonly transfers: TransferLimits;
  /**
   * Features that a client offers to its server; `null` on a server, because a server agrees on features during the
   * handshake.
   */
  readonly offered: readonly string[] | null;
  /**
   * True if the received text of a message can be looked up with only the message object while its handlers run. If
   * false, the owner of the session has to call {@linkcode Session.textOf}; this way costs less for each message.
   */
  readonly sharesTexts: boolean;
}

function nameNotAgreed(): MessageDecodeError {
  return notAgreed("$.message_type_name", "a name that was agreed on", "a maim_ name");
}

/** Returns an error that the other side has caused; throws any other error. */
function asFault(error: unknown): MessageDecodeError {
  if (error instanceof MessageDecodeError) return error;
  throw error;
}

/**
 * The protocol on one connection, the same for clients and servers. A session agrees on features, sends and answers
 * pings, sends and receives large messages in chunks, and decides what each received frame is.
 */
export class Session<Channel extends SessionChannel = SessionChannel> {
  /**
   * Features that both sides agreed on; `null` until the server's hello was received. A server of another library sends
   * no hello, so the value stays `null`.
   */
  #features: readonly string[] | null;
  readonly #channel: Channel;
  readonly #events: SessionEvents<Channel>;
  readonly #options: SessionOptions;
  #transfers: Transfers | null = null;
  /** Times at which the pings that are not answered yet were sent. The key is the number of the ping. */
  #pings: Map<number, number> | null = null;
  #lastPing = 0;
  /** The message whose handlers are running. */
  #message: WireMessage | null = null;
  /** The received text of `#message`. */
  #text = "";

  /** Creates a session. `features` are the features agreed on during the handshake; `null` if none were agreed on. */
  constructor(
    channel: Channel,
    events: SessionEvents<Channel>,
    options: SessionOptions,
    features: readonly string[] | null,
  ) {
    this.#channel = channel;
    this.#events = events;
    this.#options = options;
    this.#features = features;
  }

  /** True if the other side accepts messages in chunks. */
  get takesChunks(): boolean {
    return this.#hasFeature("chunks");
  }

  /** True if the other side answers a ping only after it has called the handlers of all messages before the ping. */
  get answersPings(): boolean {
    return this.#hasFeature("ping");
  }

  #hasFeature(name: string): boolean {
    return this.#features?.includes(name) ?? false;
  }

  // ---- incoming

  /**
   * Decodes one frame; `text` is `null` for a binary frame. If the frame is for the session itself, handles it and
   * returns `null`.
   */
  receive(text: string | null): Received {
    try {
      if (text === null) throw notAgreed("$", "a text frame", "a binary frame");
      const message = decodeMessage(text, this.#options.decode);
      if (isCustom(message) && isReserved(message.message_type_name)) return this.#receiveOwn(message);
      this.#remember(message, text);
      return message;
    } catch (error) {
      return asFault(error);
    }
  }

  /** Remembers the text of a message until its handlers have returned. */
  #remember(message: WireMessage, text: string): void {
    this.#message = message;
    this.#text = text;
    if (this.#options.sharesTexts) keepText(message, text);
  }

  /** The handlers of the last message have returned. */
  handled(heard: Heard): void {
    if (this.#message !== null) {
      if (heard === "pending") keepText(this.#message, this.#text);
      else if (this.#options.sharesTexts) forgetText(this.#message);
    }
    this.#message = null;
    this.#text = "";
  }

  /** Returns the received text of a message while its handlers are running; otherwise `undefined`. */
  textOf(message: WireMessage): string | undefined {
    return message === this.#message ? this.#text : undefined;
  }

  /** Handles a message with a reserved name; throws if its feature was not agreed on. */
  #receiveOwn(message: CustomMessage): null {
    const { offered } = this.#options;
    if (this.#features === null && offered !== null) {
      this.#features = helloFeatures(message, offered);
      if (this.#features !== null) return null;
    } else if (this.takesChunks && message.message_type_name === CHUNK_NAME) {
      this.#receiveChunk(readChunk(message.content));
      return null;
    } else if (this.answersPings) {
      const number = pingNumber(message);
      if (number !== null && this.#receivePing(message.message_type_name, number)) return null;
    }
    throw nameNotAgreed();
  }

  #receiveChunk(frame: ChunkFrame): void {
    const transfers = this.#openTransfers();
    if (transfers.needsFrame(frame)) this.#channel.transferFrameReceived?.();
    transfers.receive(frame);
  }

  /** Handles a ping or pong. Returns false for a pong if this side sends no pings. */
  #receivePing(name: string, number: number): boolean {
    if (name === "maim_ping") {
      this.#channel.sendOwn(encodeMessage(pongMessage(number, this.#channel.platform)));
      return true;
    }
    if (this.#channel.confirmed === undefined) return false;
    this.#channel.confirmed(this.confirmedBy(number));
    return true;
  }

  // ---- outgoing

  /** Queues one message: in chunks if it is large and chunks were agreed on, otherwise in one frame. */
  send(message: WireMessage, text: string): void {
    if (!isLarge(text) || !this.takesChunks) return this.#channel.sendFrame(text);
    for (const frame of this.#openTransfers().framesOf(message, text)) {
      this.#channel.sendFrame(encodeMessage(chunkMessage(frame, this.#channel.platform)));
    }
  }

  /**
   * Sends a message as a stream of chunks.
   *
   * @returns Resolves when the other side has read the whole message.
   * @throws {MessageEncodeError} If the message breaks a rule of the protocol. It is thrown synchronously, not as a
   * rejection.
   */
  stream(message: StreamMessage, options: SendStreamOptions): Promise<void> {
    const { source, total } = streamText(message);
    return this.#openTransfers().sendStream(source, total, options);
  }

  /** Returns the number of a new ping, and remembers the current time for it. */
  newPing(): number {
    this.#pings ??= new Map();
    this.#pings.set(++this.#lastPing, runtime.now());
    return this.#lastPing;
  }

  /** Sends a ping. */
  ping(): void {
    this.#channel.sendOwn(encodeMessage(pingMessage(this.newPing(), this.#channel.platform)));
  }

  /**
   * Returns the time at which the ping with this number was sent; `-Infinity` if there was no such ping. The pong
   * confirms everything that was sent before this time. The ping and all earlier pings are forgotten.
   */
  confirmedBy(number: number): number {
    const sentAt = this.#pings?.get(number);
    if (sentAt === undefined) return -Infinity;
    for (const earlier of this.#pings?.keys() ?? []) if (earlier <= number) this.#pings?.delete(earlier);
    return sentAt;
  }

  /** Ends all transfers, because the connection has ended or is about to end. */
  end(error: MessageConnectionError): void {
    this.#transfers?.end(error);
  }

  /** Creates the transfers on first use: most connections need none. */
  #openTransfers(): Transfers {
    const [channel, events] = [this.#channel, this.#events];
    return this.#transfers ??= new Transfers({
      sendFrame: (frame) => channel.sendOwn(encodeMessage(chunkMessage(frame, channel.platform))),
      buffered: () => channel.bufferedAmount,
      wantsStreams: () => events.wantsStreams(),
      streamed: (envelope, segments) => events.streamed(envelope, segments, channel),
      collected: (text) => this.#receiveCollected(text),
      invalid: (error) => events.collected(error, channel),
      refused: (message, error) => events.refused(message, error, channel),
      full: () => channel.transfersFull?.(),
    }, this.#options.transfers);
  }

  /** Handles a text that came in chunks; returns true if it was a message. */
  #receiveCollected(text: string): boolean {
    const received = this.#decodeCollected(text);
    this.#events.collected(received, this.#channel);
    return !(received instanceof MessageDecodeError);
  }

  #decodeCollected(text: string): Exclude<Received, null> {
    try {
      const message = decodeMessage(text, this.#options.decode);
      if (isCustom(message) && isReserved(message.message_type_name)) throw nameNotAgreed();
      this.#remember(message, text);
      return message;
    } catch (error) {
      return asFault(error);
    }
  }
}
