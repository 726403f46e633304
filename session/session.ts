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
import {
  Confirmation,
  type ConfirmationHost,
  type ConfirmationLimits,
  type Proof,
  type SentMessage,
} from "./confirmation.ts";
import { forgetText, keepText } from "./forward_text.ts";
import { helloFeatures, isLastPing, pingMessage, pingNumber, pongMessage } from "./hello.ts";
import { PingAnswers } from "./ping_answers.ts";
import { asFault, type Content, nameNotAgreed, type Received } from "./received.ts";
import { isReserved } from "./reserved_names.ts";
import type { RoundMember, Rounds } from "./rounds.ts";
import { CHUNK_NAME, type ChunkFrame, chunkMessage, notAgreed, readChunk } from "./transfer/frames.ts";
import { streamText } from "./transfer/text.ts";
import { isLarge, type SendStreamOptions, type TransferLimits, Transfers } from "./transfer/transfers.ts";

export type { Content, Received } from "./received.ts";

/** The connection that a session runs over: a link of a client, or a peer of a server. */
export interface SessionChannel {
  /** Name of the client's side. */
  readonly platform: string;
  /** Bytes that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /** Time at which something was last received; `Infinity` if this side does not notice that the other is silent. */
  readonly heardAt: number;
  /** True if {@linkcode SessionChannel.protocolPing} works. */
  readonly canPing: boolean;
  /** True if {@linkcode SessionChannel.findOut} works. */
  readonly canFindOut: boolean;
  /** Queues one text frame that carries a message. */
  sendFrame(text: string): void;
  /** Queues one frame that the session itself sends, for example a ping; does nothing if the connection is ending. */
  sendOwn(text: string): void;
  /** Sends a protocol ping, to a server or client of another library. */
  protocolPing(payload: string): void;
  /** Asks the other side for any answer, because nothing was received from it yet. */
  findOut(): void;
  /** The other side has confirmed messages: there may be room for more of them. */
  confirmed(): void;
  /** The other side has not answered a ping in time: gives it up. */
  unanswered(): void;
  /** The other side sends far more pings than it has to. */
  pingFlood(): void;
  /** An incoming transfer was refused, because those of all connections hold too much text. */
  transfersFull?(): void;
}

/** Events of a session, in addition to the results that `receive` returns. */
export interface SessionEvents<Channel, Item> {
  /** Visits the sessions whose messages are not confirmed yet. */
  readonly rounds: Rounds;
  /** A whole text was received in chunks. `received` is the message, or an error if the text is not a message. */
  collected(received: Content, channel: Channel): void;
  /** Returns true if a handler reads messages as streams. */
  wantsStreams(): boolean;
  /** A message that is read as a stream has begun to arrive in chunks. */
  streamed(envelope: MessageEnvelope, segments: SegmentReader, channel: Channel): void;
  /** The other side has refused a message that was sent in chunks, or did not receive it in time. */
  refused(item: Item, error: MessageConnectionError, channel: Channel): void;
}

/** Options of all sessions of one client or server. */
export interface SessionOptions {
  readonly decode: DecodeOptions;
  readonly transfers: TransferLimits;
  readonly confirmation: ConfirmationLimits;
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

/**
 * The protocol on one connection, the same for clients and servers. A session agrees on features, sends and answers
 * pings, knows which messages are not confirmed, sends and receives large messages in chunks, and decides what each
 * received frame is.
 */
export class Session<Channel extends SessionChannel, Item extends SentMessage>
  implements ConfirmationHost, RoundMember {
  /**
   * Features that both sides agreed on; `null` until the server's hello was received. A server of another library sends
   * no hello, so the value stays `null`.
   */
  #features: readonly string[] | null;
  readonly #channel: Channel;
  readonly #events: SessionEvents<Channel, Item>;
  readonly #options: SessionOptions;
  #transfers: Transfers | null = null;
  #confirmation: Confirmation<Item> | null = null;
  #pingAnswers: PingAnswers | null = null;
  /** True if something was received. The hello comes before everything else, so without one the server is foreign. */
  #wasHeard = false;
  /** Characters received so far. */
  received = 0;
  #isVisited = false;
  /** The message whose handlers are running. */
  #message: WireMessage | null = null;
  /** The received text of `#message`. */
  #text = "";

  /** Creates a session. `features` are the features agreed on during the handshake; `null` if none were agreed on. */
  constructor(
    channel: Channel,
    events: SessionEvents<Channel, Item>,
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

  /** True if the server's hello was not received, but may still be received. */
  get isUnknown(): boolean {
    return this.#features === null && this.#options.offered !== null && !this.#wasHeard;
  }

  /** What the answer to a ping proves. */
  get proof(): Proof {
    if (this.answersPings) return "handled";
    if (this.isUnknown) return "unknown";
    return this.#channel.canPing ? "read" : "nothing";
  }

  get bufferedAmount(): number {
    return this.#channel.bufferedAmount;
  }

  get heardAt(): number {
    return this.#channel.heardAt;
  }

  #hasFeature(name: string): boolean {
    return this.#features?.includes(name) ?? false;
  }

  // ---- incoming

  /** Something was received that is not a frame, for example a protocol pong. */
  heard(): void {
    this.#wasHeard = true;
  }

  /** Decodes one frame; `text` is `null` for a binary frame. A frame for the session itself is also handled. */
  receive(text: string | null): Received {
    this.#wasHeard = true;
    try {
      if (text === null) throw notAgreed("$", "a text frame", "a binary frame");
      this.received += text.length;
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
  #receiveOwn(message: CustomMessage): "own" | "own_counted" {
    const { offered } = this.#options;
    if (this.#features === null && offered !== null) {
      this.#features = helloFeatures(message, offered);
      if (this.#features !== null) {
        this.#becameKnown();
        return "own";
      }
    } else if (this.takesChunks && message.message_type_name === CHUNK_NAME) {
      return this.#receiveChunk(readChunk(message.content));
    } else if (this.answersPings) {
      const number = pingNumber(message);
      if (number !== null) return this.#receivePing(message, number);
    }
    throw nameNotAgreed();
  }

  /** The hello came late: a protocol pong proves too little from now on, so what was sent before needs a ping. */
  #becameKnown(): void {
    if (this.#confirmation === null) return;
    this.#confirmation.forgetQuestion();
    if (!this.#isVisited) this.#visit();
  }

  #receiveChunk(frame: ChunkFrame): "own" | "own_counted" {
    const transfers = this.#openTransfers();
    const isNeeded = transfers.needsFrame(frame);
    transfers.receive(frame);
    return isNeeded ? "own" : "own_counted";
  }

  #receivePing(message: CustomMessage, number: number): "own" | "own_counted" {
    if (message.message_type_name !== "maim_ping") return this.#receivePong(number) ? "own" : "own_counted";
    this.#pingAnswers ??= new PingAnswers((answered) => {
      this.#channel.sendOwn(encodeMessage(pongMessage(answered, this.#channel.platform)));
    });
    // The other side is about to close. Its answer to this ping comes before that, so it can still confirm messages.
    if (isLastPing(message) && this.#confirmation?.isConfirmed === false) this.ask({ isLast: false });
    const result = this.#pingAnswers.receive(number);
    if (result === "later") this.#visit();
    if (result === "flood") this.#channel.pingFlood();
    return "own";
  }

  #receivePong(number: number): boolean {
    return this.#confirmation?.answer(number) ?? false;
  }

  /** A protocol pong was received. */
  protocolPong(payload: string): void {
    this.heard();
    if (!this.answersPings) this.#receivePong(Number(payload));
  }

  // ---- outgoing

  /** True if one more message may be sent. If false, too many messages are not confirmed. */
  get hasRoom(): boolean {
    return this.#confirmation?.hasRoom ?? true;
  }

  /** Queues one message: in chunks if it is large and chunks were agreed on, otherwise in one frame. */
  send(item: Item, text: string): void {
    item.sentAt = runtime.now();
    const confirmation = this.#openConfirmation();
    if (!this.#isVisited) this.#visit();
    if (!isLarge(text) || !this.takesChunks) {
      this.#channel.sendFrame(text);
      return confirmation.add(item);
    }
    const { id, frames } = this.#openTransfers().wholeText(text);
    for (const frame of frames) {
      this.#channel.sendFrame(encodeMessage(chunkMessage(frame, this.#channel.platform)));
    }
    confirmation.addWhole(id, item);
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

  /**
   * Asks the other side to confirm everything that was sent so far.
   *
   * @param options `isLast` tells a peer of this library that this side is about to close.
   * @returns False if the other side cannot be asked.
   */
  ask(options: { isLast: boolean }): boolean {
    if (!this.#openConfirmation().ask(options)) return false;
    if (!this.#isVisited) this.#visit();
    return true;
  }

  /** True if everything that was sent is confirmed, as far as the other side can confirm messages. */
  get isConfirmed(): boolean {
    return this.#confirmation?.isConfirmed ?? true;
  }

  /** See {@linkcode Confirmation.confirmedSoFar}. */
  confirmedSoFar(): () => boolean {
    return this.#openConfirmation().confirmedSoFar();
  }

  /** True if no answer to a ping is expected. */
  get isAnswered(): boolean {
    return this.#confirmation?.isAnswered ?? true;
  }

  sendPing(number: number, isLast: boolean): boolean {
    if (this.answersPings) {
      this.#channel.sendOwn(encodeMessage(pingMessage(number, isLast, this.#channel.platform)));
      return true;
    }
    if (this.#channel.canPing) this.#channel.protocolPing(`${number}`);
    return this.#channel.canPing;
  }

  get canFindOut(): boolean {
    return this.#channel.canFindOut;
  }

  findOut(): void {
    this.#channel.findOut();
  }

  confirmed(): void {
    this.#channel.confirmed();
  }

  unanswered(): void {
    this.#channel.unanswered();
  }

  #visit(): void {
    this.#isVisited = true;
    this.#events.rounds.add(this);
  }

  /** Does what is due: see {@linkcode Confirmation.round}, and pings that were not answered at once. */
  round(now: number): boolean {
    const mustConfirm = this.#confirmation?.round(now) ?? false;
    const mustAnswer = this.#pingAnswers?.answerLate() ?? false;
    this.#isVisited = mustConfirm || mustAnswer;
    return this.#isVisited;
  }

  /**
   * Takes out the messages that are in doubt, because no more are sent or confirmed on this connection. `silentSince` is
   * the time from which the other side was silent; `Infinity` if it was not silent.
   */
  takeInDoubt(silentSince: number): Item[] {
    return this.#confirmation?.takeInDoubt(runtime.now(), silentSince) ?? [];
  }

  /** This side begins to close: see {@linkcode Confirmation.beginEnd}. */
  beginEnd(): void {
    this.#openConfirmation().beginEnd();
  }

  /** Ends all transfers, because the connection has ended or is about to end. */
  end(error: MessageConnectionError): void {
    this.#transfers?.end(error);
  }

  /** The connection has ended: the session needs no more rounds. */
  leaveRounds(): void {
    this.#events.rounds.remove(this);
  }

  /** Creates the confirmation on first use: many connections only receive. */
  #openConfirmation(): Confirmation<Item> {
    return this.#confirmation ??= new Confirmation<Item>(this.#options.confirmation, this);
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
      answered: (id, error) => {
        const item = this.#confirmation?.takeWhole(id);
        if (item !== undefined && error !== null) events.refused(item, error, channel);
        channel.confirmed();
      },
      full: () => channel.transfersFull?.(),
    }, this.#options.transfers);
  }

  /** Handles a text that came in chunks; returns true if it was a message. */
  #receiveCollected(text: string): boolean {
    const received = this.#decodeCollected(text);
    this.#events.collected(received, this.#channel);
    return !(received instanceof MessageDecodeError);
  }

  #decodeCollected(text: string): Content {
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
