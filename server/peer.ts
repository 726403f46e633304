import { encodeMessage } from "../codec/encode.ts";
import type { DecodeOptions } from "../codec/decode.ts";
import type { MessageDecodeError } from "../codec/errors.ts";
import { createCustom, type CustomMessage, type MessageBase, type WireMessage } from "../schema/rules.ts";
import type { Caller } from "./admission.ts";
import { CHUNK_NAME, chunkMessage, readChunk } from "../session/transfer/frames.ts";
import type { Heard } from "../util/emitter.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { helloMessage, pingNumber, pongMessage, refuseReserved } from "../session/hello.ts";
import { type InboundHandlers, receive } from "../session/inbound.ts";
import { Rate } from "./limits.ts";
import { runtime } from "../runtime/mod.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import type { MessageEnvelope, StreamMessage } from "../codec/stream/message_text.ts";
import type { ServerSocket, SocketEvents } from "../runtime/types.ts";
import { streamText, wholeMessage } from "../session/transfer/text.ts";
import type { Timer } from "../runtime/clock.ts";
import {
  isLarge,
  lineFell,
  type SendStreamOptions,
  type TransferLimits,
  Transfers,
} from "../session/transfer/transfers.ts";
import { utf8Length } from "../util/utf8.ts";

/** One connected client, as handlers see it. */
export interface Peer {
  /** Counts the connections of this server, from 1. */
  readonly id: number;
  /** Name from the handshake; `"default"` when it gave none. A message of its may speak for another. */
  readonly platform: string;
  /** IP address of the caller, empty where the runtime does not tell. */
  readonly address: string;
  /** Bytes queued that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /**
   * Sends one message to this connection, whatever its platform.
   *
   * @throws {MessageConnectionError} `closed` If the connection is ending.
   * @throws {MessageEncodeError} If the message can not be written.
   */
  send(message: WireMessage): void;
  /**
   * Sends a custom message to this connection.
   *
   * @throws {MessageConnectionError} `closed` If the connection is ending.
   * @throws {TypeError} If the name is empty or starts with `maim_`.
   */
  sendCustom(name: string, content: unknown): void;
  /**
   * Sends a message of any size in bounded memory, piece by piece, while other messages go on.
   *
   * Segments may hold a `Uint8Array`, a `Blob` or a `ReadableStream`. To a client of this library the message goes in
   * chunks, as fast as it reads them; to any other it is read into memory first and sent in one frame.
   *
   * @param message The message; once the line is known to be open, streams in it are taken, and cancelled on a failure.
   * @param options A signal that gives up, and a callback for progress.
   * @returns Resolves when the other side has read everything, or the one frame was queued.
   * @throws {MessageConnectionError} `closed` without a line or when it ends, `too_large`, `queue_full`, `timeout` or
   * `refused` when the other side will not have it.
   * @throws {MessageEncodeError} If the message can not be written; `too_large` if one frame must do and can not.
   */
  sendStream(message: StreamMessage, options?: SendStreamOptions): Promise<void>;
  /**
   * Ends the connection; the default is 1000 without a reason. Nothing it sends from here on reaches a handler.
   *
   * @throws {RangeError} If a close frame can not carry the code, or the reason takes more than 123 bytes.
   */
  close(code?: number, reason?: string): void;
}

/** What a peer tells its server. */
export interface PeerEvents {
  /** Lets it in, or has closed it and returns false. */
  admit(peer: ServerPeer): boolean;
  /** It has been let in, and greeted. */
  open(peer: ServerPeer): void;
  message(message: MessageBase, peer: ServerPeer): Heard;
  custom(message: CustomMessage, peer: ServerPeer): Heard;
  invalid(error: MessageDecodeError, peer: ServerPeer): void;
  /** Whether somebody reads messages piece by piece. */
  wantsStreams(): boolean;
  stream(envelope: MessageEnvelope, segments: SegmentReader, peer: ServerPeer): void;
  /** The other side will not have a message that went in pieces, or did not get it in time. */
  refused(message: WireMessage, reason: "too_large" | "slow", peer: ServerPeer): void;
  /** One message was queued, other than by {@linkcode ServerPeer.write}. */
  sent(): void;
  /** One message was not queued, as too much is; `null` was one of the library's own. */
  slow(peer: ServerPeer, message: WireMessage | null): void;
  /** It sends more than it may. */
  flood(peer: ServerPeer): void;
  close(peer: ServerPeer, code: number, reason: string): void;
  /** The socket is gone, whether it was let in or not. Comes last. */
  gone(peer: ServerPeer): void;
}

/** Milliseconds that an accepted handshake may take to become a socket. */
const OPEN_TIMEOUT = 10_000;
/** Milliseconds without a frame after which a peer is held to have stopped sending. */
const QUIET = 50;
/** Milliseconds after which a close frame is sent to a peer that never stops. */
const QUIET_LIMIT = 1000;
/** Milliseconds between two looks at what has not left yet. */
const FLUSH_LOOK = 5;

/** Codes a close frame may carry: 1004 to 1006 and 1015 are reserved, 1016 to 2999 belong to nobody. */
function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

type Life =
  | { readonly state: "opening"; readonly timer: Timer }
  | { readonly state: "open" }
  | { readonly state: "quieting"; readonly timer: Timer }
  | { readonly state: "closing" }
  | { readonly state: "closed" };

const OPEN: Life = { state: "open" };
const CLOSING: Life = { state: "closing" };
const CLOSED: Life = { state: "closed" };

/** How frames are read, and how long a goodbye may take. */
export interface PeerOptions extends DecodeOptions {
  strict: boolean;
  /** Milliseconds. */
  closeTimeout: number;
  messagesPerSecond: number;
  queuedBytes: number;
  transfers: TransferLimits;
}

/** The server's end of one connection: its life, from the accepted handshake to the end of the socket. */
export class ServerPeer implements Peer, SocketEvents {
  /** Shared by all, as there are many of them. */
  static readonly #inbound: InboundHandlers<ServerPeer> = {
    message: (message, peer) => peer.#events.message(message, peer),
    custom: (message, peer) => peer.#events.custom(message, peer),
    own: (message, peer) => peer.#answer(message),
    invalid: (error, peer) => peer.#invalid(error),
  };
  readonly id: number;
  readonly platform: string;
  readonly address: string;
  readonly #isAuthorized: boolean;
  /** Features agreed on by hello, or `null`. */
  readonly #features: readonly string[] | null;
  readonly #socket: ServerSocket;
  readonly #events: PeerEvents;
  readonly #options: PeerOptions;
  readonly #rate: Rate | null;
  #life: Life;
  /** Bytes that may be queued, at most: what was seen queued last, and all that was sent since. */
  #mayBeQueued = 0;
  #transfers: Transfers | null = null;
  /** When the last frame came; kept while it matters, as long as the peer is being quieted. */
  #lastFrame = 0;
  #isAdmitted = false;
  #isTurnedOut = false;

  constructor(id: number, caller: Caller, socket: ServerSocket, events: PeerEvents, options: PeerOptions) {
    this.id = id;
    this.platform = caller.platform;
    this.address = caller.address;
    this.#isAuthorized = caller.isAuthorized;
    this.#features = caller.features;
    this.#socket = socket;
    this.#events = events;
    this.#options = options;
    this.#rate = options.messagesPerSecond === Infinity ? null : new Rate(options.messagesPerSecond);
    // Deno 2.9 tells nothing of a caller that vanished before its socket was open.
    this.#life = { state: "opening", timer: runtime.after(OPEN_TIMEOUT, () => this.ended(1006, "")) };
  }

  get isOpen(): boolean {
    return this.#life.state === "open";
  }

  get #isReading(): boolean {
    return this.#isAdmitted && !this.#isTurnedOut;
  }

  get bufferedAmount(): number {
    return this.#socket.buffered;
  }

  // ---- what the runtime tells

  /** The handshake is done: sending is possible. */
  opened(): void {
    // Given up meanwhile: nobody looks after it.
    if (this.#life.state !== "opening") return this.#socket.close(1001, "");
    runtime.cancel(this.#life.timer);
    this.#life = OPEN;
    if (!this.#isAuthorized) return this.close(1008, "Invalid or missing token");
    this.#isAdmitted = this.#events.admit(this);
    if (!this.#isAdmitted) return;
    if (this.#features !== null) this.#socket.send(encodeMessage(helloMessage(this.#features, this.platform)));
    this.#events.open(this);
  }

  /** One frame; `null` is a binary one. Input of a caller that was not let in, or was turned out, is never read. */
  frame(text: string | null): void {
    if (this.#life.state === "quieting") this.#lastFrame = runtime.now();
    if (!this.#isReading) return;
    if (this.#rate === null || this.#rate.take()) return void receive(text, this.#options, ServerPeer.#inbound, this);
    this.#events.flood(this);
    this.close(4429, "too many messages");
  }

  /** The runtime's end of the socket; nothing follows it. */
  ended(code: number, reason: string): void {
    if (this.#life.state === "closed") return;
    if ("timer" in this.#life) runtime.cancel(this.#life.timer);
    this.#life = CLOSED;
    this.#transfers?.end(lineFell("the connection ended"));
    if (this.#isAdmitted) this.#events.close(this, code, reason);
    this.#events.gone(this);
  }

  // ---- what the server asks

  /** Queues one message as text; returns whether the peer could take it. One that does not read is given up. */
  write(text: string, message: WireMessage): boolean {
    if (!this.isOpen) return false;
    if (!this.#hasRoom(text)) {
      this.#giveUp(message);
      return false;
    }
    this.#sendText(text, message);
    return true;
  }

  /** Whether a text may be queued; the socket is asked only when it might not, as asking costs more than counting. */
  #hasRoom(text: string): boolean {
    const { queuedBytes } = this.#options;
    const most = text.length * 3; // bytes of UTF-8
    if (this.#mayBeQueued + most > queuedBytes) {
      this.#mayBeQueued = this.#socket.buffered;
      if (this.#mayBeQueued > 0 && this.#mayBeQueued + text.length > queuedBytes) return false;
    }
    this.#mayBeQueued += most;
    return true;
  }

  /** Queues one message, in one frame or, where it is large and that was agreed on, in pieces. */
  #sendText(text: string, message: WireMessage): void {
    if (!isLarge(text) || !this.#takesChunks) return this.#socket.send(text);
    for (const frame of this.#lazyTransfers.whole(text, message)) {
      this.#socket.send(encodeMessage(chunkMessage(frame, this.platform)));
    }
    this.#mayBeQueued = this.#socket.buffered; // escaped, it was more than a text of its length ever is
  }

  /** Sends a message of the library's own. */
  #post(message: CustomMessage): void {
    if (!this.isOpen) return;
    const text = encodeMessage(message);
    if (this.#hasRoom(text)) this.#socket.send(text);
    else this.#giveUp(null);
  }

  get #takesChunks(): boolean {
    return this.#features?.includes("chunks") ?? false;
  }

  /** What is under way in pieces; most peers never need it. */
  get #lazyTransfers(): Transfers {
    return this.#transfers ??= new Transfers({
      post: (frame) => this.#post(chunkMessage(frame, this.platform)),
      buffered: () => this.bufferedAmount,
      wantsStreams: () => this.#events.wantsStreams(),
      stream: (envelope, segments) => this.#events.stream(envelope, segments, this),
      text: (text) => receive(text, this.#options, { ...ServerPeer.#inbound, own: () => false }, this),
      invalid: (error) => this.#invalid(error),
      refused: (message, { code }) => this.#events.refused(message, code === "too_large" ? code : "slow", this),
    }, this.#options.transfers);
  }

  async sendStream(message: StreamMessage, options: SendStreamOptions = {}): Promise<void> {
    if (!this.isOpen) throw this.#closedError();
    if (!this.#takesChunks) return this.send(await wholeMessage(message, options));
    const { source, total } = streamText(message);
    await this.#lazyTransfers.send(source, total, options);
    this.#events.sent();
  }

  #closedError(): MessageConnectionError {
    return new MessageConnectionError("closed", `Cannot send message as peer ${this.id} must be open: it is closing`);
  }

  send(message: WireMessage): void {
    refuseReserved(message);
    const text = encodeMessage(message);
    if (!this.isOpen) throw this.#closedError();
    if (this.write(text, message)) this.#events.sent();
  }

  sendCustom(name: string, content: unknown): void {
    this.send(createCustom(name, content, this.platform));
  }

  close(code: number = 1000, reason: string = ""): void {
    if (!isCloseCode(code)) {
      throw new RangeError(
        `Cannot close peer as 'code' must be 1000 to 1014 or 3000 to 4999, and sendable: received ${code}`,
      );
    }
    if (utf8Length(reason) > 123) throw new RangeError("Cannot close peer as 'reason' must take at most 123 bytes");
    this.#isTurnedOut = true;
    this.retire(code, reason);
  }

  /** Ends the connection as {@linkcode ServerPeer.close} does, but still reads what is under way. */
  retire(code: number, reason: string): void {
    if (this.#life.state === "opening") return this.ended(1006, "");
    if (this.#life.state !== "open") return;
    const now = runtime.now();
    this.#lastFrame = now; // what is under way must still be read, or would cost the close frame
    this.#quiet(code, reason, { quiet: now + QUIET_LIMIT, flushed: now + this.#options.closeTimeout * 0.8 });
  }

  /** Closes once the peer has stopped sending and, where the runtime would lose it, what is queued has left. */
  #quiet(code: number, reason: string, until: { quiet: number; flushed: number }): void {
    const now = runtime.now();
    const isFlushing = runtime.closeEndsInput && this.bufferedAmount > 0 && now < until.flushed;
    const mustBeQuiet = this.#isReading || !runtime.closeEndsInput;
    const rest = mustBeQuiet ? Math.min(this.#lastFrame + QUIET, until.quiet) - now : 0;
    if (rest <= 0 && !isFlushing) return this.#closeNow(code, reason);
    const timer = runtime.after(Math.max(FLUSH_LOOK, Math.ceil(rest)), () => this.#quiet(code, reason, until));
    this.#life = { state: "quieting", timer };
  }

  /** Closes a peer that does not read; where the runtime can, it is dropped at once with all that is queued. */
  #giveUp(message: WireMessage | null): void {
    this.#isTurnedOut = true;
    this.#life = CLOSING; // before anybody hears of it: a handler may answer this very peer
    this.#transfers?.end(lineFell("the other side does not read")); // its socket may stay
    this.#events.slow(this, message);
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close(1013, "not reading");
  }

  #closeNow(code: number, reason: string): void {
    this.#life = CLOSING;
    this.#transfers?.end(lineFell("the connection is closing"));
    this.#socket.close(code, reason);
  }

  #answer(message: CustomMessage): boolean {
    if (this.#takesChunks && message.message_type_name === CHUNK_NAME) {
      const frame = readChunk(message.content);
      if (this.#lazyTransfers.isDue(frame)) this.#rate?.giveBack(); // one message is one, however many pieces
      this.#lazyTransfers.take(frame);
      return true;
    }
    const number = this.#features?.includes("ping") ? pingNumber(message) : null;
    if (number === null || message.message_type_name !== "maim_ping") return false;
    this.#post(pongMessage(number, this.platform));
    return true;
  }

  #invalid(error: MessageDecodeError): void {
    this.#events.invalid(error, this);
    if (error.code === "too_large") this.close(1009, "Message too large");
    else if (this.#options.strict) this.close(1007, `Invalid message at ${error.path}`.slice(0, 120));
  }
}
