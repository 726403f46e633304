import type { Timer } from "../../runtime/clock.ts";
import { runtime } from "../../runtime/mod.ts";
import type { ServerSocket, SocketEvents } from "../../runtime/types.ts";
import { CLOSE, type CloseFrame } from "../../util/close_codes.ts";
import { Keepalive, MAIBOT_KEEPALIVE } from "./keepalive.ts";

/** Events of a {@linkcode Peer}. */
export interface PeerEvents {
  /** The socket is open: frames can be sent. */
  opened(peer: Peer): void;
  /** A text frame, or `null` for a binary one. */
  frame(text: string | null, peer: Peer): void;
  /** The socket has ended. Comes once. */
  ended(peer: Peer, end: CloseFrame): void;
}

/** The peer has stopped sending if no frame came for this long. Milliseconds. */
const QUIET_AFTER = 50;
/** Maximum time that a close frame waits until the peer stops sending. Milliseconds. */
const MAX_QUIET_WAIT = 1000;

/** `draining`: the close frame waits until the peer has stopped sending. */
type Life =
  /** `end` is the close frame of a call to `end()` that came before the socket was open. */
  | { readonly state: "opening"; readonly end: CloseFrame | null }
  | { readonly state: "open"; readonly keepalive: Keepalive | null }
  | { readonly state: "draining"; readonly timer: Timer }
  | { readonly state: "closing" }
  | { readonly state: "closed" };

/** The fake's end of one connection. */
export class Peer implements SocketEvents {
  /** The platform in the handshake; `unknown` if it named none. */
  readonly platform: string;
  /** True if the token was right, or none was needed. */
  readonly isAuthorized: boolean;
  readonly #socket: ServerSocket;
  readonly #events: PeerEvents;
  #life: Life = { state: "opening", end: null };
  /** Time of the last frame. */
  #lastFrame = 0;

  constructor(
    { platform, isAuthorized }: Pick<Peer, "platform" | "isAuthorized">,
    socket: ServerSocket,
    events: PeerEvents,
  ) {
    this.platform = platform;
    this.isAuthorized = isAuthorized;
    this.#socket = socket;
    this.#events = events;
  }

  get isOpen(): boolean {
    return this.#life.state === "open";
  }

  /** True if `ended` is still to come. */
  get hasSocket(): boolean {
    return this.#life.state !== "opening" && this.#life.state !== "closed";
  }

  opened(): void {
    if (this.#life.state !== "opening") return;
    const { end } = this.#life;
    this.#life = { state: "open", keepalive: this.#startKeepalive() };
    if (end === null) this.#events.opened(this);
    else this.end(end);
  }

  frame(text: string | null): void {
    this.#lastFrame = runtime.now();
    if (this.isOpen) this.#events.frame(text, this);
  }

  pong(): void {
    if (this.#life.state === "open") this.#life.keepalive?.pong();
  }

  ended(code: number, reason: string): void {
    if (this.#life.state === "closed") return;
    this.#enter({ state: "closed" });
    this.#events.ended(this, { code, reason });
  }

  /** Queues one text frame. Returns false if the peer is not open. */
  send(text: string): boolean {
    if (!this.isOpen) return false;
    this.#socket.send(text);
    return true;
  }

  /** Closes the connection with a close frame. Frames that come in later are ignored. */
  end(frame: CloseFrame): void {
    // Deno 2.9 ignores a close before the socket is open.
    if (this.#life.state === "opening") this.#life = { state: "opening", end: frame };
    if (this.#life.state !== "open") return;
    this.#lastFrame = runtime.now();
    this.#closeWhenQuiet(frame, this.#lastFrame + MAX_QUIET_WAIT);
  }

  /** Ends the connection without a close frame. Deno 2.9 cannot: it sends one with a code that is not allowed in it. */
  cut(): void {
    if (this.#life.state !== "open" && this.#life.state !== "draining") return;
    this.#enter({ state: "closing" });
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close(CLOSE.abnormal.code, CLOSE.abnormal.reason);
  }

  /** Returns `null` if the runtime sends pings by itself. */
  #startKeepalive(): Keepalive | null {
    const socket = this.#socket;
    if (socket.ping === undefined) return null;
    return new Keepalive(MAIBOT_KEEPALIVE, () => socket.ping?.(), () => this.end(CLOSE.silent));
  }

  /** Closes the socket. Where frames that come in would discard the close frame, waits until they stop. */
  #closeWhenQuiet(frame: CloseFrame, limit: number): void {
    const now = runtime.now();
    const rest = runtime.closeEndsInput ? 0 : Math.min(this.#lastFrame + QUIET_AFTER, limit) - now;
    if (rest > 0) {
      const timer = runtime.after(Math.ceil(rest), () => this.#closeWhenQuiet(frame, limit));
      return this.#enter({ state: "draining", timer });
    }
    this.#enter({ state: "closing" });
    this.#socket.close(frame.code, frame.reason);
  }

  /** Enters a state, and stops the timers of the one before. */
  #enter(life: Life): void {
    if (this.#life.state === "open") this.#life.keepalive?.stop();
    if (this.#life.state === "draining") runtime.cancel(this.#life.timer);
    this.#life = life;
  }
}
