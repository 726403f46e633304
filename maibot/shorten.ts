/** How much of a name from outside is shown: it may hold a whole picture. */
const SHOWN = 40;

/** Shortens a name from outside for a line that people read. */
export function shorten(name: string): string {
  return name.length > SHOWN ? `${name.slice(0, SHOWN).toWellFormed()}…` : name;
}
