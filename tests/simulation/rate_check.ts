import { numberInText } from "./messages.ts";
import { sim } from "./simulation.ts";

interface Bucket {
  left: number;
  at: number;
}

/** Counts the users' messages of each connection as `limits.messagesPerSecond` says: what the library sends is free. */
export class RateCheck {
  readonly #perSecond: number;
  readonly #buckets = new Map<number, Bucket>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  received(text: string, connection: number): void {
    if (this.#perSecond === Infinity) return;
    const bucket = this.#buckets.get(connection) ?? { left: this.#perSecond, at: sim.now };
    bucket.left = Math.min(this.#perSecond, bucket.left + (sim.now - bucket.at) / 1000 * this.#perSecond);
    bucket.at = sim.now;
    if (numberInText(text) !== null) bucket.left--;
    this.#buckets.set(connection, bucket);
  }

  /** True if the last message of this address was one too many, give or take one. */
  isExceeded(address: string): boolean {
    const bucket = this.#buckets.get(Number(address.split(".")[3]));
    return bucket === undefined || bucket.left < 1;
  }
}
