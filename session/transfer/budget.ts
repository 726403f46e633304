/**
 * Bounds the memory of unfinished transfers over all connections of a server. Text of a transfer is counted from the
 * time it arrives until the transfer ends, or until a reader of a stream takes it.
 */
export class TransferBudget {
  /** Maximum characters. */
  readonly max: number;
  #held = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** Characters in memory now. */
  get held(): number {
    return this.#held;
  }

  /** Tells whether so many more characters fit. */
  hasRoom(length: number): boolean {
    return this.#held + length <= this.max;
  }

  /** Counts characters that have arrived; returns false if they do not fit. */
  take(length: number): boolean {
    if (!this.hasRoom(length)) return false;
    this.#held += length;
    return true;
  }

  /** Counts characters that are not in memory any more. */
  give(length: number): void {
    this.#held -= length;
  }
}
