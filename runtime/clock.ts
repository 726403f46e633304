/** A running timer, as {@linkcode Clock.after} returns it. */
export type Timer = ReturnType<typeof setTimeout>;

/** The current time, and timers. */
export interface Clock {
  /** Returns milliseconds since a fixed moment. Never goes back. */
  now(): number;
  /** Calls back after `ms` milliseconds, at most 24 days: no runtime can wait longer. `Infinity` is 24 days, too. */
  after(ms: number, callback: () => void): Timer;
  /** Cancels a timer. Does nothing if it has ended, or is `undefined`. */
  cancel(timer: Timer | undefined): void;
}

/** The clock that all runtimes have. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => setTimeout(callback, Math.min(ms, 2 ** 31 - 1)),
  cancel: (timer) => clearTimeout(timer),
};
