/** A running timer. */
export type Timer = ReturnType<typeof setTimeout>;

/** Calls back after some milliseconds; more than the 24 days a runtime can count, as `Infinity`, is 24 days. */
export function after(ms: number, callback: () => void): Timer {
  return setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
}
