const MAX_LENGTH = 40;

/** Shortens a name for a log line or an error. The name comes from outside, so it may even contain a whole picture. */
export function shorten(name: string): string {
  return name.length > MAX_LENGTH ? `${name.slice(0, MAX_LENGTH).toWellFormed()}…` : name;
}
