import type { MessageConnectionError } from "../util/connection_error.ts";
import type { ReconnectSettings } from "./settings.ts";

/**
 * Finds how long to wait before the next dial.
 *
 * @param attempt Number of the new dial, from 1 after a stable connection.
 * @param reason What ended the last connection or dial.
 * @param settings When to dial again.
 * @returns Milliseconds; `null` when there is to be no other dial.
 * @throws {RangeError} If the user's own `delay` returns a negative number; else what it throws.
 */
export function delayBefore(
  attempt: number,
  reason: MessageConnectionError,
  { minDelay, maxDelay, multiplier, jitter, maxAttempts, delay }: ReconnectSettings,
): number | null {
  if (attempt > maxAttempts) return null;
  if (delay !== undefined) return checkedDelay(delay(attempt, reason));
  const wait = Math.min(minDelay * multiplier ** (attempt - 1), maxDelay);
  return Math.round(wait * (1 - jitter * Math.random()));
}

function checkedDelay(delay: number): number {
  if (delay >= 0) return delay;
  throw new RangeError(`'reconnect.delay' returned ${delay}; return the milliseconds to wait, 0 or more`);
}
