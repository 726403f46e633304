import type { Timer } from "../../runtime/clock.ts";
import { runtime } from "../../runtime/mod.ts";

/** Times of a {@linkcode Keepalive}, in milliseconds. */
export interface KeepaliveTimes {
  /** Time from one ping to the next. */
  readonly interval: number;
  /** Maximum time from a ping to its pong. */
  readonly timeout: number;
}

/**
 * Keepalive of uvicorn in MaiBot. It sends a ping every 20 s. If the pong does not come within 20 s, uvicorn closes the
 * connection with 1011. A peer that never answers is therefore closed 40 s after it has connected. Source: measured
 * with MaiBot.
 */
export const MAIBOT_KEEPALIVE: KeepaliveTimes = { interval: 20_000, timeout: 20_000 };

/** Sends pings to one peer, and calls a function if the pong does not come in time. */
export class Keepalive {
  readonly #times: KeepaliveTimes;
  readonly #sendPing: () => void;
  readonly #onTimeout: () => void;
  #next: Timer;
  /** The timer that runs from a ping until its pong; `null` if no pong is awaited. */
  #deadline: Timer | null = null;

  /** Starts the keepalive. The first ping is sent after the interval. */
  constructor(times: KeepaliveTimes, sendPing: () => void, onTimeout: () => void) {
    this.#times = times;
    this.#sendPing = sendPing;
    this.#onTimeout = onTimeout;
    this.#next = this.#schedule();
  }

  /** The caller must call this method for each pong that it receives. */
  pong(): void {
    if (this.#deadline !== null) runtime.cancel(this.#deadline);
    this.#deadline = null;
  }

  /** Stops all timers. */
  stop(): void {
    runtime.cancel(this.#next);
    this.pong();
  }

  #schedule(): Timer {
    return runtime.after(this.#times.interval, () => {
      this.#next = this.#schedule();
      this.#sendPing();
      this.#deadline ??= runtime.after(this.#times.timeout, () => {
        this.stop();
        this.#onTimeout();
      });
    });
  }
}
