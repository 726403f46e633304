function wrong(owner: string, option: string, need: string, value: unknown): string {
  const shown = typeof value === "string" ? `"${value}"` : String(value);
  return `Cannot create ${owner} as '${option}' must be ${need}: received ${shown}`;
}

/** Checks a duration in milliseconds, or a count: a whole or broken number from `min` up; `Infinity` is one. */
export function checkNumber(owner: string, option: string, value: unknown, min: number): void {
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError(wrong(owner, option, "a number", value));
  }
  if (value < min) throw new RangeError(wrong(owner, option, `at least ${min}`, value));
}

/** Checks a choice between names. */
export function checkChoice(owner: string, option: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(value as string)) {
    throw new TypeError(wrong(owner, option, choices.map((choice) => `"${choice}"`).join(" or "), value));
  }
}

/** Checks a yes or no. */
export function checkBoolean(owner: string, option: string, value: unknown): void {
  if (typeof value !== "boolean") throw new TypeError(wrong(owner, option, "a boolean", value));
}

/** Checks a group of options. */
export function checkObject(owner: string, option: string, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(wrong(owner, option, "an object", value));
  }
}

/** Checks a function. */
export function checkFunction(owner: string, option: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(wrong(owner, option, "a function", value));
}

function isStrings(values: unknown): boolean {
  return Array.isArray(values) && values.every((value) => typeof value === "string" && value !== "");
}

/** Checks a list of strings. */
export function checkStrings(owner: string, option: string, values: unknown): void {
  if (!isStrings(values)) throw new TypeError(wrong(owner, option, "an array of non-empty strings", values));
}

/** Checks a list of strings that are secret: the values are never shown. */
export function checkSecrets(owner: string, option: string, values: unknown): void {
  if (isStrings(values)) return;
  throw new TypeError(`Cannot create ${owner} as '${option}' must be an array of non-empty strings`);
}

/** Whether a name can stand in an HTTP header as it is. Source: maim_message 0.6.8 reads others as mojibake. */
export function isHeaderName(name: unknown): name is string {
  return typeof name === "string" && /^[\x21-\x7e]+$/.test(name);
}
