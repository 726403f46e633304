import { encodeMessage } from "../codec/encode.ts";
import type { MessageDecodeError } from "../codec/errors.ts";
import type { StreamMessage } from "../codec/stream/message_text.ts";
import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { ServerSocket, SocketEvents } from "../runtime/types.ts";
import { createCustom } from "../schema/build.ts";
import type { WireMessage } from "../schema/types.ts";
import { helloMessage, refuseReserved } from "../session/hello.ts";
import { type Received, Session, type SessionChannel, type SessionEvents } from "../session/session.ts";
import { wholeMessage } from "../session/transfer/text.ts";
import { connectionEnded, isLarge, type SendStreamOptions } from "../session/transfer/transfers.ts";
import { checkClose, CLOSE, type CloseFrame, invalidMessage } from "../util/close_codes.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import type { Caller } from "./admission.ts";
import { Rate } from "./limits.ts";
import type { PeerSettings } from "./settings.ts";

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
export interface PeerEvents extends SessionEvents<ServerPeer> {
  /** Lets it in, or has closed it and returns false. */
  admit(peer: ServerPeer): boolean;
  /** It has been let in, and greeted. */
  open(peer: ServerPeer): void;
  /** A frame was a message, or is none. */
  received(received: Exclude<Received, null>, peer: ServerPeer): void;
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

type Life =
  | { readonly state: "opening"; readonly timer: Timer }
  | { readonly state: "open" }
  | { readonly state: "quieting"; readonly timer: Timer }
  | { readonly state: "closing" }
  | { readonly state: "closed" };

const OPEN: Life = { state: "open" };
const CLOSING: Life = { state: "closing" };
const CLOSED: Life = { state: "closed" };

/** The server's end of one connection: its life, from the accepted handshake to the end of the socket. */
export class ServerPeer implements Peer, SocketEvents, SessionChannel {
  readonly id: number;
  readonly platform: string;
  readonly address: string;
  readonly #isAuthorized: boolean;
  readonly session: Session<ServerPeer>;
  /** What the handshake agreed on, which the first frame says. */
  readonly #features: readonly string[] | null;
  readonly #socket: ServerSocket;
  readonly #events: PeerEvents;
  readonly #options: PeerSettings;
  readonly #rate: Rate | null;
  #life: Life;
  /** Bytes that may be queued, at most: what was seen queued last, and all that was sent since. */
  #mayBeQueued = 0;
  /** When the last frame came; kept while it matters, as long as the peer is being quieted. */
  #lastFrame = 0;
  #isAdmitted = false;
  #isTurnedOut = false;

  constructor(id: number, caller: Caller, socket: ServerSocket, events: PeerEvents, options: PeerSettings) {
    this.id = id;
    this.platform = caller.platform;
    this.address = caller.address;
    this.#isAuthorized = caller.isAuthorized;
    this.#features = caller.features;
    this.#socket = socket;
    this.#events = events;
    this.#options = options;
    this.session = new Session<ServerPeer>(this, events, options.session, caller.features);
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
    if (this.#life.state !== "opening") return this.#socket.close(CLOSE.goneAway.code, CLOSE.goneAway.reason);
    runtime.cancel(this.#life.timer);
    this.#life = OPEN;
    if (!this.#isAuthorized) return this.turnOut(CLOSE.unauthorized);
    this.#isAdmitted = this.#events.admit(this);
    if (!this.#isAdmitted) return;
    if (this.#features !== null) this.#socket.send(encodeMessage(helloMessage(this.#features, this.platform)));
    this.#events.open(this);
  }

  /** One frame; `null` is a binary one. Input of a caller that was not let in, or was turned out, is never read. */
  frame(text: string | null): void {
    if (this.#life.state === "quieting") this.#lastFrame = runtime.now();
    if (!this.#isReading) return;
    if (this.#rate?.take() === false) {
      this.#events.flood(this);
      return this.turnOut(CLOSE.tooMany);
    }
    const received = this.session.receive(text);
    if (received !== null) this.#events.received(received, this);
  }

  /** The runtime's end of the socket; nothing follows it. */
  ended(code: number, reason: string): void {
    if (this.#life.state === "closed") return;
    if ("timer" in this.#life) runtime.cancel(this.#life.timer);
    this.#life = CLOSED;
    this.session.end(connectionEnded("the connection ended"));
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
    this.session.send(text, message);
    // Escaped for its chunks, it is more than a text of its length ever is.
    if (isLarge(text)) this.#mayBeQueued = this.#socket.buffered;
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

  /** Queues one text frame that carries a message; there was room for it. */
  sendFrame(text: string): void {
    this.#socket.send(text);
  }

  /** Queues a frame of the session's own. */
  sendOwn(text: string): void {
    if (!this.isOpen) return;
    if (this.#hasRoom(text)) this.#socket.send(text);
    else this.#giveUp(null);
  }

  /** However many frames carry a message, it counts once. */
  partReceived(): void {
    this.#rate?.giveBack();
  }

  async sendStream(message: StreamMessage, options: SendStreamOptions = {}): Promise<void> {
    if (!this.isOpen) throw this.#closedError();
    if (!this.session.takesChunks) return this.send(await wholeMessage(message, options));
    await this.session.stream(message, options);
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
    checkClose({ code, reason });
    this.turnOut({ code, reason });
  }

  /** Ends the connection, and reads nothing more of it. */
  turnOut(frame: CloseFrame): void {
    this.#isTurnedOut = true;
    this.retire(frame);
  }

  /** Ends the connection as {@linkcode ServerPeer.turnOut} does, but still reads what is under way. */
  retire(frame: CloseFrame): void {
    if (this.#life.state === "opening") return this.ended(1006, "");
    if (this.#life.state !== "open") return;
    const now = runtime.now();
    this.#lastFrame = now; // what is under way must still be read, or would cost the close frame
    this.#quiet(frame, { quiet: now + QUIET_LIMIT, flushed: now + this.#options.closeTimeout * 0.8 });
  }

  /** Closes once the peer has stopped sending and, where the runtime would lose it, what is queued has left. */
  #quiet(frame: CloseFrame, until: { quiet: number; flushed: number }): void {
    const now = runtime.now();
    const isFlushing = runtime.closeEndsInput && this.bufferedAmount > 0 && now < until.flushed;
    const mustBeQuiet = this.#isReading || !runtime.closeEndsInput;
    const rest = mustBeQuiet ? Math.min(this.#lastFrame + QUIET, until.quiet) - now : 0;
    if (rest <= 0 && !isFlushing) return this.#closeNow(frame);
    const timer = runtime.after(Math.max(FLUSH_LOOK, Math.ceil(rest)), () => this.#quiet(frame, until));
    this.#life = { state: "quieting", timer };
  }

  /** Closes a peer that does not read; where the runtime can, it is dropped at once with all that is queued. */
  #giveUp(message: WireMessage | null): void {
    this.#isTurnedOut = true;
    this.#life = CLOSING; // before anybody hears of it: a handler may answer this very peer
    this.session.end(connectionEnded("the other side does not read")); // its socket may stay
    this.#events.slow(this, message);
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close(CLOSE.notReading.code, CLOSE.notReading.reason);
  }

  #closeNow({ code, reason }: CloseFrame): void {
    this.#life = CLOSING;
    this.session.end(connectionEnded("the connection is closing"));
    this.#socket.close(code, reason);
  }

  /** A frame was not a message: ends the connection where that is asked for. */
  faulty(error: MessageDecodeError): void {
    if (error.code === "too_large") this.turnOut(CLOSE.tooLarge);
    else if (this.#options.strict) this.turnOut(invalidMessage(error.path));
  }
}
