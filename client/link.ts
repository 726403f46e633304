import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { ClientSocket, DialOptions } from "../runtime/types.ts";
import {
  type Received,
  Session,
  type SessionChannel,
  type SessionEvents,
  type SessionOptions,
} from "../session/session.ts";
import { connectionEnded } from "../session/transfer/transfers.ts";
import { CLOSE } from "../util/close_codes.ts";
import type { OutboxItem, OutboxLink } from "./outbox.ts";
import { Upload, type UploadProgress } from "./upload.ts";

/** The end of a link. */
export interface LinkEnd {
  /** Close code; 1006 if there was no close frame. */
  readonly code: number;
  readonly reason: string;
  /** True if the handshake had succeeded. */
  readonly wasUpgraded: boolean;
  /** Time at which this side has started the closing handshake; `null` if it has not. */
  readonly closingSince: number | null;
  /** Milliseconds of the timeout that ended the link; `null` if no timeout ended the link. */
  readonly timeout: number | null;
  /** Error of the runtime, if there was one. */
  readonly cause: unknown;
}

/** Events of a link. The last event is `ended`; it comes exactly once. */
export interface LinkEvents {
  /** The server accepts the client: messages can be sent. */
  usable(): void;
  /** Returns true if the frames of this link are still handled. If not, they are neither decoded nor confirmed. */
  wantsFrames(): boolean;
  /** A frame was received and decoded. */
  received(received: Received): void;
  /** The server has confirmed messages. */
  confirmed(): void;
  /** The server must be asked for any answer, because nothing was received from it yet. */
  findOut(): void;
  ended(end: LinkEnd): void;
}

/** Options of a link. */
export interface LinkOptions extends DialOptions {
  /** Platform of the client. */
  platform: string;
  /** True if the server can be asked for an answer, in the WebSocket or beside it. */
  canFindOut: boolean;
  /** Milliseconds that the handshake may take. */
  connectTimeout: number;
  session: SessionOptions;
  sessionEvents: SessionEvents<Link, OutboxItem>;
}

/**
 * Milliseconds after the upgrade. If the server has not closed the link by then, the link counts as accepted. Source:
 * maim_message 0.6.8, ws_connection.py, websocket_endpoint: the server first accepts the upgrade, and then closes a
 * refused connection with 1008.
 */
const USABLE_AFTER = 150;

type Life =
  | { readonly state: "dialling"; readonly timer: Timer }
  | { readonly state: "upgraded"; readonly timer: Timer }
  | { readonly state: "usable" }
  | {
    readonly state: "closing";
    readonly timer: Timer;
    readonly since: number;
    /** Bytes that the kernel had not taken before the close. Deno reports 0 afterwards. */
    readonly buffered: number;
  }
  | { readonly state: "ended" };

/** One WebSocket of a client, from the dial to its end. Every wait has a timeout. */
export class Link implements OutboxLink, SessionChannel {
  /** Platform of the client. */
  readonly platform: string;
  readonly canFindOut: boolean;
  /** URL that was dialled. */
  readonly url: URL;
  /** Time of the dial. */
  readonly dialledAt: number = runtime.now();
  readonly session: Session<Link, OutboxItem>;
  readonly #events: LinkEvents;
  readonly #socket: ClientSocket;
  readonly #upload: Upload;
  #life: Life;
  #heardAt = runtime.now();
  #wasUpgraded = false;
  #wasUsable = false;
  #hasFrames = false;
  #cause: unknown;

  /** Dials at once. Throws if the runtime refuses the URL or the headers. */
  constructor(
    url: string,
    { connectTimeout, platform, canFindOut, session, sessionEvents, ...dial }: LinkOptions,
    events: LinkEvents,
  ) {
    this.#events = events;
    this.platform = platform;
    this.canFindOut = canFindOut;
    this.session = new Session<Link, OutboxItem>(this, sessionEvents, session, null);
    this.url = new URL(url);
    this.#socket = runtime.dial(url, dial);
    const { webSocket } = this.#socket;
    this.#upload = new Upload(webSocket);
    webSocket.binaryType = "arraybuffer";
    webSocket.onopen = () => this.#upgraded();
    webSocket.onmessage = ({ data }) => this.#frame(typeof data === "string" ? data : null);
    this.#socket.onControlFrame = (pong) => this.#controlFrame(pong);
    webSocket.onerror = (event) => this.#cause ??= runtime.errorOf(event);
    webSocket.onclose = ({ code, reason }) => this.#end({ code: code || 1006, reason });
    this.#life = { state: "dialling", timer: this.#endAfter(connectTimeout) };
  }

  get isEnded(): boolean {
    return this.#life.state === "ended";
  }

  /** Bytes that the kernel has not taken yet. */
  get bufferedAmount(): number {
    return this.#life.state === "closing" ? this.#life.buffered : this.#socket.webSocket.bufferedAmount;
  }

  /** How far the bytes that were sent have left this side. */
  get upload(): UploadProgress {
    return this.#upload.progress;
  }

  /** Time at which something was last received from the server. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** The server has answered, in this WebSocket or beside it. */
  heard(): void {
    this.#heardAt = runtime.now();
  }

  get canPing(): boolean {
    return this.#wasUsable && this.#socket.ping !== undefined;
  }

  /** True if a frame of the server was received. A server sends none to a client whose token it refuses. */
  get hasFrames(): boolean {
    return this.#hasFrames;
  }

  get hasRoom(): boolean {
    return this.session.hasRoom;
  }

  /** Queues one message, in one frame or in several frames. */
  send(item: OutboxItem, text: string): void {
    this.session.send(item, text);
  }

  /** Queues one text frame. */
  sendFrame(text: string): void {
    this.#upload.send(text);
  }

  /**
   * Queues a frame that the session itself sends, for example a ping. If the socket is closing, the frame is discarded.
   */
  sendOwn(text: string): void {
    this.#upload.send(text);
  }

  protocolPing(payload: string): void {
    if (this.#life.state === "usable") this.#socket.ping?.(payload);
  }

  confirmed(): void {
    this.#events.confirmed();
  }

  findOut(): void {
    this.#events.findOut();
  }

  unanswered(): void {
    this.abandon("no answer to a ping");
  }

  /** Nothing to do: a client trusts its server, and each ping is answered at most once. */
  pingFlood(): void {}

  /**
   * The runtime reports a control frame of the server: a protocol ping (`pong` is `null`), or the pong to one of our
   * pings.
   */
  #controlFrame(pong: string | null): void {
    this.heard();
    if (pong === null) this.session.heard();
    else this.session.protocolPong(pong);
  }

  /** Ends the link at once, without a closing handshake. */
  abandon(reason: string): void {
    this.#end({ code: 1006, reason });
  }

  /** Starts the closing handshake. The link ends within `timeout` milliseconds. */
  close(timeout: number): void {
    const { state } = this.#life;
    if (state === "ended" || state === "closing") return;
    this.#clearTimer();
    if (state === "dialling") return this.#end({ code: 1006, reason: "" });
    const buffered = this.bufferedAmount;
    this.#life = { state: "closing", timer: this.#endAfter(timeout), since: runtime.now(), buffered };
    this.#socket.webSocket.close(CLOSE.clientClosed.code, CLOSE.clientClosed.reason);
  }

  #endAfter(timeout: number): Timer {
    return runtime.after(timeout, () => this.#end({ code: 1006, reason: "", timeout }));
  }

  #clearTimer(): void {
    if ("timer" in this.#life) runtime.cancel(this.#life.timer);
  }

  #upgraded(): void {
    if (this.#life.state !== "dialling") return;
    this.#clearTimer();
    this.#wasUpgraded = true;
    this.#life = { state: "upgraded", timer: runtime.after(USABLE_AFTER, () => this.#becomeUsable()) };
  }

  #becomeUsable(): void {
    this.#clearTimer();
    this.heard();
    this.#wasUsable = true;
    this.#life = { state: "usable" };
    this.#events.usable();
  }

  #frame(text: string | null): void {
    if (this.#life.state === "ended" || !this.#events.wantsFrames()) return;
    this.heard();
    this.#hasFrames = true;
    // The features of a hello must be known before the first message is sent.
    const received = this.session.receive(text);
    if (this.#life.state === "upgraded") this.#becomeUsable();
    this.#events.received(received);
  }

  #end({ code, reason, timeout = null }: { code: number; reason: string; timeout?: number | null }): void {
    if (this.#life.state === "ended") return;
    this.#clearTimer();
    const closingSince = this.#life.state === "closing" ? this.#life.since : null;
    this.#life = { state: "ended" };
    this.#releaseSocket();
    this.session.end(connectionEnded("the connection ended"));
    this.#events.ended({ code, reason, wasUpgraded: this.#wasUpgraded, closingSince, timeout, cause: this.#cause });
  }

  /** Removes the listeners and closes the socket. Keeps `onerror`, because a late error event must have a listener. */
  #releaseSocket(): void {
    const { webSocket } = this.#socket;
    webSocket.onopen =
      webSocket.onmessage =
      webSocket.onclose =
      this.#socket.onControlFrame =
        null;
    if (webSocket.readyState !== WebSocket.CLOSED) webSocket.close();
    this.#socket.release();
  }
}
