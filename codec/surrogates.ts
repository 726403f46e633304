/**
 * Replaces lone surrogates in finished JSON by U+FFFD. `JSON.stringify` writes them as escapes, and such an escape ends the socket of a
 * Python server permanently.
 */
export function withoutLoneSurrogates(json: string): string {
  // The search for one character comes first: it is faster than a search for three, and most texts hold no escape at
  // all.
  if (!json.includes("\\") || !json.includes("\\ud")) return json;
  return json.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) => escape.startsWith("\\ud") ? "\ufffd" : escape);
}
