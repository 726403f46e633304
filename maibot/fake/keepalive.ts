import { runtime } from "../../runtime/mod.ts";
import type { Timer } from "../../runtime/clock.ts";

/** When a server pings, in milliseconds. */
export interface KeepaliveTimes {
  /** From one ping to the next. */
  readonly interval: number;
  /** From a ping until a connection without a pong is given up. */
  readonly timeout: number;
}

/** How uvicorn is set up by MaiBot. Source: maibot.md 5: pings at 20, 40, 60 s, 1011 at 40 s. */
export const MAIBOT_KEEPALIVE: KeepaliveTimes = { interval: 20_000, timeout: 20_000 };

/** Pings one connection, and gives it up when no pong comes. */
export class Keepalive {
  readonly #times: KeepaliveTimes;
  readonly #ping: () => void;
  readonly #giveUp: () => void;
  #next: Timer;
  #deadline: Timer | null = null;

  /** Starts; the first ping goes out after the interval. */
  constructor(times: KeepaliveTimes, ping: () => void, giveUp: () => void) {
    this.#times = times;
    this.#ping = ping;
    this.#giveUp = giveUp;
    this.#next = this.#schedule();
  }

  /** A pong came: the connection lives. */
  pong(): void {
    if (this.#deadline !== null) runtime.cancel(this.#deadline);
    this.#deadline = null;
  }

  /** Ends all timers. */
  stop(): void {
    runtime.cancel(this.#next);
    this.pong();
  }

  #schedule(): Timer {
    return runtime.after(this.#times.interval, () => {
      this.#next = this.#schedule();
      this.#ping();
      this.#deadline ??= runtime.after(this.#times.timeout, () => {
        this.stop();
        this.#giveUp();
      });
    });
  }
}
