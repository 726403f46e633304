import type { Timer } from "../../runtime/clock.ts";
import { runtime } from "../../runtime/mod.ts";
import type { ServerSocket, SocketEvents } from "../../runtime/types.ts";
import { CLOSE, type CloseFrame } from "../../util/close_codes.ts";
import { Keepalive, MAIBOT_KEEPALIVE } from "./keepalive.ts";

/** Events of a {@linkcode Peer}. */
export interface PeerEvents {
  /** The socket has opened. Frames can be sent from now on. */
  opened(peer: Peer): void;
  /** A frame was received; `text` is null for a binary frame. */
  frame(text: string | null, peer: Peer): void;
  /** The socket has ended. This event comes only once. */
  ended(peer: Peer, end: CloseFrame): void;
}

/** Time without a frame after which the peer is assumed to have stopped sending, in milliseconds. */
const QUIET_AFTER = 50;
/** Maximum time that a close frame waits for the peer to stop sending, in milliseconds. */
const MAX_QUIET_WAIT = 1000;

/** The state of a connection. In `draining`, the close frame waits until the peer has stopped sending. */
type Life =
  /**
   * If `end()` was called before the socket was open, `end` is the close frame of this call; otherwise it is `null`.
   */
  | { readonly state: "opening"; readonly end: CloseFrame | null }
  | { readonly state: "open"; readonly keepalive: Keepalive | null }
  | { readonly state: "draining"; readonly timer: Timer }
  | { readonly state: "closing" }
  | { readonly state: "closed" };

/** One connection of an adapter to the fake, as the fake sees it. */
export class Peer implements SocketEvents {
  /** The platform in the handshake; `unknown` if the handshake named no platform. */
  readonly platform: string;
  /** True if the token was right, or if no token was needed. */
  readonly isAuthorized: boolean;
  readonly #socket: ServerSocket;
  readonly #events: PeerEvents;
  #life: Life = { state: "opening", end: null };
  /** Time when the last frame was received. While draining, it is at least the time of the call to `end()`. */
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

  /** True from the time when the socket opens until the event `ended`. */
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

  /** Closes the connection with a close frame. Frames that are received after this call are ignored. */
  end(frame: CloseFrame): void {
    // Deno 2.9 ignores a close that comes before the socket is open, so the close frame is kept until then.
    if (this.#life.state === "opening") this.#life = { state: "opening", end: frame };
    if (this.#life.state !== "open") return;
    this.#lastFrame = runtime.now();
    this.#closeWhenQuiet(frame, this.#lastFrame + MAX_QUIET_WAIT);
  }

  /**
   * Ends the connection without a close frame. Deno 2.9 cannot do this: on Deno, a close frame is sent with 1006, a
   * code that is not allowed in a close frame.
   */
  cut(): void {
    if (this.#life.state !== "open" && this.#life.state !== "draining") return;
    this.#enter({ state: "closing" });
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close(CLOSE.abnormal.code, CLOSE.abnormal.reason);
  }

  /** Starts the keepalive. Returns `null` if the runtime itself sends the pings. */
  #startKeepalive(): Keepalive | null {
    const socket = this.#socket;
    if (socket.ping === undefined) return null;
    return new Keepalive(MAIBOT_KEEPALIVE, () => socket.ping?.(), () => this.end(CLOSE.silent));
  }

  /**
   * Closes the socket. In a runtime where frames that are received afterwards would discard the close frame, first
   * waits until the peer stops sending, but not longer than until the time `limit`.
   */
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

  /** Enters a state, and stops the timers of the previous state. */
  #enter(life: Life): void {
    if (this.#life.state === "open") this.#life.keepalive?.stop();
    if (this.#life.state === "draining") runtime.cancel(this.#life.timer);
    this.#life = life;
  }
}
