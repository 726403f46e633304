import { encodeMessage } from "../codec/encode.ts";
import type { MessageDecodeError } from "../codec/errors.ts";
import type { StreamMessage } from "../codec/stream/types.ts";
import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { ServerSocket, SocketEvents } from "../runtime/types.ts";
import { createCustom } from "../schema/build.ts";
import type { WireMessage } from "../schema/types.ts";
import { helloMessage } from "../session/hello.ts";
import { refuseReserved } from "../session/reserved_names.ts";
import type { SentMessage } from "../session/confirmation.ts";
import { Rate } from "../session/rate.ts";
import { type Content, Session, type SessionChannel, type SessionEvents } from "../session/session.ts";
import { readWholeMessage } from "../session/transfer/text.ts";
import { connectionEnded, isLarge, type SendStreamOptions } from "../session/transfer/transfers.ts";
import { checkClose, CLOSE, type CloseFrame, invalidMessage } from "../util/close_codes.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import type { Caller } from "./admission.ts";
import type { Peer } from "./events.ts";
import type { PeerSettings } from "./settings.ts";

/** Events that a peer reports to its server. */
export interface PeerEvents extends SessionEvents<ServerPeer, SentMessage> {
  /**
   * The socket is open. Returns true if the server accepts the peer; otherwise the server has closed the connection.
   */
  admit(peer: ServerPeer): boolean;
  /** The peer was accepted. If it gets a hello, the hello was sent. */
  open(peer: ServerPeer): void;
  /** A frame was received. `received` is its message, or the error if the frame is not a message. */
  received(received: Content, peer: ServerPeer): void;
  /** One message was queued by a method other than {@linkcode ServerPeer.write}. */
  sent(): void;
  /** The server has begun to close the connection. The peer may still hold its socket. */
  turnedOut(peer: ServerPeer): void;
  /** The peer does not read, so its connection was closed. */
  slow(peer: ServerPeer): void;
  /** A message was not queued, because the peer does not read or its connection is ending. */
  notQueued(peer: ServerPeer, message: WireMessage): void;
  /** The peer sends more messages, or more pings, per second than allowed. */
  rateExceeded(peer: ServerPeer): void;
  /** The peer has not answered a ping in time, so its connection was closed. */
  silent(peer: ServerPeer): void;
  /** Messages were sent to the peer, and it is not known whether they have arrived. */
  unconfirmed(peer: ServerPeer, messages: readonly SentMessage[]): void;
  /** A transfer of the peer was refused, because those of all peers hold too much text. */
  transfersFull(peer: ServerPeer): void;
  /** The connection of an accepted peer has ended. */
  close(peer: ServerPeer, code: number, reason: string): void;
  /** The socket of the peer is gone. Called last, for every peer, accepted or not. */
  gone(peer: ServerPeer): void;
}

/** Options of a {@linkcode ServerPeer}. */
export interface PeerOptions {
  readonly id: number;
  readonly caller: Caller;
  readonly events: PeerEvents;
  readonly settings: PeerSettings;
}

/** Maximum milliseconds from the accepted handshake until the socket is open. */
const OPEN_TIMEOUT = 10_000;
/** Milliseconds without a frame after which a peer is assumed to have stopped sending. */
const QUIET_AFTER = 50;
/**
 * Like `QUIET_AFTER`, but after a frame has arrived. It is longer, because TCP may hold the next frames back until this
 * frame is acknowledged, which takes 40 ms or more.
 */
const QUIET_AFTER_FRAME = 150;
/** Milliseconds after which the close frame is sent even if the peer has not stopped sending. */
const MAX_QUIET_WAIT = 1000;
/** Milliseconds between two checks for bytes that are still queued. */
const FLUSH_POLL = 5;

/**
 * State of a connection. `draining`: the close frame will be sent when the peer has stopped sending and all queued
 * frames were sent.
 */
type Life =
  | { readonly state: "opening"; readonly timer: Timer }
  | { readonly state: "open" }
  | { readonly state: "draining"; readonly timer: Timer; readonly frame: CloseFrame }
  | { readonly state: "closing"; readonly frame: CloseFrame }
  | { readonly state: "closed" };

const OPEN: Life = { state: "open" };
const CLOSED: Life = { state: "closed" };

/** The wait for a peer to confirm what was sent to it, before the server closes the connection. */
interface Shutdown {
  readonly frame: CloseFrame;
  /** Time at which the server began to close. */
  readonly since: number;
  readonly timer: Timer;
}

/** When a server closes, it waits for its peers to confirm messages: for at most this fraction of `closeTimeout`. */
const ASK_UNTIL = 0.8;

/** The server's end of one connection, from the accepted handshake to the end of the socket. */
export class ServerPeer implements Peer, SocketEvents, SessionChannel {
  readonly id: number;
  readonly platform: string;
  readonly address: string;
  readonly #isAuthorized: boolean;
  readonly session: Session<ServerPeer, SentMessage>;
  /** Features that both sides agreed on; the hello names them. `null` for a client that gets no hello. */
  readonly #features: readonly string[] | null;
  readonly #socket: ServerSocket;
  readonly #events: PeerEvents;
  readonly #settings: PeerSettings;
  readonly #rate: Rate | null;
  #life: Life;
  /** Upper bound of the bytes queued: the bytes queued at the last check, plus all bytes sent since then. */
  #mayBeQueued = 0;
  /**
   * While draining: time from which the peer is assumed to have stopped sending. Each frame that arrives sets a later
   * time.
   */
  #quietAt = 0;
  #isAdmitted = false;
  #ignoresInput = false;
  /** Set while the server is closing and waits for this peer to confirm its messages. */
  #shutdown: Shutdown | null = null;

  constructor(socket: ServerSocket, { id, caller, events, settings }: PeerOptions) {
    this.id = id;
    this.platform = caller.platform;
    this.address = caller.address;
    this.#isAuthorized = caller.isAuthorized;
    this.#features = caller.features;
    this.#socket = socket;
    this.#events = events;
    this.#settings = settings;
    this.session = new Session<ServerPeer, SentMessage>(this, events, settings.session, caller.features);
    this.#rate = settings.messagesPerSecond === Infinity ? null : new Rate(settings.messagesPerSecond);
    // If a caller is gone before its socket is open, Deno 2.9 reports nothing. Then this timer ends the peer.
    this.#life = { state: "opening", timer: runtime.after(OPEN_TIMEOUT, () => this.ended(1006, "")) };
  }

  get isOpen(): boolean {
    return this.#life.state === "open";
  }

  /** True if frames can be sent. While the server waits for the peer's last messages, handlers can still answer them. */
  get #canSend(): boolean {
    return this.isOpen || (this.#life.state === "draining" && this.#readsInput);
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
    // The connection was closed before its socket was open, so the server has forgotten this peer.
    if (this.#life.state !== "opening") return this.#socket.close(CLOSE.goneAway.code, CLOSE.goneAway.reason);
    runtime.cancel(this.#life.timer);
    this.#life = OPEN;
    if (!this.#isAuthorized) return this.closeIgnoringInput(CLOSE.unauthorized);
    this.#isAdmitted = this.#events.admit(this);
    if (!this.#isAdmitted) return;
    if (this.#features !== null) this.#socket.send(encodeMessage(helloMessage(this.#features, this.platform)));
    this.#events.open(this);
  }

  /** Handles one frame. `text` is null for a binary frame. Frames of a peer that was not accepted are never decoded. */
  frame(text: string | null): void {
    if (this.#life.state === "draining") this.#quietAt = runtime.now() + QUIET_AFTER_FRAME;
    if (!this.#readsInput) return;
    const received = this.session.receive(text);
    if (received === "own") return;
    if (this.#rate?.take() === false) this.#closeFast();
    else if (received !== "own_counted") this.#events.received(received, this);
  }

  pong(payload: string): void {
    this.session.protocolPong(payload);
  }

  #closeFast(): void {
    this.#events.rateExceeded(this);
    this.closeIgnoringInput(CLOSE.tooMany);
  }

  /** The socket has ended. Called last. */
  ended(code: number, reason: string): void {
    if (this.#life.state === "closed") return;
    const life = this.#life;
    if ("timer" in life) runtime.cancel(life.timer);
    runtime.cancel(this.#shutdown?.timer);
    this.#life = CLOSED;
    this.session.end(connectionEnded("the connection ended"));
    this.#settleAtEnd(life, { code, reason });
    this.session.leaveRounds();
    if (this.#isAdmitted) this.#events.close(this, code, reason);
    this.#events.gone(this);
  }

  // ---- called by the server

  /**
   * Queues an encoded message. Returns false if the message was not queued, because the peer does not read; then
   * {@linkcode ServerPeer.giveUp} must be called.
   */
  write(message: WireMessage, text: string): boolean {
    if (this.#life !== OPEN && !this.#canSend) return false; // the first comparison is faster and nearly always enough
    if (!this.session.hasRoom || !this.#hasRoom(text)) return false;
    this.session.send({ message, bytes: text.length, sentAt: 0 }, text);
    // Chunks escape the text a second time, so they may take more bytes than #hasRoom() has counted.
    if (isLarge(text)) this.#mayBeQueued = this.#socket.buffered;
    return true;
  }

  /**
   * Tells whether a text may be queued. Reads `buffered` of the socket only if the limit could be exceeded, because
   * reading it is slow.
   */
  #hasRoom(text: string): boolean {
    const { queuedBytes } = this.#settings;
    const most = text.length * 3; // maximum number of bytes in UTF-8
    if (this.#mayBeQueued + most > queuedBytes) {
      this.#mayBeQueued = this.#socket.buffered;
      if (this.#mayBeQueued > 0 && this.#mayBeQueued + text.length > queuedBytes) return false;
    }
    this.#mayBeQueued += most;
    return true;
  }

  /** Queues one text frame that carries a message. The caller has already checked that there is room. */
  sendFrame(text: string): void {
    this.#socket.send(text);
  }

  /** Queues a frame that the session itself sends. */
  sendOwn(text: string): void {
    if (!this.#canSend) return;
    if (this.#hasRoom(text)) this.#socket.send(text);
    else this.#closeSlow();
  }

  /** A server does not notice by itself that a peer is silent; the runtime's idle timeout does. */
  readonly heardAt: number = Infinity;

  /** A peer of another library is only asked when the server closes. */
  get canPing(): boolean {
    return this.#shutdown !== null && this.#socket.ping !== undefined;
  }

  /** A client says in its handshake whether it is of this library. */
  readonly canFindOut = false;

  findOut(): void {}

  protocolPing(payload: string): void {
    this.#socket.ping?.(payload);
  }

  confirmed(): void {
    const { session } = this;
    if (this.#shutdown === null || !session.isAnswered) return;
    if (session.isConfirmed) this.#closeAfterAsking();
    else session.ask({ isLast: true });
  }

  unanswered(): void {
    if (this.#life.state === "closing") return this.reportUnconfirmed(); // Deno cannot drop the socket
    this.#turnOut(CLOSE.silent);
    this.#events.silent(this);
    this.#drop(CLOSE.silent);
  }

  pingFlood(): void {
    this.#closeFast();
  }

  transfersFull(): void {
    this.#events.transfersFull(this);
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
    if (this.#life !== OPEN && !this.#canSend) throw this.#closedError();
    if (this.write(message, text)) this.#events.sent();
    else this.giveUp(message);
  }

  sendCustom(name: string, content: unknown): void {
    this.send(createCustom(name, content, this.platform));
  }

  close(code: number = 1000, reason: string = ""): void {
    checkClose({ code, reason });
    this.closeIgnoringInput({ code, reason });
  }

  /** Closes the connection. Frames that arrive after this call are ignored. */
  closeIgnoringInput(frame: CloseFrame): void {
    this.#ignoresInput = true;
    this.closeReadingInput(frame);
    this.reportUnconfirmed();
  }

  /**
   * Closes the connection because the server is closing. Before that, asks the peer to confirm the messages that were
   * sent to it, and handles the messages that it still sends.
   */
  shutDown(frame: CloseFrame): void {
    if (this.#life.state !== "open" || !this.#isAdmitted) return this.closeReadingInput(frame);
    const since = runtime.now();
    const wait = this.#settings.closeTimeout * ASK_UNTIL;
    this.session.beginEnd();
    this.#shutdown = { frame, since, timer: runtime.after(wait, () => this.#closeAfterAsking()) };
    const { session } = this;
    const canSkip = !session.answersPings && session.isConfirmed;
    if (canSkip || !session.ask({ isLast: true })) this.#closeAfterAsking();
  }

  #closeAfterAsking(): void {
    if (this.#shutdown === null || this.#life.state !== "open") return;
    runtime.cancel(this.#shutdown.timer);
    this.closeReadingInput(this.#shutdown.frame);
  }

  /** Closes the connection. Messages that the peer has already sent are still handled. */
  closeReadingInput(frame: CloseFrame): void {
    if (this.#life.state === "opening") return this.ended(1006, "");
    if (this.#life.state !== "open") return;
    this.session.beginEnd();
    this.#events.turnedOut(this);
    const now = runtime.now();
    this.#quietAt = now + QUIET_AFTER; // frames on the way must be read first, or the close frame could be lost
    this.#closeWhenDrained(frame, {
      quiet: now + MAX_QUIET_WAIT,
      flushed: (this.#shutdown?.since ?? now) + this.#settings.closeTimeout * 0.8,
    });
  }

  /**
   * Sends the close frame when the peer has stopped sending. If the runtime discards queued frames on close, this also
   * waits until the queued frames were sent. Each of the two waits ends at its time in `until` at the latest.
   */
  #closeWhenDrained(frame: CloseFrame, until: { quiet: number; flushed: number }): void {
    const now = runtime.now();
    const isFlushing = runtime.closeEndsInput && this.bufferedAmount > 0 && now < until.flushed;
    const mustBeQuiet = this.#readsInput || !runtime.closeEndsInput;
    const rest = mustBeQuiet ? Math.min(this.#quietAt, until.quiet) - now : 0;
    if (rest <= 0 && !isFlushing) return this.#sendClose(frame);
    const timer = runtime.after(Math.max(FLUSH_POLL, Math.ceil(rest)), () => this.#closeWhenDrained(frame, until));
    this.#life = { state: "draining", timer, frame };
  }

  #sendClose(frame: CloseFrame): void {
    this.#life = { state: "closing", frame };
    this.session.end(connectionEnded("the connection is closing"));
    this.#socket.close(frame.code, frame.reason);
  }

  /** Reports a message that was not queued, and closes the connection, because the peer does not read. */
  giveUp(message: WireMessage): void {
    if (this.#canSend) this.#closeSlow();
    this.#events.notQueued(this, message);
  }

  /** Closes a peer that does not read. If the runtime can do this, drops the socket and everything queued to it. */
  #closeSlow(): void {
    this.#turnOut(CLOSE.notReading);
    this.#events.slow(this);
    this.#drop(CLOSE.notReading);
  }

  /** Ends everything that does not need the socket, because the socket may take long to end. */
  #turnOut(frame: CloseFrame): void {
    if ("timer" in this.#life) runtime.cancel(this.#life.timer);
    this.#ignoresInput = true;
    this.#life = { state: "closing", frame }; // set before the events, because a handler may send to this peer
    this.session.end(connectionEnded("the other side does not read"));
    this.reportUnconfirmed();
  }

  /** Drops the socket. Deno cannot do this, so the socket is closed there. */
  #drop({ code, reason }: CloseFrame): void {
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close(code, reason);
  }

  /** Settles the messages that were sent, when the connection has ended. */
  #settleAtEnd(life: Life, { code, reason }: CloseFrame): void {
    const isClosing = life.state === "draining" || life.state === "closing";
    // A peer of another library cannot confirm messages. It has read them if it answers our close frame, or a protocol
    // ping. It closes of its own will only when it does not want more messages. Bun reports no answer to a close frame.
    const isAnswer = isClosing && !runtime.closeEndsInput && code === life.frame.code && reason === life.frame.reason;
    const isRead = isAnswer || (this.canPing && this.session.isConfirmed) ||
      (!isClosing && code !== CLOSE.abnormal.code);
    if (this.session.answersPings || !isRead) this.reportUnconfirmed();
  }

  /** Reports what was sent and is not confirmed. Nothing is confirmed after this call. */
  reportUnconfirmed(): void {
    const messages = this.session.takeInDoubt(Infinity);
    if (messages.length > 0) this.#events.unconfirmed(this, messages);
  }

  /**
   * Called after a frame that was not a message. Closes the connection if the frame was too large or the settings are
   * strict.
   */
  closeAfterFault(error: MessageDecodeError): void {
    if (error.code === "too_large") this.closeIgnoringInput(CLOSE.tooLarge);
    else if (this.#settings.strict) this.closeIgnoringInput(invalidMessage(error.path));
  }
}
