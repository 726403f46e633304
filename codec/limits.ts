/** Largest message in UTF-8 bytes, unless `maxBytes` says otherwise: the limit of the deployed peers. Source: maim_message 0.6.8, ws_connection.py, max_message_size. */
export const MAX_BYTES = 104_857_600;

/** Most segments of one message, unless `maxSegments` says otherwise. It takes near a tenth of a second to decode that many. */
export const MAX_SEGMENTS = 100_000;

/** Most characters of JSON that `decodeSegments` holds at a time, unless `maxBuffered` says otherwise. */
export const MAX_BUFFERED = 16_777_216;

/** Most levels of nesting in a message that is sent. A Python reader fails near 1,000 levels, and its connection with it. */
export const MAX_NESTING = 500;

/** Longest string of V8, in UTF-16 units. */
export const MAX_STRING_LENGTH: number = 2 ** 29 - 24;

/** Bytes or characters handled in one step. V8 15 puts strings of 128 KiB and more where they are slow to free. */
export const BLOCK_LENGTH = 65_536;
