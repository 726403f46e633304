/**
 * Replaces lone surrogates in a JSON text by U+FFFD. `JSON.stringify` writes a lone surrogate as an escape, such as
 * `\ud800`. A Python server that receives such an escape can no longer use the connection.
 */
export function withoutLoneSurrogates(json: string): string {
  // The search for a single backslash comes first: it is faster than the search for three characters, and most texts
  // contain no backslash.
  if (!json.includes("\\") || !json.includes("\\ud")) return json;
  return json.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) => escape.startsWith("\\ud") ? "\ufffd" : escape);
}
