/**
 * Tells whether this process was kept from running. Some promises hold for processes that run: a caller that is refused
 * reads why if it sends within 50 ms, and a busy machine may not let it run for longer.
 * @module
 */

/** Milliseconds between two looks. */
const TICK_MS = 5;
/** A process that stood still for longer was kept from running: no turn of a test takes so long. */
const STALL_MS = 25;
/** How many runs of a process that stands still are repeated. */
const MAX_REPEATS = 50;

/** Runs something again if this process stood still meanwhile; gives what the run said that was not held up. */
export async function withoutStall<T>(run: () => Promise<T>): Promise<T> {
  for (let repeats = 0;; repeats++) {
    let [last, longest] = [performance.now(), 0];
    const look = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    };
    const timer = setInterval(look, TICK_MS);
    try {
      const result = await run();
      look();
      if (longest < STALL_MS || repeats === MAX_REPEATS) return result;
    } finally {
      clearInterval(timer);
    }
  }
}
