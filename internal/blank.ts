/** What Python's `strip()` takes for white space; `trim()` takes others. */
export const SPACE: string = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`;

const BLANK = new RegExp(`^${SPACE}*$`);

/** Tells whether MaiBot, which is written in Python, finds nothing in a text. */
export function isBlank(text: string): boolean {
  return BLANK.test(text);
}
