/** Seconds in a day. */
const DAY = 86_400;
/**
 * The seconds that `datetime.fromtimestamp` accepts on a machine in UTC: from `FIRST_SECOND` until before `END_SECOND`.
 * `FIRST_SECOND` is 0001-01-02 00:00, because Python refuses times on 0001-01-01, with an error that wrongly says year 0.
 */
const FIRST_SECOND = -62_135_510_400;
const END_SECOND = 253_402_300_800;
/** The first second that is too large for a 64-bit `time_t`. */
const TIME_T_END = 2 ** 63;
/** Largest year that `gmtime` can store, because it stores the year in a C int. */
const MAX_YEAR = 2 ** 31 - 1;

/** Returns the year of a Unix time. The time may be any number of years before or after 1970. */
function yearOf(seconds: number): number {
  // Days are counted from 0000-03-01, and grouped into eras of 400 years.
  const days = Math.floor(seconds / DAY) + 719_468;
  const era = Math.floor(days / 146_097);
  const day = days - era * 146_097;
  const year = Math.floor((day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365);
  const dayOfYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  return era * 400 + year + (dayOfYear >= 306 ? 1 : 0);
}

/** Returns the error of Python's `datetime.fromtimestamp(seconds)` on Linux in UTC; `null` if the call succeeds. */
export function dateError(seconds: number): string | null {
  if (Number.isNaN(seconds)) return "Invalid value NaN (not a number)";
  if (seconds >= FIRST_SECOND && seconds < END_SECOND) return null;
  if (Math.abs(seconds) >= TIME_T_END) return "timestamp out of range for platform time_t";
  const year = seconds < FIRST_SECOND && seconds >= FIRST_SECOND - DAY ? 0 : yearOf(seconds);
  return Math.abs(year) > MAX_YEAR
    ? "[Errno 75] Value too large for defined data type"
    : `year ${year} is out of range`;
}
