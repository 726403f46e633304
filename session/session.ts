import { decodeMessage, type DecodeOptions } from "../codec/decode.ts";
import { encodeMessage } from "../codec/encode.ts";
import { MessageDecodeError } from "../codec/errors.ts";
import type { MessageEnvelope, StreamMessage } from "../codec/stream/message_text.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import { runtime } from "../runtime/mod.ts";
import { isCustom } from "../schema/guards.ts";
import type { CustomMessage, WireMessage } from "../schema/types.ts";
import type { MessageConnectionError } from "../util/connection_error.ts";
import type { Heard } from "../util/emitter.ts";
import { forgetText, keepText } from "./forward_text.ts";
import { helloFeatures, isReserved, pingMessage, pingNumber, pongMessage } from "./hello.ts";
import { CHUNK_NAME, type ChunkFrame, chunkMessage, notAgreed, readChunk } from "./transfer/frames.ts";
import { streamText } from "./transfer/text.ts";
import { isLarge, type SendStreamOptions, type TransferLimits, Transfers } from "./transfer/transfers.ts";

/** What a frame holds: a message, the fault by which it is none, or `null` for a frame of the session's own. */
export type Received = WireMessage | MessageDecodeError | null;

/** The connection that a session runs over: a link of a client, or a peer of a server. */
export interface SessionChannel {
  /** Name of the client's side. */
  readonly platform: string;
  /** Bytes that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /** Queues one text frame that carries a message. */
  sendFrame(text: string): void;
  /** Queues one frame of the session's own; does nothing if the connection is ending. */
  sendOwn(text: string): void;
  /** A frame of a transfer has come that is not a message by itself. */
  partReceived?(): void;
  /** The other side has answered a ping: everything sent before this time was handled there. */
  confirmed?(sentBefore: number): void;
}

/** What happens on a session beside the frames that `receive` returns. */
export interface SessionEvents<Channel> {
  /** A message has come in chunks, or is none; returns whether it was one. */
  collected(received: Exclude<Received, null>, channel: Channel): void;
  /** Whether somebody reads messages as they come. */
  wantsStreams(): boolean;
  /** A message has begun to come in chunks. */
  streamed(envelope: MessageEnvelope, segments: SegmentReader, channel: Channel): void;
  /** The other side will not have a message that went in chunks, or did not get it in time. */
  refused(message: WireMessage, error: MessageConnectionError, channel: Channel): void;
}

/** How the sessions of one client or server behave. */
export interface SessionOptions {
  readonly decode: DecodeOptions;
  readonly transfers: TransferLimits;
  /** What a client offers, and its server may agree to; `null` on a server, which has agreed in the handshake. */
  readonly offered: readonly string[] | null;
  /**
   * Whether the text of a message can be found by the message alone while its handlers run. Without it the owner asks
   * {@linkcode Session.textOf}, which costs less for each message.
   */
  readonly sharesTexts: boolean;
}

/**
 * The conversation over one connection, the same on both sides: what was agreed on by hello, pings, messages that go in
 * chunks, and what each frame is.
 */
export class Session<Channel extends SessionChannel = SessionChannel> {
  /** What both sides agreed on; `null` before the server spoke, and for ever with one of another kind. */
  #features: readonly string[] | null;
  readonly #channel: Channel;
  readonly #events: SessionEvents<Channel>;
  readonly #options: SessionOptions;
  #transfers: Transfers | null = null;
  /** When each ping without an answer was sent, by its number. */
  #pings: Map<number, number> | null = null;
  #lastPing = 0;
  /** The message whose handlers are being called, and the text it came in as. */
  #message: WireMessage | null = null;
  #text = "";

  /** Starts with what the handshake agreed on, if anything. */
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

  /** Whether messages may go in chunks. */
  get takesChunks(): boolean {
    return this.#agrees("chunks");
  }

  /** Whether the other side answers pings, once the handlers of all messages before were called. */
  get answersPings(): boolean {
    return this.#agrees("ping");
  }

  #agrees(feature: string): boolean {
    return this.#features?.includes(feature) ?? false;
  }

  // ---- in

  /** Decodes one frame, `null` for a binary one, and answers it if it is the session's own. */
  receive(text: string | null): Received {
    try {
      if (text === null) throw notAgreed("$", "a text frame", "a binary frame");
      const message = decodeMessage(text, this.#options.decode);
      if (isCustom(message) && isReserved(message.message_type_name)) return this.#takeOwn(message);
      this.#hold(message, text);
      return message;
    } catch (error) {
      if (error instanceof MessageDecodeError) return error;
      throw error;
    }
  }

  /** Holds the text of a message until its handlers have returned. */
  #hold(message: WireMessage, text: string): void {
    this.#message = message;
    this.#text = text;
    if (this.#options.sharesTexts) keepText(message, text);
  }

  /** The handlers of the message that came last have returned. */
  handled(heard: Heard): void {
    if (this.#message !== null) {
      if (heard === "pending") keepText(this.#message, this.#text);
      else if (this.#options.sharesTexts) forgetText(this.#message);
    }
    this.#message = null;
    this.#text = "";
  }

  /** The text that a message came in as, while its handlers are being called. */
  textOf(message: WireMessage): string | undefined {
    return message === this.#message ? this.#text : undefined;
  }

  /** The conversation of the library itself; what was not agreed on is a fault. */
  #takeOwn(message: CustomMessage): null {
    const { offered } = this.#options;
    if (this.#features === null && offered !== null) {
      this.#features = helloFeatures(message, offered);
      if (this.#features !== null) return null;
    } else if (this.takesChunks && message.message_type_name === CHUNK_NAME) {
      this.#takeChunk(readChunk(message.content));
      return null;
    } else if (this.answersPings) {
      const number = pingNumber(message);
      if (number !== null && this.#takePing(message.message_type_name, number)) return null;
    }
    throw notAgreed("$.message_type_name", "a name that was agreed on", "a maim_ name");
  }

  #takeChunk(frame: ChunkFrame): void {
    const transfers = this.#openTransfers();
    if (transfers.isDue(frame)) this.#channel.partReceived?.();
    transfers.take(frame);
  }

  /** Answers a ping; returns false for a pong where nobody asks. */
  #takePing(name: string, number: number): boolean {
    if (name === "maim_ping") {
      this.#channel.sendOwn(encodeMessage(pongMessage(number, this.#channel.platform)));
      return true;
    }
    if (this.#channel.confirmed === undefined) return false;
    this.#channel.confirmed(this.answered(number));
    return true;
  }

  // ---- out

  /** Queues one message, in one frame or, where it is large and that was agreed on, in chunks. */
  send(text: string, message: WireMessage): void {
    if (!isLarge(text) || !this.takesChunks) return this.#channel.sendFrame(text);
    for (const frame of this.#openTransfers().whole(text, message)) {
      this.#channel.sendFrame(encodeMessage(chunkMessage(frame, this.#channel.platform)));
    }
  }

  /**
   * Streams a message in chunks.
   *
   * @returns Resolves when the other side has read all of it.
   * @throws {MessageEncodeError} At once, if the message breaks a rule of the wire.
   */
  stream(message: StreamMessage, options: SendStreamOptions): Promise<void> {
    const { source, total } = streamText(message);
    return this.#openTransfers().send(source, total, options);
  }

  /** Numbers a ping that is about to be sent, and keeps the time. */
  newPing(): number {
    this.#pings ??= new Map();
    this.#pings.set(++this.#lastPing, runtime.now());
    return this.#lastPing;
  }

  /** Sends a ping. */
  ping(): void {
    this.#channel.sendOwn(encodeMessage(pingMessage(this.newPing(), this.#channel.platform)));
  }

  /** When the ping of a number was sent: what was sent before it is confirmed. A pong without its ping confirms nothing. */
  answered(number: number): number {
    const at = this.#pings?.get(number);
    if (at === undefined) return -Infinity;
    for (const earlier of this.#pings?.keys() ?? []) if (earlier <= number) this.#pings?.delete(earlier);
    return at;
  }

  /** Ends what is under way in chunks; the connection has ended, or will. */
  end(error: MessageConnectionError): void {
    this.#transfers?.end(error);
  }

  /** Most connections never need it. */
  #openTransfers(): Transfers {
    const [channel, events] = [this.#channel, this.#events];
    return this.#transfers ??= new Transfers({
      post: (frame) => channel.sendOwn(encodeMessage(chunkMessage(frame, channel.platform))),
      buffered: () => channel.bufferedAmount,
      wantsStreams: () => events.wantsStreams(),
      stream: (envelope, segments) => events.streamed(envelope, segments, channel),
      text: (text) => this.#collect(text),
      invalid: (error) => events.collected(error, channel),
      refused: (message, error) => events.refused(message, error, channel),
    }, this.#options.transfers);
  }

  /** Decodes a text that came in chunks; returns whether it was a message. */
  #collect(text: string): boolean {
    const received = this.#decodeCollected(text);
    this.#events.collected(received, this.#channel);
    return !(received instanceof MessageDecodeError);
  }

  #decodeCollected(text: string): Exclude<Received, null> {
    try {
      const message = decodeMessage(text, this.#options.decode);
      if (isCustom(message) && isReserved(message.message_type_name)) {
        throw notAgreed("$.message_type_name", "a name that was agreed on", "a maim_ name");
      }
      this.#hold(message, text);
      return message;
    } catch (error) {
      if (error instanceof MessageDecodeError) return error;
      throw error;
    }
  }
}
