/** How many segment lists may stand inside one another, unless the option `maxDepth` says otherwise. */
export const MAX_DEPTH = 32;

/** The latest time of a message, in Unix seconds: the end of the year 9999. Python's datetime and MaiBot take none later. */
export const LAST_SECOND = 253_402_300_799;
