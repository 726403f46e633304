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
import { helloFeatures, isReserved, pingMessage, pingNumber, pongMessage } from "./hello.ts";
import { CHUNK_NAME, type ChunkFrame, chunkMessage, notAgreed, readChunk } from "./transfer/frames.ts";
import { streamText } from "./transfer/text.ts";
import { isLarge, type SendStreamOptions, type TransferLimits, Transfers } from "./transfer/transfers.ts";

/** Content of a frame: a message, or the fault for which it is not one; `null` if the frame was the session's own. */
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
  /** A frame has come that belongs to a transfer and does not count as a message. */
  transferFrameReceived?(): void;
  /** The other side has answered a ping: it has handled everything that was sent before this time. */
  confirmed?(sentBefore: number): void;
}

/** Events of a session, beside the frames that `receive` returns. */
export interface SessionEvents<Channel> {
  /** A text has come in chunks: it was a message, or had a fault. */
  collected(received: Exclude<Received, null>, channel: Channel): void;
  /** Returns true if a handler reads messages as streams. */
  wantsStreams(): boolean;
  /** A message has begun to come in chunks, and is read as a stream. */
  streamed(envelope: MessageEnvelope, segments: SegmentReader, channel: Channel): void;
  /** The other side has refused a message that was sent in chunks, or did not receive it in time. */
  refused(message: WireMessage, error: MessageConnectionError, channel: Channel): void;
}

/** Options of all sessions of one client or server. */
export interface SessionOptions {
  readonly decode: DecodeOptions;
  readonly transfers: TransferLimits;
  /** Features that a client offers to its server; `null` on a server, which has agreed during the handshake. */
  readonly offered: readonly string[] | null;
  /**
   * True if the text of a message can be found by the message alone while its handlers run. Otherwise the owner asks
   * {@linkcode Session.textOf}, which costs less for each message.
   */
  readonly sharesTexts: boolean;
}

function nameNotAgreed(): MessageDecodeError {
  return notAgreed("$.message_type_name", "a name that was agreed on", "a maim_ name");
}

/** Returns an error that is a fault of the other side; throws any other. */
function asFault(error: unknown): MessageDecodeError {
  if (error instanceof MessageDecodeError) return error;
  throw error;
}

/**
 * The protocol over one connection, the same for clients and servers: features agreed on, pings, large messages in
 * chunks, and what each incoming frame is.
 */
export class Session<Channel extends SessionChannel = SessionChannel> {
  /** Features agreed on; `null` until the server's hello, and always with a server of another library. */
  #features: readonly string[] | null;
  readonly #channel: Channel;
  readonly #events: SessionEvents<Channel>;
  readonly #options: SessionOptions;
  #transfers: Transfers | null = null;
  /** Times at which the pings without an answer were sent, by number. */
  #pings: Map<number, number> | null = null;
  #lastPing = 0;
  /** The message whose handlers are running. */
  #message: WireMessage | null = null;
  /** The text that message came in as. */
  #text = "";

  /** Creates a session; `features` were agreed on during the handshake, `null` if none were. */
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

  /** True if the other side answers a ping once the handlers of all messages before it were called. */
  get answersPings(): boolean {
    return this.#hasFeature("ping");
  }

  #hasFeature(name: string): boolean {
    return this.#features?.includes(name) ?? false;
  }

  // ---- incoming

  /** Decodes one frame; `null` is a binary one. A frame of the session's own is handled here. */
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

  /** Returns the text that a message came in as, while its handlers are running. */
  textOf(message: WireMessage): string | undefined {
    return message === this.#message ? this.#text : undefined;
  }

  /** Handles a message of the library itself; throws if it was not agreed on. */
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

  /** Handles a ping or pong; returns false for a pong where nobody asks for one. */
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

  /** Queues one message: in one frame, or in chunks if it is large and that was agreed on. */
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
   * @throws {MessageEncodeError} Synchronously, if the message breaks a rule of the protocol.
   */
  stream(message: StreamMessage, options: SendStreamOptions): Promise<void> {
    const { source, total } = streamText(message);
    return this.#openTransfers().sendStream(source, total, options);
  }

  /** Returns the number of a new ping and remembers the time. */
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
   * Returns the time before which everything is confirmed by the pong with this number: when its ping was sent.
   * `-Infinity` if there was no such ping.
   */
  confirmedBy(number: number): number {
    const sentAt = this.#pings?.get(number);
    if (sentAt === undefined) return -Infinity;
    for (const earlier of this.#pings?.keys() ?? []) if (earlier <= number) this.#pings?.delete(earlier);
    return sentAt;
  }

  /** Ends all transfers: the connection has ended, or is about to. */
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
