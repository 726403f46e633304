/**
 * Default of `maxBytes`: the largest message in UTF-8 bytes, as the deployed peers accept it.
 *
 * Source: maim_message 0.6.8, ws_connection.py, max_message_size.
 */
export const MAX_BYTES = 104_857_600;

/** Default of `maxSegments`: the most segments of one message. To decode so many takes about a tenth of a second. */
export const MAX_SEGMENTS = 100_000;

/** Default of `maxBuffered`: the most characters of JSON that `decodeSegments` holds at a time. */
export const MAX_BUFFERED = 16_777_216;

/** Most levels of nesting in a message that is sent. A Python peer fails near 1,000 levels and loses the connection. */
export const MAX_NESTING = 500;

/** Longest string of V8, in UTF-16 units. */
export const MAX_STRING_LENGTH: number = 2 ** 29 - 24;

/** Bytes or characters handled in one step. V8 15 puts strings of 128 KiB and more where they are slow to free. */
export const BLOCK_LENGTH = 65_536;
