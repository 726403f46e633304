/**
 * Counts the UTF-8 bytes of a text, as far as a limit needs it: texts that can not reach the limit cost nothing.
 *
 * @param text Any string; a lone surrogate counts as the three bytes of U+FFFD.
 * @param limit Where counting may stop.
 * @returns Whether the text takes more than `limit` bytes.
 */
export function exceedsUtf8(text: string, limit: number): boolean {
  if (text.length * 3 <= limit) return false;
  if (text.length > limit) return true;
  return utf8Length(text) > limit;
}

/** Up to this length counting by hand is faster. */
const SHORT = 256;
/** String units that are counted in one step. */
const STEP = 2 ** 16;
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
  if (text.length <= SHORT) return shortLength(text);
  const into = scratch.bytes ??= new Uint8Array(STEP * 3);
  let bytes = 0;
  let end = 0;
  for (let at = 0; at < text.length; at = end) {
    end = Math.min(at + STEP, text.length);
    if (end < text.length && isHigh(text.charCodeAt(end - 1))) end--; // its other half would be alone
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
    // A pair is four bytes for two units: both are counted here, so the second is skipped.
    if (isHigh(unit) && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) index++;
  }
  return bytes;
}
