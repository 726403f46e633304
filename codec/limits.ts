/**
 * Default of `maxBytes`: size of the largest message that the deployed peers accept, in UTF-8 bytes.
 *
 * Source: maim_message 0.6.8, ws_connection.py, max_message_size.
 */
export const MAX_BYTES = 104_857_600;

/**
 * Default of `maxSegments`: limit on the segments of one message. Decoding 100,000 segments takes about a tenth of a
 * second.
 */
export const MAX_SEGMENTS = 100_000;

/** Default of `maxBuffered`: limit on the characters of JSON that `decodeSegments` holds at a time. */
export const MAX_BUFFERED = 16_777_216;

/**
 * Limit on the levels of nesting in a message that is sent. A Python peer fails near 1,000 levels and loses the
 * connection.
 */
export const MAX_NESTING = 500;

/** Length of the longest string in V8, in UTF-16 units. */
export const MAX_STRING_LENGTH: number = 2 ** 29 - 24;

/**
 * Number of bytes or characters that are handled in one step. It is small because V8 15 stores strings of 128 KiB and
 * more in memory that is slow to free.
 */
export const BLOCK_LENGTH = 65_536;
