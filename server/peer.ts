import { encodeMessage } from "../codec/encode.ts";
import type { MessageDecodeError } from "../codec/errors.ts";
import type { StreamMessage } from "../codec/stream/types.ts";
import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { ServerSocket, SocketEvents } from "../runtime/types.ts";
import { createCustom } from "../schema/build.ts";
import type { WireMessage } from "../schema/types.ts";
import { helloMessage, refuseReserved } from "../session/hello.ts";
import { type Received, Session, type SessionChannel, type SessionEvents } from "../session/session.ts";
import { readWholeMessage } from "../session/transfer/text.ts";
import { connectionEnded, isLarge, type SendStreamOptions } from "../session/transfer/transfers.ts";
import { checkClose, CLOSE, type CloseFrame, invalidMessage } from "../util/close_codes.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import type { Caller } from "./admission.ts";
import { MessageRate } from "./limits.ts";
import type { PeerSettings } from "./settings.ts";

/** A connected client, as event handlers get it. */
export interface Peer {
  /** Number of this connection on its server, counted from 1. */
  readonly id: number;
  /** Platform from the handshake; `"default"` if the client gave none. Its messages may name another platform. */
  readonly platform: string;
  /** IP address of the client; empty if the runtime does not tell. */
  readonly address: string;
  /** Bytes queued that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /**
   * Sends one message to this connection, whatever platform the message names.
   *
   * @throws {MessageConnectionError} `closed` If the connection is closing.
   * @throws {MessageEncodeError} If the message cannot be encoded.
   */
  send(message: WireMessage): void;
  /**
   * Sends a custom message to this connection.
   *
   * @throws {MessageConnectionError} `closed` If the connection is closing.
   * @throws {TypeError} If the name is empty or starts with `maim_`.
   */
  sendCustom(name: string, content: unknown): void;
  /**
   * Sends a message of any size in bounded memory. Other messages can be sent meanwhile.
   *
   * Segments may hold a `Uint8Array`, a `Blob` or a `ReadableStream`. A client of this library receives the message in
   * chunks, as fast as it reads them. For any other client the message is read into memory first and sent in one frame.
   *
   * @param message The message. If the connection is open, streams in it are locked, and cancelled after a failure.
   * @param options A signal that aborts the transfer, and a callback for progress.
   * @returns Resolves when the client has read the whole message, or the single frame was queued.
   * @throws {MessageConnectionError} `closed` If the connection is not open, or ends. `too_large`, `queue_full`,
   * `timeout` or `refused` If the client refuses the message.
   * @throws {MessageEncodeError} If the message cannot be encoded; `too_large` if it must fit into one frame and does not.
   */
  sendStream(message: StreamMessage, options?: SendStreamOptions): Promise<void>;
  /**
   * Closes the connection, by default with 1000 and no reason. Messages that still come in are discarded.
   *
   * @throws {RangeError} If a close frame cannot carry the code, or the reason takes more than 123 bytes.
   */
  close(code?: number, reason?: string): void;
}

/** Events of a peer, for its server. */
export interface PeerEvents extends SessionEvents<ServerPeer> {
  /** The socket is open. Returns true if the server accepts the peer; otherwise it has closed it. */
  admit(peer: ServerPeer): boolean;
  /** The peer was accepted and greeted. */
  open(peer: ServerPeer): void;
  /** A frame was received: it was a message, or had a fault. */
  received(received: Exclude<Received, null>, peer: ServerPeer): void;
  /** One message was queued, other than by {@linkcode ServerPeer.write}. */
  sent(): void;
  /** The peer does not read. The message was not queued; `null` is one of the library's own. */
  slow(peer: ServerPeer, message: WireMessage | null): void;
  /** The peer sends more messages than it may. */
  rateExceeded(peer: ServerPeer): void;
  /** The connection of an accepted peer has ended. */
  close(peer: ServerPeer, code: number, reason: string): void;
  /** The socket is gone, of any peer. Comes last. */
  gone(peer: ServerPeer): void;
}

/** Options of a {@linkcode ServerPeer}. */
export interface PeerOptions {
  readonly id: number;
  readonly caller: Caller;
  readonly events: PeerEvents;
  readonly settings: PeerSettings;
}

/** Maximum milliseconds between the accepted handshake and the open socket. */
const OPEN_TIMEOUT = 10_000;
/** Milliseconds after which a peer counts as having stopped sending, if no frame comes in. */
const QUIET_AFTER = 50;
/** The same after a frame that came in: TCP may hold the rest back until that one is acknowledged, 40 ms and more. */
const QUIET_AFTER_FRAME = 150;
/** Milliseconds after which the close frame is sent even if the peer has not stopped sending. */
const MAX_QUIET_WAIT = 1000;
/** Milliseconds between two checks of what is still queued. */
const FLUSH_POLL = 5;

/** `draining`: the close frame waits until the peer has stopped sending and what is queued was sent. */
type Life =
  | { readonly state: "opening"; readonly timer: Timer }
  | { readonly state: "open" }
  | { readonly state: "draining"; readonly timer: Timer }
  | { readonly state: "closing" }
  | { readonly state: "closed" };

const OPEN: Life = { state: "open" };
const CLOSING: Life = { state: "closing" };
const CLOSED: Life = { state: "closed" };

/** The server's end of one connection, from the accepted handshake to the end of the socket. */
export class ServerPeer implements Peer, SocketEvents, SessionChannel {
  readonly id: number;
  readonly platform: string;
  readonly address: string;
  readonly #isAuthorized: boolean;
  readonly session: Session<ServerPeer>;
  /** Features agreed on, which the hello names; `null` for a client that gets no hello. */
  readonly #features: readonly string[] | null;
  readonly #socket: ServerSocket;
  readonly #events: PeerEvents;
  readonly #settings: PeerSettings;
  readonly #rate: MessageRate | null;
  #life: Life;
  /** Upper bound of the bytes queued: those at the last check, and all that was sent since. */
  #mayBeQueued = 0;
  /** Time from which the peer counts as having stopped sending, while draining. */
  #quietAt = 0;
  #isAdmitted = false;
  #ignoresInput = false;

  constructor(socket: ServerSocket, { id, caller, events, settings }: PeerOptions) {
    this.id = id;
    this.platform = caller.platform;
    this.address = caller.address;
    this.#isAuthorized = caller.isAuthorized;
    this.#features = caller.features;
    this.#socket = socket;
    this.#events = events;
    this.#settings = settings;
    this.session = new Session<ServerPeer>(this, events, settings.session, caller.features);
    this.#rate = settings.messagesPerSecond === Infinity ? null : new MessageRate(settings.messagesPerSecond);
    // Deno 2.9 reports nothing about a caller that is gone before its socket is open.
    this.#life = { state: "opening", timer: runtime.after(OPEN_TIMEOUT, () => this.ended(1006, "")) };
  }

  get isOpen(): boolean {
    return this.#life.state === "open";
  }

  get #readsInput(): boolean {
    return this.#isAdmitted && !this.#ignoresInput;
  }

  get bufferedAmount(): number {
    return this.#socket.buffered;
  }

  // ---- called by the runtime

  /** The socket is open: frames can be sent. */
  opened(): void {
    // Closed before it was open: the server has forgotten this peer.
    if (this.#life.state !== "opening") return this.#socket.close(CLOSE.goneAway.code, CLOSE.goneAway.reason);
    runtime.cancel(this.#life.timer);
    this.#life = OPEN;
    if (!this.#isAuthorized) return this.closeIgnoringInput(CLOSE.unauthorized);
    this.#isAdmitted = this.#events.admit(this);
    if (!this.#isAdmitted) return;
    if (this.#features !== null) this.#socket.send(encodeMessage(helloMessage(this.#features, this.platform)));
    this.#events.open(this);
  }

  /** Handles one frame; `null` is a binary one. Never decodes a frame of a peer that was not accepted. */
  frame(text: string | null): void {
    if (this.#life.state === "draining") this.#quietAt = runtime.now() + QUIET_AFTER_FRAME;
    if (!this.#readsInput) return;
    if (this.#rate?.take() === false) {
      this.#events.rateExceeded(this);
      return this.closeIgnoringInput(CLOSE.tooMany);
    }
    const received = this.session.receive(text);
    if (received !== null) this.#events.received(received, this);
  }

  /** The socket has ended. Comes last. */
  ended(code: number, reason: string): void {
    if (this.#life.state === "closed") return;
    if ("timer" in this.#life) runtime.cancel(this.#life.timer);
    this.#life = CLOSED;
    this.session.end(connectionEnded("the connection ended"));
    if (this.#isAdmitted) this.#events.close(this, code, reason);
    this.#events.gone(this);
  }

  // ---- called by the server

  /** Queues an encoded message. Returns false if the connection is not open; closes it if the peer does not read. */
  write(message: WireMessage, text: string): boolean {
    if (!this.isOpen) return false;
    if (!this.#hasRoom(text)) {
      this.#closeSlow(message);
      return false;
    }
    this.session.send(message, text);
    // Chunks escape the text again, which may take more bytes than #hasRoom() has counted.
    if (isLarge(text)) this.#mayBeQueued = this.#socket.buffered;
    return true;
  }

  /** Tells whether a text may be queued. Asks the socket only if the limit could be exceeded: asking is slow. */
  #hasRoom(text: string): boolean {
    const { queuedBytes } = this.#settings;
    const most = text.length * 3; // bytes of UTF-8
    if (this.#mayBeQueued + most > queuedBytes) {
      this.#mayBeQueued = this.#socket.buffered;
      if (this.#mayBeQueued > 0 && this.#mayBeQueued + text.length > queuedBytes) return false;
    }
    this.#mayBeQueued += most;
    return true;
  }

  /** Queues one text frame that carries a message. The caller has checked that there is room. */
  sendFrame(text: string): void {
    this.#socket.send(text);
  }

  /** Queues a frame of the session's own. */
  sendOwn(text: string): void {
    if (!this.isOpen) return;
    if (this.#hasRoom(text)) this.#socket.send(text);
    else this.#closeSlow(null);
  }

  /** A message counts once against the rate, however many frames carry it. */
  transferFrameReceived(): void {
    this.#rate?.giveBack();
  }

  async sendStream(message: StreamMessage, options: SendStreamOptions = {}): Promise<void> {
    if (!this.isOpen) throw this.#closedError();
    if (!this.session.takesChunks) return this.send(await readWholeMessage(message, options));
    await this.session.stream(message, options);
    this.#events.sent();
  }

  #closedError(): MessageConnectionError {
    return new MessageConnectionError(
      "closed",
      `Connection of peer ${this.id} is closed or closing; do not send to it`,
    );
  }

  send(message: WireMessage): void {
    refuseReserved(message);
    const text = encodeMessage(message);
    if (!this.isOpen) throw this.#closedError();
    if (this.write(message, text)) this.#events.sent();
  }

  sendCustom(name: string, content: unknown): void {
    this.send(createCustom(name, content, this.platform));
  }

  close(code: number = 1000, reason: string = ""): void {
    checkClose({ code, reason });
    this.closeIgnoringInput({ code, reason });
  }

  /** Closes the connection. Frames that still come in are ignored. */
  closeIgnoringInput(frame: CloseFrame): void {
    this.#ignoresInput = true;
    this.closeReadingInput(frame);
  }

  /** Closes the connection. Messages that are on the way are still handled. */
  closeReadingInput(frame: CloseFrame): void {
    if (this.#life.state === "opening") return this.ended(1006, "");
    if (this.#life.state !== "open") return;
    const now = runtime.now();
    this.#quietAt = now + QUIET_AFTER; // frames may be on the way: they have to be read, or the close frame could be lost
    this.#closeWhenDrained(frame, {
      quiet: now + MAX_QUIET_WAIT,
      flushed: now + this.#settings.closeTimeout * 0.8,
    });
  }

  /**
   * Sends the close frame when the peer has stopped sending. If the runtime discards queued frames on close, waits until
   * they are sent, too. Both waits end at the times in `until`.
   */
  #closeWhenDrained(frame: CloseFrame, until: { quiet: number; flushed: number }): void {
    const now = runtime.now();
    const isFlushing = runtime.closeEndsInput && this.bufferedAmount > 0 && now < until.flushed;
    const mustBeQuiet = this.#readsInput || !runtime.closeEndsInput;
    const rest = mustBeQuiet ? Math.min(this.#quietAt, until.quiet) - now : 0;
    if (rest <= 0 && !isFlushing) return this.#sendClose(frame);
    const timer = runtime.after(Math.max(FLUSH_POLL, Math.ceil(rest)), () => this.#closeWhenDrained(frame, until));
    this.#life = { state: "draining", timer };
  }

  #sendClose({ code, reason }: CloseFrame): void {
    this.#life = CLOSING;
    this.session.end(connectionEnded("the connection is closing"));
    this.#socket.close(code, reason);
  }

  /** Closes a peer that does not read. Drops the socket with all that is queued, where the runtime can do this. */
  #closeSlow(message: WireMessage | null): void {
    this.#ignoresInput = true;
    this.#life = CLOSING; // before the events: a handler may send to this very peer
    this.session.end(connectionEnded("the other side does not read")); // now: the socket may not end for a long time
    this.#events.slow(this, message);
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close(CLOSE.notReading.code, CLOSE.notReading.reason);
  }

  /** Closes the connection after a frame that was not a message, if it was too large or the settings are strict. */
  closeAfterFault(error: MessageDecodeError): void {
    if (error.code === "too_large") this.closeIgnoringInput(CLOSE.tooLarge);
    else if (this.#settings.strict) this.closeIgnoringInput(invalidMessage(error.path));
  }
}
