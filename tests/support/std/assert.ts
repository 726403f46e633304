/**
 * Stands in for `@std/assert` where JSR cannot be reached: the assertions the tests use, with the same signatures.
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import { inspect, stripVTControlCharacters } from "node:util";

import { isEqual } from "./equal.ts";

/** A class whose instances are errors, or anything else that can be constructed. */
type Constructor<T> = abstract new (...args: never[]) => T;

/** What a failed assertion throws. */
export class AssertionError extends Error {
  /** Keeps the message. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

function failure(what: string, message: string | undefined): AssertionError {
  return new AssertionError(message === undefined ? what : `${what}: ${message}`);
}

/** Fails. */
export function fail(msg?: string): never {
  throw failure("Failed assertion", msg);
}

/** Fails unless the value is truthy. */
export function assert(expr: unknown, msg: string = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Fails unless both values have the same structure. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!isEqual(actual, expected)) throw failure(`Values are not equal\n${diff(actual, expected)}`, msg);
}

function diff(actual: unknown, expected: unknown): string {
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return `${inspect(actual)} against ${inspect(expected)}`;
}

/** Fails if both values have the same structure. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isEqual(actual, expected)) throw failure(`Expected another value than ${inspect(expected)}`, msg);
}

/** Fails unless both are the same value by `Object.is`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  if (!Object.is(actual, expected)) throw failure(`Values are not the same\n${diff(actual, expected)}`, msg);
}

/** Fails if the value is null or undefined. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) throw failure(`Expected a value, got ${actual}`, msg);
}

/** Fails unless the value is an instance of the class. */
export function assertInstanceOf<T>(actual: unknown, expectedType: Constructor<T>, msg?: string): asserts actual is T {
  if (actual instanceof expectedType) return;
  throw failure(`Expected an instance of "${expectedType.name}", got ${inspect(actual)}`, msg);
}

/** Fails unless the text contains the other one. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) throw failure(`Expected ${inspect(actual)} to contain ${inspect(expected)}`, msg);
}

/** Fails unless the text fits the expression. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) throw failure(`Expected ${inspect(actual)} to match ${expected}`, msg);
}

/** Fails unless the first value is greater. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) throw failure(`Expected ${inspect(actual)} > ${inspect(expected)}`, msg);
}

/** Fails unless the first value is less. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) throw failure(`Expected ${inspect(actual)} < ${inspect(expected)}`, msg);
}

/** What a thrown value has to be. */
interface Expectation<E extends Error> {
  readonly ErrorClass: Constructor<E> | undefined;
  readonly includes: string | undefined;
  readonly msg: string | undefined;
}

function readExpectation<E extends Error>(
  [first, second, third]: readonly [first?: Constructor<E> | string, second?: string, third?: string],
): Expectation<E> {
  return typeof first === "function"
    ? { ErrorClass: first, includes: second, msg: third }
    : { ErrorClass: undefined, includes: undefined, msg: first };
}

function checkThrown<E extends Error>(thrown: unknown, { ErrorClass, includes, msg }: Expectation<E>): unknown {
  if (ErrorClass === undefined) return thrown;
  if (!(thrown instanceof Error)) throw failure("A non-Error object was thrown or rejected", msg);
  if (!(thrown instanceof ErrorClass)) {
    throw failure(`Expected an error of class "${ErrorClass.name}", got ${inspect(thrown)}`, msg);
  }
  const message = stripVTControlCharacters(thrown.message);
  if (includes !== undefined && !message.includes(stripVTControlCharacters(includes))) {
    throw failure(`Expected the error message to include ${inspect(includes)}, got ${inspect(message)}`, msg);
  }
  return thrown;
}

/** Fails unless the function throws; returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Constructor<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  ...rest: [first?: Constructor<E> | string, second?: string, third?: string]
): unknown {
  const expectation = readExpectation(rest);
  try {
    fn();
  } catch (error) {
    return checkThrown(error, expectation);
  }
  throw failure("Expected function to throw", expectation.msg);
}

/** Fails unless the promise is rejected; returns the reason. A function that throws before it returns one fails, too. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Constructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  ...rest: [first?: Constructor<E> | string, second?: string, third?: string]
): Promise<unknown> {
  const expectation = readExpectation(rest);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (cause) {
    throw new AssertionError("Function throws when expected to reject", { cause });
  }
  if (typeof promise?.then !== "function") throw failure("Function does not return a promise", expectation.msg);
  try {
    await promise;
  } catch (error) {
    return checkThrown(error, expectation);
  }
  throw failure("Expected function to reject", expectation.msg);
}
