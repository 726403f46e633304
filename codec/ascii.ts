/** Up to 256 characters in a row that are not ASCII: in longer runs, joining the escapes is what takes the time. */
const NOT_ASCII = /[\u0080-\uffff]{1,256}/g;

function escapes(run: string): string {
  let text = "";
  for (let index = 0; index < run.length; index++) text += `\\u${run.charCodeAt(index).toString(16).padStart(4, "0")}`;
  return text;
}

/**
 * Writes every character of JSON text that is not ASCII as an escape, one for each UTF-16 unit.
 *
 * @param json JSON text.
 * @returns The same JSON in ASCII.
 */
export function toAscii(json: string): string {
  const text = json.replace(NOT_ASCII, escapes);
  // V8 15 keeps the result, and any text it is joined to, in two bytes a character. Decoded from bytes it takes one.
  return text === json ? json : new TextDecoder("latin1").decode(new TextEncoder().encode(text));
}
