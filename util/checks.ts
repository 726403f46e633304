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

/** A number among the options: what it is unless given, and the least it may be. */
export interface NumberOption {
  readonly default: number;
  readonly least: number;
}

/** Numbers among the options, by name. */
export type NumberOptions = Readonly<Record<string, NumberOption>>;

/**
 * Checks the numbers of a group of options, and fills in those that are not given.
 *
 * @param owner Name of the class that is created.
 * @param given What the user gave; other members are left alone.
 * @param numbers The numbers of the group.
 * @param prefix Stands before the name in errors, as `"limits."`.
 */
export function numbersOf<Numbers extends NumberOptions>(
  owner: string,
  given: object,
  numbers: Numbers,
  prefix: string = "",
): { readonly [Name in keyof Numbers]: number } {
  const values = given as Record<string, unknown>;
  const filled = Object.entries(numbers).map(([name, { default: fallback, least }]) => {
    const value = values[name];
    if (value === undefined) return [name, fallback];
    checkNumber(owner, prefix + name, value, least);
    return [name, value];
  });
  return Object.fromEntries(filled);
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
