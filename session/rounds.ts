import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";

/** An object with work that may wait for the next round. */
export interface RoundMember {
  /** Does the work that is due. Returns false if the object does not need the next round. */
  round(now: number): boolean;
}

/** Milliseconds between two rounds. */
const ROUND_INTERVAL = 100;

/**
 * One timer for all connections of a client or server. While at least one of them has work that waits, each of these is
 * visited every 100 ms. A timer for each connection would cost too much for a server that sends to thousands.
 */
export class Rounds {
  readonly #members = new Set<RoundMember>();
  #timer: Timer | undefined;

  /** Visits an object from the next round on, until its `round` returns false. */
  add(member: RoundMember): void {
    this.#members.add(member);
    this.#timer ??= runtime.after(ROUND_INTERVAL, () => this.#visit());
  }

  /** Does not visit an object any more. */
  remove(member: RoundMember): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    runtime.cancel(this.#timer);
    this.#timer = undefined;
  }

  #visit(): void {
    this.#timer = runtime.after(ROUND_INTERVAL, () => this.#visit());
    const now = runtime.now();
    for (const member of [...this.#members]) if (!member.round(now)) this.remove(member);
  }
}
