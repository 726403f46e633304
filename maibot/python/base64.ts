/**
 * Result of Python's `base64.b64decode` for a text:
 *
 * - `bytes`: Python returns `size` bytes.
 * - `garbled`: Python returns `size` bytes, but has ignored characters other than white space. The bytes are probably
 *   not those that the sender meant.
 * - `not_ascii`, `broken`: Python raises an error with the text `error`.
 */
export type Base64Result =
  | { readonly type: "bytes" | "garbled"; readonly size: number }
  | { readonly type: "not_ascii" | "broken"; readonly error: string };

const FOREIGN = /[^A-Za-z0-9+/]/;
const PAD = 61;

function isAlphabet(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || (code >= 47 && code <= 57) || code === 43;
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/**
 * Decodes like Python without `validate`: ignores characters that are not in the base64 alphabet, and stops at the
 * first complete padding.
 */
function decodeLeniently(text: string): Base64Result {
  let [count, pads, isGarbled, isPadded, isDone] = [0, 0, false, false, false];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === PAD) {
      const quad = count % 4;
      isPadded = true;
      if (!isDone && quad >= 2 && quad + ++pads >= 4) isDone = true;
    } else if (isDone || !isAlphabet(code)) {
      isGarbled ||= !isSpace(code);
    } else {
      count++;
      pads = 0;
      isGarbled ||= isPadded;
    }
  }
  const quad = isDone ? 0 : count % 4;
  if (quad === 1) {
    const reason = `number of data characters (${count}) cannot be 1 more than a multiple of 4`;
    return { type: "broken", error: `Invalid base64-encoded string: ${reason}` };
  }
  if (quad > 0) return { type: "broken", error: "Incorrect padding" };
  return { type: isGarbled ? "garbled" : "bytes", size: Math.floor((count * 3) / 4) };
}

/** Returns the result of Python's `base64.b64decode(text)`. MaiBot calls it without `validate`. */
export function decodeBase64(text: string): Base64Result {
  const end = text.endsWith("==") ? -2 : text.endsWith("=") ? -1 : text.length;
  if (text.length % 4 === 0 && !FOREIGN.test(text.slice(0, end))) {
    const pads = end < 0 ? -end : 0;
    return { type: "bytes", size: (text.length / 4) * 3 - pads };
  }
  if (!/[^\0-\x7f]/.test(text)) return decodeLeniently(text);
  return { type: "not_ascii", error: "string argument should contain only ASCII characters" };
}
