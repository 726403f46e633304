import type { MessageConnectionError } from "../util/connection_error.ts";
import type { ReconnectSettings } from "./settings.ts";

/**
 * Computes the delay before the next dial.
 *
 * @param attempt Number of that dial, from 1 after a stable connection.
 * @param reason Why the last connection or dial ended.
 * @param settings When and how often to dial again.
 * @returns Milliseconds; `null` if there is no other dial.
 * @throws {RangeError} If the user's `delay` returns a negative number or `NaN`; also whatever `delay` throws.
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
  throw new RangeError(`'reconnect.delay' must return milliseconds, 0 or more; it returned ${delay}`);
}
