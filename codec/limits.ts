/**
 * Default of `maxBytes`, in UTF-8 bytes: the deployed Python peers accept no larger message.
 *
 * Source: maim_message 0.6.8, ws_connection.py, max_message_size.
 */
export const MAX_BYTES = 104_857_600;

/**
 * Default of `maxSegments`: largest number of segments in one message. Decoding 100,000 segments takes about 0.1
 * seconds.
 */
export const MAX_SEGMENTS = 100_000;

/** Default of `maxBuffered`: largest number of characters of JSON that `decodeSegments` holds at a time. */
export const MAX_BUFFERED = 16_777_216;

/**
 * Largest depth of nested objects and arrays in a message that is sent. At about 1,000 levels, a Python peer fails and
 * loses the connection.
 */
export const MAX_NESTING = 500;

/** Length of the longest string in V8, in UTF-16 units. */
export const MAX_STRING_LENGTH: number = 2 ** 29 - 24;

/**
 * Number of bytes or characters that are processed in one step. It is below 128 KiB, because V8 15 stores strings of
 * 128 KiB and more in memory that is slow to free.
 */
export const BLOCK_LENGTH = 65_536;
