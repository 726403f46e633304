import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { parsePython, toPlain } from "../../maibot/python/json.ts";
import { isInteger, numberOf, numberText, PythonFloat } from "../../maibot/python/number.ts";
import { pythonRepr } from "../../maibot/python/repr.ts";
import { encodeError } from "../../maibot/python/errors.ts";
import { strip } from "../../maibot/python/values.ts";
import { CHARS, digits, ENCODED, readAs, SPACES, TEXTS } from "../support/python_values.ts";
import { show } from "../support/samples.ts";

// ------------------------------------------------------------------------------------------ json.loads

describe("parsePython()", () => {
  for (const [text, repr] of TEXTS) {
    it(`reads ${show(text)} as ${repr}`, () => assertEquals(readAs(text), repr));
  }

  it("reads an integer of 4300 digits, and no longer one", () => {
    assertEquals([typeof (parsePython(digits(4300)) as unknown[])[0], parsePython(digits(4301))], [
      "bigint",
      undefined,
    ]);
    assertEquals(parsePython(digits(4301).replace("1]", "1.0]")) === undefined, false);
  });

  it("leaves long texts with names in strings as they are", () => {
    const text = `{"a": NaN, "b": ${JSON.stringify('NaN "Infinity" \\'.repeat(100_000))}}`;
    assertEquals((parsePython(text) as { b: string }).b, 'NaN "Infinity" \\'.repeat(100_000));
  });
});

describe("toPlain()", () => {
  it("gives numbers that JavaScript has, and digits where it has none", () => {
    const text = '{"a": [1.0, 9007199254740993, NaN, -Infinity], "b": {"c": "x", "d": null, "e": true}}';
    assertEquals(toPlain(parsePython(text)), {
      a: [1, "9007199254740993", NaN, -Infinity],
      b: { c: "x", d: null, e: true },
    });
  });

  it("keeps a member named __proto__ a member", () => {
    const plain = toPlain(parsePython('{"__proto__": {"a": 1.0}}'));
    assertEquals(JSON.stringify(plain), '{"__proto__":{"a":1}}');
  });
});

// ------------------------------------------------------------------------------------------ numbers

describe("numberText()", () => {
  for (const value of [0, -0, 1, -1, 2 ** 53, 1e20]) {
    it(`writes ${show(value)} as an int`, () => assertEquals(numberText(value), String(BigInt(value))));
  }
  const floats: readonly (readonly [value: number | PythonFloat, text: string])[] = [
    [1e21, "1e+21"],
    [-1e22, "-1e+22"],
    [0.1, "0.1"],
    [1e-7, "1e-07"],
    [1.5e-10, "1.5e-10"],
    [NaN, "nan"],
    [-Infinity, "-inf"],
    [new PythonFloat(1), "1.0"],
    [new PythonFloat(-0), "-0.0"],
    [new PythonFloat(1e16), "1e+16"],
    [new PythonFloat(2 ** 53), "9007199254740992.0"],
  ];
  for (const [value, text] of floats) {
    it(`writes ${text} as a float`, () => assertEquals(numberText(value), text));
  }
  it("writes a bigint whole", () => assertEquals(numberText(10n ** 30n), `1${"0".repeat(30)}`));
});

describe("isInteger() and numberOf()", () => {
  const values: readonly (readonly [value: unknown, isInt: boolean, number: number | null])[] = [
    [1, true, 1],
    [1e21, false, 1e21],
    [1.5, false, 1.5],
    [NaN, false, NaN],
    [5n, true, 5],
    [new PythonFloat(1), false, 1],
    [true, false, 1],
    ["1", false, null],
    [null, false, null],
    [[1], false, null],
  ];
  for (const [value, isInt, number] of values) {
    const name = typeof value === "bigint" ? `${value}n` : show(value);
    it(`see ${name} as Python does`, () => assertEquals([isInteger(value), numberOf(value)], [isInt, number]));
  }
});

// ------------------------------------------------------------------------------------------ texts

describe("pythonRepr()", () => {
  it("ends for a list that holds itself, and cuts what is long", () => {
    const own: unknown[] = [];
    own.push(own, own);
    assertEquals(pythonRepr(own).length < 300, true);
    assertEquals(pythonRepr("a".repeat(500)), `'${"a".repeat(200)}'`);
    assertEquals(pythonRepr(Array(500).fill(1)).length, 202 + 1);
  });

  it("writes members that are undefined as None", () => assertEquals(pythonRepr({ a: undefined }), "{'a': None}"));
});

describe("strip()", () => {
  it("takes off what Python takes for white space, and nothing else", () => {
    assertEquals(CHARS.filter((char) => strip(char) === ""), [...SPACES]);
    assertEquals(strip(`${SPACES}a${SPACES}b${SPACES}`), `a${SPACES}b`);
  });

  it("keeps what trim() takes off, and takes off what that keeps", () => {
    assertEquals([strip("\ufeffa"), strip("\u200ba"), strip("\x1fa"), strip("\x85a")], [
      "\ufeffa",
      "\u200ba",
      "a",
      "a",
    ]);
  });

  it("is quick with a long text of white space inside", () => {
    const text = `a${" ".repeat(200_000)}b`;
    const start = performance.now();
    assertEquals(strip(text), text);
    assertEquals(performance.now() - start < 2000, true);
  });
});

describe("encodeError()", () => {
  const whole = (error: string | null): string | null =>
    error === null ? null : `'utf-8' codec can't encode ${error}: surrogates not allowed`;
  for (const [text, error] of ENCODED) {
    it(`is ${error} for ${show(text)}`, () => assertEquals(encodeError(text), whole(error)));
  }
});
