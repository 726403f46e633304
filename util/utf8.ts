/**
 * Tells whether a text takes more than `limit` bytes of UTF-8. Counts the bytes only if the length of the text is not
 * enough to decide.
 *
 * @param text Any string; a lone surrogate counts as the three bytes of U+FFFD.
 * @param limit The limit in bytes.
 * @returns True if the text takes more than `limit` bytes.
 */
export function exceedsUtf8(text: string, limit: number): boolean {
  if (text.length * 3 <= limit) return false;
  if (text.length > limit) return true;
  return utf8Length(text) > limit;
}

/** Up to this length in UTF-16 units, a loop over the characters is faster than the encoder. */
const MAX_LOOP_LENGTH = 256;
/** UTF-16 units that are encoded in one step. */
const UNITS_PER_STEP = 2 ** 16;
const scratch: { bytes?: Uint8Array } = {};
const encoder = new TextEncoder();

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;

/**
 * Counts the UTF-8 bytes of a text.
 *
 * @param text Any string; a lone surrogate counts as the three bytes of U+FFFD.
 * @returns The number of bytes.
 */
export function utf8Length(text: string): number {
  if (text.length <= MAX_LOOP_LENGTH) return shortLength(text);
  const into = scratch.bytes ??= new Uint8Array(UNITS_PER_STEP * 3);
  let bytes = 0;
  let end = 0;
  for (let at = 0; at < text.length; at = end) {
    end = Math.min(at + UNITS_PER_STEP, text.length);
    if (end < text.length && isHigh(text.charCodeAt(end - 1))) end--; // do not cut a surrogate pair
    bytes += encoder.encodeInto(text.slice(at, end), into).written;
  }
  return bytes;
}

function shortLength(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A surrogate pair has two units and takes four bytes. All four are counted now, so the second unit is skipped.
    if (isHigh(unit) && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) index++;
  }
  return bytes;
}
