import { runtime } from "../runtime/mod.ts";

/** Limits events per second. All events that one second allows may come in one burst. */
export class Rate {
  readonly #perSecond: number;
  #left: number;
  #updatedAt = runtime.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Counts one event; returns false and counts nothing if there were too many. */
  take(): boolean {
    const now = runtime.now();
    this.#left = Math.min(this.#perSecond, this.#left + (now - this.#updatedAt) / 1000 * this.#perSecond);
    this.#updatedAt = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
