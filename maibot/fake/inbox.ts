import { runtime } from "../../runtime/mod.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";

/** Options of the methods of `FakeMaiBot` that wait. */
export interface MaibotWaitOptions {
  /**
   * Maximum time to wait, in milliseconds.
   *
   * @default {5000}
   */
  timeoutMs?: number;
  /** A signal that ends the wait when it is aborted. The call then rejects with the reason of the signal. */
  signal?: AbortSignal;
}

/** A call that waits for an item. */
interface Waiter<T> {
  readonly isMatch: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Keeps items until they are taken. At most `maxItems` items are kept; the oldest is removed. A call can wait for the
 * next item.
 */
export class Inbox<T> {
  readonly #maxItems: number;
  readonly #items: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  #isClosed = false;

  constructor(maxItems: number) {
    this.#maxItems = maxItems;
  }

  /** Gives an item to the first waiting call whose `isMatch` accepts it. If there is no such call, keeps the item. */
  push(item: T): void {
    for (const waiter of this.#waiters) {
      if (!matches(waiter, item)) continue;
      this.#waiters.delete(waiter);
      return waiter.resolve(item);
    }
    pushLimited(this.#items, item, this.#maxItems);
  }

  /** Rejects all waiting calls. A later call is rejected too if it would have to wait. */
  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiters) reject(closedError());
    this.#waiters.clear();
  }

  /**
   * Takes the oldest item that matches, or waits for one.
   *
   * @param isMatch Tells whether an item matches. If this function throws, the call rejects with the function's error.
   * @param timeoutText Returns the error text for a timeout. It is called with the items that nobody has taken.
   * @param options How long to wait.
   */
  async next(
    isMatch: (item: T) => boolean,
    timeoutText: (left: readonly T[]) => string,
    { timeoutMs = 5000, signal }: MaibotWaitOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const index = this.#items.findIndex(isMatch);
    const [found] = index < 0 ? [] : this.#items.splice(index, 1);
    if (found !== undefined) return found;
    if (this.#isClosed) throw closedError();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter: Waiter<T> = { isMatch, resolve, reject };
    const abort = () => reject(signal?.reason);
    const timer = runtime.after(
      timeoutMs,
      () => reject(new MessageConnectionError("timeout", timeoutText(this.#items))),
    );
    signal?.addEventListener("abort", abort);
    this.#waiters.add(waiter);
    try {
      return await promise;
    } finally {
      this.#waiters.delete(waiter);
      runtime.cancel(timer);
      signal?.removeEventListener("abort", abort);
    }
  }
}

/** Tells whether an item matches a waiting call. If the `isMatch` of the call throws, only this call rejects. */
function matches<T>({ isMatch, reject }: Waiter<T>, item: T): boolean {
  try {
    return isMatch(item);
  } catch (error) {
    reject(error);
    return false;
  }
}

function closedError(): MessageConnectionError {
  return new MessageConnectionError("closed", "FakeMaiBot is closed; create a new one");
}

/** Appends an item to a list. If the list then has more than `max` items, removes the oldest item. */
export function pushLimited<T>(list: T[], item: T, max: number): void {
  list.push(item);
  if (list.length > max) list.shift();
}
