/** A timer that runs; give it to {@linkcode Clock.cancel}. */
export type Timer = ReturnType<typeof setTimeout>;

/** The time, and calls that come later. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls back after some milliseconds. `Infinity`, and all beyond the 24 days that a runtime can count, is 24 days. */
  after(ms: number, callback: () => void): Timer;
  /** Ends a timer; one that has ended, or none, is fine. */
  cancel(timer: Timer | undefined): void;
}

/** The clock of every runtime. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => setTimeout(callback, Math.min(ms, 2 ** 31 - 1)),
  cancel: (timer) => clearTimeout(timer),
};
