import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";

import { encodeError } from "../../maibot/python/errors.ts";
import { strip, toText } from "../../maibot/python/values.ts";
import { parsePython, toPlain } from "../../maibot/python/json.ts";
import { isInteger, numberOf, numberText, PythonFloat } from "../../maibot/python/number.ts";
import { pythonRepr } from "../../maibot/python/repr.ts";
import { askPython, peerTest } from "../support/peers/python.ts";
import { show } from "../support/samples.ts";

// What stands in the tables was said by Python 3.12; where there is a Python, it is asked again.

// ------------------------------------------------------------------------------------------ json.loads

/** A text, and `repr(json.loads(text))`; null where Python takes it for no JSON. */
const TEXTS: readonly (readonly [text: string, repr: string | null])[] = [
  ["null", "None"],
  ["true", "True"],
  ["false", "False"],
  ["0", "0"],
  ["-0", "0"],
  ["-0.0", "-0.0"],
  ["0.0", "0.0"],
  ["1.0", "1.0"],
  ["1.50", "1.5"],
  ["-1", "-1"],
  ["1e5", "100000.0"],
  ["1E+2", "100.0"],
  ["1e16", "1e+16"],
  ["1e15", "1000000000000000.0"],
  ["123456789012345680.0", "1.2345678901234568e+17"],
  ["0.0001", "0.0001"],
  ["0.00001", "1e-05"],
  ["5e-324", "5e-324"],
  ["1e-400", "0.0"],
  ["-1e-400", "-0.0"],
  ["1e400", "inf"],
  ["-1e400", "-inf"],
  ["1.7976931348623157e308", "1.7976931348623157e+308"],
  ["9007199254740993", "9007199254740993"],
  ["-9007199254740993", "-9007199254740993"],
  ["18446744073709551616", "18446744073709551616"],
  ["1000000000000000000000000000000", "1000000000000000000000000000000"],
  ["NaN", "nan"],
  ["Infinity", "inf"],
  ["-Infinity", "-inf"],
  ["[NaN, 1, -Infinity]", "[nan, 1, -inf]"],
  ['{"a": NaN}', "{'a': nan}"],
  ['"NaN"', "'NaN'"],
  ['["Infinity", Infinity, "a\\"NaN"]', `['Infinity', inf, 'a"NaN']`],
  ['["\\\\", NaN]', "['\\\\', nan]"],
  ['{"NaN": [NaN]}', "{'NaN': [nan]}"],
  ['{"a": 1, "a": 2.0}', "{'a': 2.0}"],
  [" \t\r\n[1 , 2]\n", "[1, 2]"],
  ['"\\ud83d\\ude00"', "'😀'"],
  ['"\\ud83d"', "'\\ud83d'"],
  ['"\\ude00\\ud83d"', "'\\ude00\\ud83d'"],
  ['"\\u0000"', "'\\x00'"],
  ['"it\'s"', '"it\'s"'],
  ['"it\'s \\"it\\""', "'it\\'s \"it\"'"],
  ["[]", "[]"],
  ["{}", "{}"],
  ['{"__proto__": 1}', "{'__proto__': 1}"],
  ["[[[[]]]]", "[[[[]]]]"],
  ["", null],
  ["nan", null],
  ["-NaN", null],
  ["+Infinity", null],
  ["inf", null],
  ["[1Infinity]", null],
  ["[Infinity5]", null],
  ["[NaN5]", null],
  ["[5-Infinity]", null],
  ["[Infinity.5]", null],
  ["[NaNNaN]", null],
  ["{NaN: 1}", null],
  ["01", null],
  ["1.", null],
  [".5", null],
  ["-", null],
  ["[1,]", null],
  ["{'a': 1}", null],
  ['"a\nb"', null],
  ["\ufeff[]", null],
  ["[] []", null],
  ["\u00a0[]", null],
  ['"\\x41"', null],
  ["NaN Infinity", null],
];

/** A number of so many digits. */
const digits = (count: number): string => `[${"1".repeat(count)}]`;

const READ = `
found = []
for text in value:
    try:
        found.append(repr(json.loads(text)))
    except ValueError:
        found.append(None)
`;

/** What Python would write of what was read. */
function readAs(text: string): string | null {
  const value = parsePython(text);
  return value === undefined ? null : toText(value) === value ? pythonRepr(value) : toText(value);
}

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

  peerTest("reads the table as Python does", () => {
    const [texts, said] = [TEXTS.map(([text]) => text), TEXTS.map(([, repr]) => repr)];
    assertEquals(askPython(READ, [...texts, digits(4300), digits(4301)]), [...said, digits(4300), null]);
  });

  peerTest("reads 3000 texts made of odd pieces as Python does", () => {
    const piece = fc.constantFrom(
      ...[
        "NaN",
        "Infinity",
        "-Infinity",
        "-",
        "1",
        "0",
        "1.0",
        "1e400",
        "9007199254740993",
        ".5",
        "e5",
        "null",
        "true",
      ],
      ...['"NaN"', '"\\""', '"\\\\"', '"\\ud800"', "[", "]", "{", "}", ",", ":", '"a":', " "],
    );
    const wrapped = fc.array(piece, { maxLength: 5 }).map((pieces) => `[${pieces.join("")}]`);
    const listed = fc.array(piece, { maxLength: 5 }).map((pieces) => `[${pieces.join(", ")}]`);
    const object = fc.array(piece, { maxLength: 4 }).map((pieces) => `{${pieces.map((text) => `"k":${text}`)}}`);
    const texts = fc.sample(fc.oneof(wrapped, listed, object), { numRuns: 3000, seed: 11 });
    const said = askPython(READ, texts) as (string | null)[];
    const found = texts.map((text, index) => [text, readAs(text), said[index]]);
    assertEquals(found.filter(([, ours, theirs]) => ours !== theirs), []);
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

const DOUBLES = 3000;

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

  peerTest(`writes ${DOUBLES} numbers as Python does`, () => {
    const double = fc.double({ noDefaultInfinity: true, noNaN: true });
    const near = fc.tuple(fc.double({ min: -10, max: 10, noNaN: true }), fc.integer({ min: -25, max: 25 }))
      .map(([value, power]) => value * 10 ** power);
    const numbers = fc.sample(fc.oneof(double, near), { numRuns: DOUBLES, seed: 11 });
    const texts = numbers.map((number) => JSON.stringify(number));
    const said = askPython(READ, texts) as string[];
    assertEquals(texts.map(readAs), said);
    // As JSON.stringify writes the number itself, Python reads what isInteger says.
    assertEquals(numbers.map((number) => numberText(number)), said);
  });
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

/** Every code point of the basic plane, halves of pairs included, and some beyond it. */
const CHARS: readonly string[] = [
  ...Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)),
  ...["😀", "\u{10ffff}", "\u{e0001}", "\u{1f3fb}", "\u{20000}", "\u{f0000}"],
];

describe("pythonRepr()", () => {
  it("ends for a list that holds itself, and cuts what is long", () => {
    const own: unknown[] = [];
    own.push(own, own);
    assertEquals(pythonRepr(own).length < 300, true);
    assertEquals(pythonRepr("a".repeat(500)), `'${"a".repeat(200)}'`);
    assertEquals(pythonRepr(Array(500).fill(1)).length, 202 + 1);
  });

  it("writes members that are undefined as None", () => assertEquals(pythonRepr({ a: undefined }), "{'a': None}"));

  peerTest("writes every character that has a meaning in both as Python does", () => {
    const said = askPython(
      'import unicodedata\nfound = [None if unicodedata.category(c[0]) == "Cn" else repr(c) for c in value]',
      CHARS,
    ) as (string | null)[];
    const ours = CHARS.map((char, index) => said[index] === null ? null : pythonRepr(char));
    assertEquals(ours.filter((text, index) => text !== said[index]), []);
  });
});

/** What Python takes for white space. */
const SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009" +
  "\u200a\u2028\u2029\u202f\u205f\u3000";

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

  peerTest("is Python's", () => {
    assertEquals(askPython("found = [c for c in value if c.strip() == '']", CHARS), [...SPACES]);
  });
});

const ENCODED: readonly (readonly [text: string, error: string | null])[] = [
  ["", null],
  ["a😀", null],
  ["\ud800", "character '\\ud800' in position 0"],
  ["a\udfff", "character '\\udfff' in position 1"],
  ["😀\ud83d", "character '\\ud83d' in position 1"],
  ["é😀\ud800\ud801z\udc00", "characters in position 2-3"],
  ["\udc00\ud800", "characters in position 0-1"],
  ["\ud800a\udc00", "character '\\ud800' in position 0"],
];

describe("encodeError()", () => {
  const whole = (error: string | null): string | null =>
    error === null ? null : `'utf-8' codec can't encode ${error}: surrogates not allowed`;
  for (const [text, error] of ENCODED) {
    it(`is ${error} for ${show(text)}`, () => assertEquals(encodeError(text), whole(error)));
  }

  peerTest("is Python's", () => {
    const lines = `
found = []
for text in value:
    try:
        text.encode()
        found.append(None)
    except UnicodeEncodeError as error:
        found.append(str(error))
`;
    const halves = fc.string({ unit: fc.constantFrom("a", "é", "😀", "\ud800", "\udfff"), maxLength: 6 });
    const texts = [...ENCODED.map(([text]) => text), ...fc.sample(halves, { numRuns: 500, seed: 11 })];
    assertEquals(texts.map(encodeError), askPython(lines, texts));
  });
});
