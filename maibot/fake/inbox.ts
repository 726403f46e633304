import { runtime } from "../../runtime/mod.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";

/** How long a wait may last. */
export interface MaibotWaitOptions {
  /**
   * Milliseconds until the wait gives up.
   *
   * @default {5000}
   */
  timeoutMs?: number;
  /** Gives up when aborted. */
  signal?: AbortSignal;
}

interface Waiter<T> {
  readonly isMatch: (item: T) => boolean;
  readonly take: (item: T) => void;
  readonly fail: (error: unknown) => void;
}

/** Keeps what arrives until somebody takes it, the newest `keep` of it. */
export class Inbox<T> {
  readonly #keep: number;
  readonly #items: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  #isClosed = false;

  constructor(keep: number) {
    this.#keep = keep;
  }

  /** Adds one item, or hands it to the first wait it fits. */
  push(item: T): void {
    for (const waiter of this.#waiters) {
      if (!fits(waiter, item)) continue;
      this.#waiters.delete(waiter);
      return waiter.take(item);
    }
    remember(this.#items, item, this.#keep);
  }

  /** Ends every wait, now and later. */
  close(): void {
    this.#isClosed = true;
    for (const { fail } of this.#waiters) fail(closedError());
    this.#waiters.clear();
  }

  /** Takes the oldest item that fits, or the next one to come; `describe` says what was there when time is up. */
  async take(
    isMatch: (item: T) => boolean,
    describe: (left: readonly T[]) => string,
    { timeoutMs = 5000, signal }: MaibotWaitOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const index = this.#items.findIndex(isMatch);
    const [found] = index < 0 ? [] : this.#items.splice(index, 1);
    if (found !== undefined) return found;
    if (this.#isClosed) throw closedError();
    const { promise, resolve: take, reject: fail } = Promise.withResolvers<T>();
    const waiter: Waiter<T> = { isMatch, take, fail };
    const abort = () => fail(signal?.reason);
    const timer = runtime.after(timeoutMs, () => fail(new MessageConnectionError("timeout", describe(this.#items))));
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

/** A predicate that throws fails its own wait, and nothing else. */
function fits<T>({ isMatch, fail }: Waiter<T>, item: T): boolean {
  try {
    return isMatch(item);
  } catch (error) {
    fail(error);
    return false;
  }
}

function closedError(): MessageConnectionError {
  return new MessageConnectionError("closed", "Cannot wait as the FakeMaiBot must be open: it is closed");
}

/** Adds to a list that forgets its oldest. */
export function remember<T>(list: T[], item: T, keep: number): void {
  list.push(item);
  if (list.length > keep) list.shift();
}
