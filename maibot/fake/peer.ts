import type { Timer } from "../../runtime/clock.ts";
import { runtime } from "../../runtime/mod.ts";
import type { ServerSocket, SocketEvents } from "../../runtime/types.ts";
import { CLOSE, type CloseFrame } from "../../util/close_codes.ts";
import { Keepalive, type KeepaliveTimes } from "./keepalive.ts";

/** What a connection tells the fake. */
export interface ConnectionEvents {
  /** Sending is possible from here on. */
  opened(connection: Connection): void;
  /** One frame; `null` for a binary one. */
  frame(text: string | null, connection: Connection): void;
  /** The end; comes once. */
  ended(connection: Connection, end: CloseFrame): void;
}

/** Milliseconds without a frame after which the other side is taken to have stopped sending. */
const QUIET = 50;
/** Milliseconds after which a close frame is sent to a peer that never stops sending. */
const QUIET_LIMIT = 1000;

type Life =
  /** `end` is a close that was asked for too early. */
  | { readonly state: "opening"; readonly end: CloseFrame | null }
  | { readonly state: "open"; readonly keepalive: Keepalive | null }
  /** Waits until the other side stops sending. */
  | { readonly state: "quieting"; readonly timer: Timer }
  | { readonly state: "closing" }
  | { readonly state: "closed" };

/** One connection of a fake: its text frames as they come, and the ways it can end. */
export class Connection implements SocketEvents {
  /** From the header; `unknown` without one. */
  readonly platform: string;
  readonly isAuthorized: boolean;
  readonly #socket: ServerSocket;
  readonly #events: ConnectionEvents;
  readonly #times: KeepaliveTimes;
  #life: Life = { state: "opening", end: null };
  #lastFrame = 0;

  constructor(
    { platform, isAuthorized }: Pick<Connection, "platform" | "isAuthorized">,
    socket: ServerSocket,
    events: ConnectionEvents,
    times: KeepaliveTimes,
  ) {
    this.platform = platform;
    this.isAuthorized = isAuthorized;
    this.#socket = socket;
    this.#events = events;
    this.#times = times;
  }

  get isOpen(): boolean {
    return this.#life.state === "open";
  }

  /** Whether there is a socket that may still tell of its end. */
  get isConnected(): boolean {
    return this.#life.state !== "opening" && this.#life.state !== "closed";
  }

  opened(): void {
    if (this.#life.state !== "opening") return;
    const { end } = this.#life;
    this.#life = { state: "open", keepalive: this.#startKeepalive() };
    if (end === null) this.#events.opened(this);
    else this.end(end);
  }

  /** Pings the peer; `null` where the runtime does so by itself. */
  #startKeepalive(): Keepalive | null {
    const socket = this.#socket;
    if (socket.ping === undefined) return null;
    return new Keepalive(this.#times, () => socket.ping?.(), () => this.end(CLOSE.silent));
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

  /** Queues one text frame; returns whether the connection is open. */
  send(text: string): boolean {
    if (!this.isOpen) return false;
    this.#socket.send(text);
    return true;
  }

  /** Sends a close frame. What comes in from here on is not read. */
  end(frame: CloseFrame): void {
    // Deno 2.9 loses a close that comes before the socket is open.
    if (this.#life.state === "opening") this.#life = { state: "opening", end: frame };
    if (this.#life.state !== "open") return;
    this.#lastFrame = runtime.now();
    this.#closeWhenQuiet(frame, this.#lastFrame + QUIET_LIMIT);
  }

  /** Drops the connection without a close frame. Deno 2.9 cannot: it sends one with a code that no frame may carry. */
  cut(): void {
    if (this.#life.state !== "open" && this.#life.state !== "quieting") return;
    this.#enter({ state: "closing" });
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close(CLOSE.abnormal.code, CLOSE.abnormal.reason);
  }

  /** Closes now, or once the other side has stopped sending where the runtime would lose the close frame. */
  #closeWhenQuiet(frame: CloseFrame, limit: number): void {
    const now = runtime.now();
    const rest = runtime.closeEndsInput ? 0 : Math.min(this.#lastFrame + QUIET, limit) - now;
    if (rest > 0) {
      const timer = runtime.after(Math.ceil(rest), () => this.#closeWhenQuiet(frame, limit));
      return this.#enter({ state: "quieting", timer });
    }
    this.#enter({ state: "closing" });
    this.#socket.close(frame.code, frame.reason);
  }

  /** Leaves a state, and with it its timers. */
  #enter(life: Life): void {
    if (this.#life.state === "open") this.#life.keepalive?.stop();
    if (this.#life.state === "quieting") runtime.cancel(this.#life.timer);
    this.#life = life;
  }
}
