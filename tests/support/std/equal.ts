/**
 * Structural equality as `@std/assert` has it: unlike `node:assert/strict`, an object without a prototype equals a
 * plain one and 0 equals -0.
 * @module
 */

type Pairs = Map<object, object>;

/** Tells whether two values have the same structure. */
export function isEqual(left: unknown, right: unknown): boolean {
  return compare(left, right, new Map());
}

function compare(left: unknown, right: unknown, seen: Pairs): boolean {
  if (left === right || Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (!isSameKind(left, right)) return false;
  // A pair already being compared further up is equal as far as this path can tell.
  if (seen.get(left) === right) return true;
  seen.set(left, right);
  return compareSpecial(left, right, seen) ?? compareProperties(left, right, seen);
}

function isSameKind(left: object, right: object): boolean {
  const [first, second] = [left.constructor, right.constructor];
  return first === second || (first === Object && !second) || (!first && second === Object);
}

function compareSpecial(left: object, right: object, seen: Pairs): boolean | undefined {
  if (left instanceof Date && right instanceof Date) return Object.is(left.getTime(), right.getTime());
  if (left instanceof RegExp || left instanceof URL) return String(left) === String(right);
  if (left instanceof Error && right instanceof Error) {
    return left.name === right.name && left.message === right.message && compareProperties(left, right, seen);
  }
  if (left instanceof Map && right instanceof Map) return compareEntries([...left], [...right], seen);
  if (left instanceof Set && right instanceof Set) return compareEntries([...left], [...right], seen);
  return undefined;
}

function compareEntries(left: readonly unknown[], right: readonly unknown[], seen: Pairs): boolean {
  if (left.length !== right.length) return false;
  const rest = [...right];
  return left.every((entry) => {
    const index = rest.findIndex((candidate) => compare(entry, candidate, new Map(seen)));
    if (index >= 0) rest.splice(index, 1);
    return index >= 0;
  });
}

function compareProperties(left: object, right: object, seen: Pairs): boolean {
  const keys = enumerableKeys(left);
  if (Array.isArray(left) && Array.isArray(right) && left.length !== right.length) return false;
  if (keys.length !== enumerableKeys(right).length) return false;
  return keys.every((key) =>
    Object.hasOwn(right, key) && compare(Reflect.get(left, key), Reflect.get(right, key), seen)
  );
}

function enumerableKeys(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}
