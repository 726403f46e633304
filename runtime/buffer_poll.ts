/**
 * Intervals at which the buffer of a socket is checked. The checks are necessary, because runtimes do not report that
 * the buffer has drained.
 * @module
 */

/** Milliseconds before the first check of a full buffer. */
export const FIRST_POLL = 1;

/** Milliseconds between two checks of a buffer that stays full. */
const LONGEST_POLL = 16;

/**
 * Returns the milliseconds before the next check. `delay` is the wait before the last check, which found the buffer
 * still full.
 */
export function nextPoll(delay: number): number {
  return Math.min(delay * 2, LONGEST_POLL);
}
