/**
 * A clock that stands still until a test moves it, in place of the runtime's own.
 * @module
 */

import type { Timer } from "../../runtime/clock.ts";
import { runtime } from "../../runtime/mod.ts";

interface FakeTimer {
  readonly at: number;
  readonly callback: () => void;
}

/** Maximum callbacks in one step of the clock: more of them set each other again and again, at the same time. */
const MAX_CALLS = 100_000;

/** Takes the place of the runtime's clock until it is disposed of. */
export class FakeClock implements Disposable {
  readonly #original = { now: runtime.now, after: runtime.after, cancel: runtime.cancel };
  readonly #timers = new Map<number, FakeTimer>();
  #now = 1_000_000;
  #last = 0;

  constructor() {
    runtime.now = () => this.#now;
    runtime.after = (ms, callback) => {
      this.#timers.set(++this.#last, { at: this.#now + Math.max(0, ms), callback });
      return this.#last as unknown as Timer;
    };
    runtime.cancel = (timer) => void this.#timers.delete(timer as unknown as number);
  }

  /** Number of timers that wait. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and calls what falls due meanwhile, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    let calls = 0;
    for (let next = this.#nextBefore(end); next !== null; next = this.#nextBefore(end)) {
      const [id, { at, callback }] = next;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, at);
      if (++calls > MAX_CALLS) throw new Error("a timer that is due at once is set again and again");
      callback();
    }
    this.#now = end;
  }

  #nextBefore(end: number): [id: number, timer: FakeTimer] | null {
    const due = [...this.#timers].filter(([, { at }]) => at <= end);
    return due.reduce<[number, FakeTimer] | null>(
      (first, each) => first === null || each[1].at < first[1].at ? each : first,
      null,
    );
  }

  [Symbol.dispose](): void {
    Object.assign(runtime, this.#original);
  }
}
