import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import {
  defineMembers,
  describeType,
  hasMember,
  hasNoKeys,
  isAbsent,
  isByteSource,
  isFilled,
  isObject,
  typeName,
} from "../../util/values.ts";
import { whilePolluted } from "../support/samples.ts";

const BYTES = new Uint8Array(1);
/** A value, the names of its type, and what is true of it. */
const VALUES: readonly (readonly [what: string, value: unknown, name: string, close: string, truths: string])[] = [
  ["undefined", undefined, "undefined", "undefined", "absent"],
  ["null", null, "null", "null", "absent"],
  ["an object", {}, "object", "object", "object"],
  ["an array", [], "array", "array", ""],
  ["a string", "x", "string", "string", "filled"],
  ["an empty string", "", "string", "empty string", ""],
  ["a number", 5, "number", "number", ""],
  ["NaN", NaN, "number", "non-finite number", ""],
  ["a boolean", false, "boolean", "boolean", ""],
  ["a function", () => {}, "function", "function", ""],
  ["bytes", BYTES, "object", "object", "object bytes"],
  ["a Blob", new Blob(), "object", "object", "object bytes"],
  ["a stream", new ReadableStream(), "object", "object", "object bytes"],
  ["an ArrayBuffer", BYTES.buffer, "object", "object", "object"],
];

describe("util/values", () => {
  for (const [what, value, name, close, truths] of VALUES) {
    it(`names the type of ${what}`, () => assertEquals([typeName(value), describeType(value)], [name, close]));
    it(`tells what ${what} is`, () => {
      const found = [
        isAbsent(value) && "absent",
        isFilled(value) && "filled",
        isObject(value) && "object",
        isByteSource(value) && "bytes",
      ];
      assertStrictEquals(found.filter((truth) => truth !== false).join(" "), truths);
    });
  }
});

describe("hasMember()", () => {
  it("is true of an own member, even one that is undefined", () => assert(hasMember({ a: undefined }, "a")));
  for (const [what, value] of [["an inherited one", {}], ["one of an array", ["x"]], ["one of null", null]] as const) {
    it(`is false of ${what}`, () => assert(!hasMember(value, "toString") && !hasMember(value, "0")));
  }
});

describe("hasNoKeys()", () => {
  it("is true of an empty object and false of one with a member", () => {
    assertEquals([hasNoKeys({}), hasNoKeys({ a: 1 })], [true, false]);
  });
  it("is false of an empty object when Object.prototype has a member", () => {
    assertStrictEquals(whilePolluted({ a: 1 }, () => hasNoKeys({})), false);
  });
});

describe("defineMembers()", () => {
  it("makes a member of __proto__ and calls no setter", () => {
    const target = {};
    defineMembers(target, JSON.parse('{"__proto__":{"a":1},"b":2}'));
    assertEquals(Object.keys(target), ["__proto__", "b"]);
    assertStrictEquals(Object.getPrototypeOf(target), Object.prototype);
  });
});
