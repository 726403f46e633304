/**
 * Matches 1 to 256 non-ASCII characters in a row. Longer matches would be slow, because most of the time would be spent
 * on joining their escapes.
 */
const NOT_ASCII = /[\u0080-\uffff]{1,256}/g;

function escapes(run: string): string {
  let text = "";
  for (let index = 0; index < run.length; index++) text += `\\u${run.charCodeAt(index).toString(16).padStart(4, "0")}`;
  return text;
}

/**
 * Replaces every non-ASCII character of a JSON text by `\uXXXX` escapes, one escape for each UTF-16 unit.
 *
 * @param json JSON text.
 * @returns The same JSON in ASCII.
 */
export function toAscii(json: string): string {
  const text = json.replace(NOT_ASCII, escapes);
  // The result of `replace` is ASCII, but V8 15 stores it, and every text that it is joined to, in two bytes per
  // character. A string that is decoded from Latin-1 bytes is stored in one byte per character.
  return text === json ? json : new TextDecoder("latin1").decode(new TextEncoder().encode(text));
}
