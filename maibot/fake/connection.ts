import { runtime } from "../../runtime/mod.ts";
import type { ServerSocket, SocketEvents } from "../../runtime/types.ts";
import type { Timer } from "../../runtime/clock.ts";
import { Keepalive, type KeepaliveTimes } from "./keepalive.ts";

/** What a connection tells the fake. */
export interface LineEvents {
  /** Sending is possible. */
  opened(line: Line): void;
  /** One frame; `null` is a binary one. */
  frame(text: string | null, line: Line): void;
  /** The end, once. */
  ended(line: Line, code: number, reason: string): void;
}

/** How a connection is to end. */
export interface LineEnd {
  readonly code: number;
  readonly reason: string;
}

/** What uvicorn sends to a peer that answers no ping. */
const SILENT: LineEnd = { code: 1011, reason: "keepalive ping timeout" };

/** Milliseconds without a frame after which the other side is held to have stopped sending. */
const QUIET = 50;
/** Milliseconds after which a close frame goes out to one that never stops. */
const QUIET_LIMIT = 1000;

type Life =
  | { readonly state: "opening"; readonly end: LineEnd | null }
  | { readonly state: "open" }
  | { readonly state: "quieting"; readonly timer: Timer }
  | { readonly state: "closing" }
  | { readonly state: "closed" };

/** One connection of the fake: its text frames as they come, and the ways it can end. */
export class Line implements SocketEvents {
  /** The header, `unknown` without one. */
  readonly platform: string;
  readonly isAuthorized: boolean;
  readonly #socket: ServerSocket;
  readonly #events: LineEvents;
  readonly #times: KeepaliveTimes;
  /** Absent where the runtime pings by itself. */
  #keepalive: Keepalive | null = null;
  #life: Life = { state: "opening", end: null };
  #lastFrame = 0;

  constructor(
    platform: string,
    isAuthorized: boolean,
    socket: ServerSocket,
    events: LineEvents,
    times: KeepaliveTimes,
  ) {
    this.#times = times;
    this.platform = platform;
    this.isAuthorized = isAuthorized;
    this.#socket = socket;
    this.#events = events;
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
    this.#life = { state: "open" };
    const socket = this.#socket;
    if (socket.ping !== undefined) {
      this.#keepalive = new Keepalive(this.#times, () => socket.ping?.(), () => this.end(SILENT));
    }
    if (end !== null) this.end(end);
    else this.#events.opened(this);
  }

  frame(text: string | null): void {
    this.#lastFrame = runtime.now();
    if (this.isOpen) this.#events.frame(text, this);
  }

  pong(): void {
    this.#keepalive?.pong();
  }

  ended(code: number, reason: string): void {
    this.#keepalive?.stop();
    if (this.#life.state === "closed") return;
    if ("timer" in this.#life) runtime.cancel(this.#life.timer);
    this.#life = { state: "closed" };
    this.#events.ended(this, code, reason);
  }

  /** Queues one text frame; returns whether the connection is open. */
  send(text: string): boolean {
    if (!this.isOpen) return false;
    this.#socket.send(text);
    return true;
  }

  /** Sends a close frame. What comes in from here on is not read. */
  end(end: LineEnd): void {
    // Deno 2.9: a close before the socket is open is lost.
    if (this.#life.state === "opening") this.#life = { state: "opening", end };
    if (this.#life.state !== "open") return;
    this.#lastFrame = runtime.now();
    this.#quiet(end, this.#lastFrame + QUIET_LIMIT);
  }

  /** Drops the connection without a close frame; Deno 2.9 can only send one that no close frame may be. */
  cut(): void {
    if (this.#life.state !== "open" && this.#life.state !== "quieting") return;
    if ("timer" in this.#life) runtime.cancel(this.#life.timer);
    this.#life = { state: "closing" };
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close(1006, "");
  }

  /** Closes at once, or when the other side pauses where the runtime would lose the close frame. */
  #quiet(end: LineEnd, limit: number): void {
    const now = runtime.now();
    const rest = runtime.closeEndsInput ? 0 : Math.min(this.#lastFrame + QUIET, limit) - now;
    if (rest > 0) {
      this.#life = { state: "quieting", timer: runtime.after(Math.ceil(rest), () => this.#quiet(end, limit)) };
      return;
    }
    this.#life = { state: "closing" };
    this.#socket.close(end.code, end.reason);
  }
}
