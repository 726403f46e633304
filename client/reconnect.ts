import type { MessageConnectionError } from "../util/connection_error.ts";
import type { ReconnectSettings } from "./settings.ts";

/**
 * Computes the delay before the next dial.
 *
 * @param attempt Number of the next dial. It starts from 1 again after a stable connection.
 * @param reason Error that ended the last connection or dial.
 * @param settings The delays, and the maximum number of attempts.
 * @returns Milliseconds; `null` if the client does not dial again.
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
