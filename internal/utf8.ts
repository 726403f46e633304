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

/**
 * Counts the UTF-8 bytes of a text.
 *
 * @param text Any string; a lone surrogate counts as the three bytes of U+FFFD.
 * @returns The number of bytes.
 */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair is four bytes for two units: both are counted here, so the second is skipped.
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) index++;
  }
  return bytes;
}
