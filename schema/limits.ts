/** Default of `maxDepth`: how deep segment lists may be nested inside one another. */
export const MAX_DEPTH = 32;

/**
 * Latest time of a message in Unix seconds, the end of the year 9999. Python's datetime and MaiBot accept no later
 * time.
 */
export const LAST_SECOND = 253_402_300_799;
