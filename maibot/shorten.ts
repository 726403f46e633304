const MAX_LENGTH = 40;

/** Shortens a name from outside, which may hold a whole picture, for a log line or an error. */
export function shorten(name: string): string {
  return name.length > MAX_LENGTH ? `${name.slice(0, MAX_LENGTH).toWellFormed()}…` : name;
}
