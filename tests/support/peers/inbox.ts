/**
 * A queue of things that arrived, with bounded waits for the next one that fits.
 * @module
 */

/** How long one wait may last. */
export interface WaitOptions {
  /** Milliseconds until the wait rejects. @default {5000} */
  readonly timeoutMs?: number;
}

interface Waiter<T> {
  readonly isMatch: (item: T) => boolean;
  readonly settle: (item: T | null) => void;
}

/** Rejects with an error that says what did not happen once `timeoutMs` is over, and takes its timer along on every path. */
export async function withTimeout<T>(promise: Promise<T>, timeoutMs: number, describe: () => string): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`Timed out after ${timeoutMs} ms waiting for ${describe()}`)),
    timeoutMs,
  );
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits at most five seconds for what must come at once. */
export function soon<T>(promise: Promise<T>, what: string = "what must come soon"): Promise<T> {
  return withTimeout(promise, 5000, () => what);
}

/** Keeps what arrives until somebody takes it; an item nobody asks for stays where it is. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  #isEnded = false;

  /** Adds one item, or hands it to the first wait it fits. */
  push(item: T): void {
    for (const waiter of this.#waiters) {
      if (waiter.isMatch(item)) return waiter.settle(item);
    }
    this.#items.push(item);
  }

  /** Says that nothing more comes: waits that nothing fits resolve with `null`, now and later. */
  end(): void {
    this.#isEnded = true;
    for (const waiter of [...this.#waiters]) waiter.settle(null);
  }

  /** Takes the oldest item that fits, waiting for one if need be; `null` once the inbox has ended without one. */
  async take(
    isMatch: (item: T) => boolean,
    describe: () => string,
    { timeoutMs = 5000 }: WaitOptions = {},
  ): Promise<T | null> {
    const index = this.#items.findIndex(isMatch);
    const [found] = index < 0 ? [] : this.#items.splice(index, 1);
    if (found !== undefined) return found;
    if (this.#isEnded) return null;
    const { promise, resolve } = Promise.withResolvers<T | null>();
    const waiter: Waiter<T> = { isMatch, settle: (item) => (this.#waiters.delete(waiter), resolve(item)) };
    this.#waiters.add(waiter);
    try {
      return await withTimeout(promise, timeoutMs, describe);
    } finally {
      this.#waiters.delete(waiter);
    }
  }
}
