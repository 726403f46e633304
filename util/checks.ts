/**
 * Checks of options. The error of each check names the class, the option, the allowed values, and the value received.
 * @module
 */

import { oneLine } from "./display.ts";
import { isObject, typeName } from "./values.ts";

/** Shows the value of a wrong option. An object, an array or a function is shown as the name of its type. */
function show(value: unknown): string {
  if (typeof value === "string") return `"${oneLine(value)}"`;
  return typeof value === "object" && value !== null || typeof value === "function" ? typeName(value) : String(value);
}

/** Writes the error text for a wrong option. */
export function wrongOption(owner: string, option: string, need: string, value: unknown): string {
  return `${wrongSecret(owner, option, need)}; received ${show(value)}`;
}

/** Writes the error text for a wrong option whose value is secret. The text does not show the value. */
export function wrongSecret(owner: string, option: string, need: string): string {
  return `${owner}: '${option}' must be ${need}`;
}

/**
 * Checks that a value, such as a count or milliseconds, is a number of at least `min`. Fractions and `Infinity` are
 * allowed.
 */
export function checkNumber(owner: string, option: string, value: unknown, min: number): void {
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError(wrongOption(owner, option, "a number", value));
  }
  if (value < min) throw new RangeError(wrongOption(owner, option, `at least ${min}`, value));
}

/** An option that is a number: its default, and the smallest value that is allowed. */
export interface NumberOption {
  readonly default: number;
  readonly least: number;
}

/** Options that are numbers, by name. */
export type NumberOptions = Readonly<Record<string, NumberOption>>;

/**
 * Checks the numbers in a group of options and fills in defaults.
 *
 * @param owner Name of the class that is created.
 * @param given The group as the user gave it. Members that `numbers` does not name are ignored.
 * @param numbers The numbers in the group.
 * @param prefix Text before the option's name in errors, such as `"limits."`.
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

/** Checks that a value is one of several strings. */
export function checkChoice(owner: string, option: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(value as string)) {
    throw new TypeError(wrongOption(owner, option, choices.map((choice) => `"${choice}"`).join(" or "), value));
  }
}

/** Checks that a value is a boolean. */
export function checkBoolean(owner: string, option: string, value: unknown): void {
  if (typeof value !== "boolean") throw new TypeError(wrongOption(owner, option, "a boolean", value));
}

/** Checks that a group of options is an object. */
export function checkObject(owner: string, option: string, value: unknown): void {
  if (!isObject(value)) throw new TypeError(wrongOption(owner, option, "an object", value));
}

/** Checks that a value is a function. */
export function checkFunction(owner: string, option: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(wrongOption(owner, option, "a function", value));
}

const STRINGS = "an array of non-empty strings";

function isStrings(values: unknown): boolean {
  return Array.isArray(values) && values.every((value) => typeof value === "string" && value !== "");
}

/** Checks that a value is an array of non-empty strings. */
export function checkStrings(owner: string, option: string, values: unknown): void {
  if (!isStrings(values)) throw new TypeError(wrongOption(owner, option, STRINGS, values));
}

/** Checks that a value is an array of non-empty secret strings. The error text does not show them. */
export function checkSecrets(owner: string, option: string, values: unknown): void {
  if (!isStrings(values)) throw new TypeError(wrongSecret(owner, option, STRINGS));
}

/**
 * Tells whether a name can be sent in an HTTP header: only visible ASCII characters are allowed, because maim_message
 * 0.6.8 reads other characters wrongly.
 */
export function isHeaderName(name: unknown): name is string {
  return typeof name === "string" && /^[\x21-\x7e]+$/.test(name);
}
