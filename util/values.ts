/**
 * Small checks and descriptions of values, which all folders use.
 * @module
 */

/** An object with named members, like an object in JSON. */
export type Fields = Record<string, unknown>;

/** Bytes in memory, or something that bytes can be read from. */
export type ByteSource = Uint8Array | Blob | ReadableStream<Uint8Array>;

/** Tells whether a value is an object that is neither null nor an array. */
export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tells whether a value is an object with an own member of this name. An inherited member does not count. */
export function hasMember<Name extends string>(
  value: unknown,
  name: Name,
): value is { readonly [Key in Name]: unknown } {
  return isObject(value) && Object.hasOwn(value, name);
}

/** Tells whether an optional member is absent: it is null or undefined. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Tells whether a value is a non-empty string. */
export function isFilled(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Tells whether a value is bytes in memory, a `Blob` or a stream. */
export function isByteSource(value: unknown): value is ByteSource {
  return value instanceof Uint8Array || value instanceof Blob || value instanceof ReadableStream;
}

/** Tells whether a `for (… in object)` loop visits nothing: the object has and inherits no enumerable member. */
export function hasNoKeys(object: object): boolean {
  for (const _key in object) return false;
  return true;
}

/** Names the type of a value for an error text: `null`, `array`, or the result of `typeof`. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** Like {@linkcode typeName}, but names an empty string and a non-finite number as such. */
export function describeType(value: unknown): string {
  if (value === "") return "empty string";
  return typeof value === "number" && !Number.isFinite(value) ? "non-finite number" : typeName(value);
}

/** Writes members into an object without calling a setter, so that `__proto__` is a member like any other. */
export function defineMembers(target: object, members: object): void {
  for (const [key, value] of Object.entries(members)) {
    Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
  }
}
