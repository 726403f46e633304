import { runtime } from "../runtime/mod.ts";

/** Limits the messages per second of one connection. All messages that one second allows may come in one burst. */
export class MessageRate {
  readonly #perSecond: number;
  #left: number;
  #updatedAt = runtime.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Counts one message; returns false if there were too many. */
  take(): boolean {
    const now = runtime.now();
    this.#left = Math.min(this.#perSecond, this.#left + (now - this.#updatedAt) / 1000 * this.#perSecond);
    this.#updatedAt = now;
    this.#left--;
    return this.#left >= 0;
  }

  /** Undoes one {@linkcode MessageRate.take}. Called for a frame that does not count as a message. */
  giveBack(): void {
    this.#left++;
  }
}

/** Counts connections by address. */
export class AddressCounts {
  readonly #counts = new Map<string, number>();

  add(address: string): void {
    this.#counts.set(address, this.of(address) + 1);
  }

  remove(address: string): void {
    const left = this.of(address) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }

  of(address: string): number {
    return this.#counts.get(address) ?? 0;
  }
}
