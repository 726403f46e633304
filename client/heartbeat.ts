import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { HeartbeatSettings } from "./settings.ts";

/** The link that a heartbeat watches. */
export interface HeartbeatTarget {
  /** Asks the server for an answer; `signal` aborts the request. Returns false if there is no way to ask. */
  ask(signal: AbortSignal): boolean;
  /** Bytes that this side is still sending. */
  readonly bufferedAmount: number;
  /** The server has not answered in time. */
  dead(): void;
}

type Life =
  | { readonly state: "stopped" }
  | { readonly state: "listening"; readonly timer: Timer }
  | { readonly state: "asking"; readonly timer: Timer; readonly since: number; readonly request: AbortController };

/**
 * Slowest upload that is expected, in bytes per second: 1 Mbit/s. While bytes are still being sent, the heartbeat waits
 * longer for an answer, by the time that these bytes take at this speed.
 */
const MIN_UPLOAD_RATE = 131_072;
/**
 * Milliseconds. If an answer has been missing for at least this time when the connection is lost, the server counts as
 * silent.
 */
const OVERDUE_AFTER = 1000;

/** Notices that the server no longer answers. Asks for an answer only if nothing was received for `interval`. */
export class Heartbeat {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #target: HeartbeatTarget;
  #lastReceived = runtime.now();
  #life: Life = { state: "stopped" };
  #wasNeverAlive = false;

  constructor({ interval, timeout }: Pick<HeartbeatSettings, "interval" | "timeout">, target: HeartbeatTarget) {
    this.#interval = interval;
    this.#timeout = timeout;
    this.#target = target;
  }

  /** Starts to watch. */
  start(): void {
    this.received();
    this.#listen();
  }

  /** Something was received from the server. */
  received(): void {
    this.#lastReceived = runtime.now();
  }

  /** Stops for good: the target is not called any more. */
  stop(): void {
    if (this.#life.state !== "stopped") runtime.cancel(this.#life.timer);
    if (this.#life.state === "asking") this.#life.request.abort();
    this.#life = { state: "stopped" };
  }

  /** It turned out that nothing has arrived on this connection since it was opened. */
  neverAlive(): void {
    this.#wasNeverAlive = true;
  }

  /** If an answer is overdue: the time at which something was last received. Otherwise `Infinity`. */
  get silentSince(): number {
    if (this.#wasNeverAlive) return -Infinity;
    const isOverdue = this.#life.state === "asking" && this.#lastReceived < this.#life.since &&
      runtime.now() - this.#life.since >= Math.min(OVERDUE_AFTER, this.#timeout);
    return isOverdue ? this.#lastReceived : Infinity;
  }

  #listen(): void {
    const rest = this.#lastReceived + this.#interval - runtime.now();
    this.#life = { state: "listening", timer: runtime.after(Math.max(0, rest), () => this.#askIfSilent()) };
  }

  #askIfSilent(): void {
    if (runtime.now() - this.#lastReceived < this.#interval) return this.#listen();
    const since = runtime.now();
    // The request is queued behind the bytes that are still being sent, so the answer may be late by the time they
    // take.
    const upload = this.#target.bufferedAmount / MIN_UPLOAD_RATE * 1000;
    const request = new AbortController();
    const timer = runtime.after(this.#timeout + upload, () => this.#checkAnswer(since));
    this.#life = { state: "asking", since, timer, request };
    if (!this.#target.ask(request.signal)) this.stop();
  }

  #checkAnswer(since: number): void {
    if (this.#life.state === "asking") this.#life.request.abort();
    if (this.#lastReceived >= since) return this.#listen();
    // The state must stay "asking", because `silentSince` is read when the connection is lost.
    this.#target.dead();
  }
}
