import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { HeartbeatSettings } from "./settings.ts";

/** The link that a heartbeat watches. */
export interface HeartbeatTarget {
  /** Asks the server for an answer, until aborted. Returns false if there is no way to ask. */
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

/** Slowest upload, in bytes per second, for which an answer is waited for longer: 1 Mbit/s. */
const MIN_UPLOAD_RATE = 131_072;
/** Milliseconds after which a missing answer counts as silence if the connection is lost then. */
const OVERDUE_AFTER = 1000;

/** Notices a server that no longer answers. Asks only if nothing was received for a while. */
export class Heartbeat {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #target: HeartbeatTarget;
  #lastReceived = runtime.now();
  #life: Life = { state: "stopped" };

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

  /** Time at which something was last received, if an answer is overdue; else `Infinity`. */
  get silentSince(): number {
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
    // The request waits behind the bytes that are still being sent, so the answer may take that much longer.
    const upload = this.#target.bufferedAmount / MIN_UPLOAD_RATE * 1000;
    const request = new AbortController();
    const timer = runtime.after(this.#timeout + upload, () => this.#checkAnswer(since));
    this.#life = { state: "asking", since, timer, request };
    if (!this.#target.ask(request.signal)) this.stop();
  }

  #checkAnswer(since: number): void {
    if (this.#life.state === "asking") this.#life.request.abort();
    if (this.#lastReceived >= since) return this.#listen();
    // The state stays "asking": `silentSince` is read when the connection is lost.
    this.#target.dead();
  }
}
