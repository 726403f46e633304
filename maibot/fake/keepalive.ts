import type { Timer } from "../../runtime/clock.ts";
import { runtime } from "../../runtime/mod.ts";

/** Times of a {@linkcode Keepalive}, in milliseconds. */
export interface KeepaliveTimes {
  /** From one ping to the next. */
  readonly interval: number;
  /** Maximum time from a ping to its pong. */
  readonly timeout: number;
}

/** Keepalive of uvicorn in MaiBot. Source: maibot.md 5: pings at 20, 40 and 60 s; closes a silent peer at 40 s with 1011. */
export const MAIBOT_KEEPALIVE: KeepaliveTimes = { interval: 20_000, timeout: 20_000 };

/** Sends pings to one peer, and reports if no pong comes in time. */
export class Keepalive {
  readonly #times: KeepaliveTimes;
  readonly #sendPing: () => void;
  readonly #onTimeout: () => void;
  #next: Timer;
  /** Runs from a ping until its pong. */
  #deadline: Timer | null = null;

  /** Starts the keepalive. The first ping is sent after the interval. */
  constructor(times: KeepaliveTimes, sendPing: () => void, onTimeout: () => void) {
    this.#times = times;
    this.#sendPing = sendPing;
    this.#onTimeout = onTimeout;
    this.#next = this.#schedule();
  }

  /** Must be called for each pong. */
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
