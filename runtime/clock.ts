/** A running timer, as {@linkcode Clock.after} returns it. */
export type Timer = ReturnType<typeof setTimeout>;

/** The current time, and timers. */
export interface Clock {
  /** Returns the milliseconds since a fixed moment. The value never decreases. */
  now(): number;
  /**
   * Calls `callback` after `ms` milliseconds. If `ms` is more than 24 days or `Infinity`, calls it after 24 days,
   * because no runtime can wait longer.
   */
  after(ms: number, callback: () => void): Timer;
  /** Cancels a timer. Does nothing if the timer has ended or is `undefined`. */
  cancel(timer: Timer | undefined): void;
}

/** The clock that all runtimes have. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => setTimeout(callback, Math.min(ms, 2 ** 31 - 1)),
  cancel: (timer) => clearTimeout(timer),
};
