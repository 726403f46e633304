import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import fc from "fast-check";

import { numberText } from "../../maibot/python/number.ts";
import { pythonRepr } from "../../maibot/python/repr.ts";
import { encodeError } from "../../maibot/python/errors.ts";
import { askPython, peerTest } from "../support/peers/python.ts";
import { CHARS, digits, ENCODED, READ, readAs, SPACES, TEXTS } from "../support/python_values.ts";

// What stands in the tables is asked of the Python of this machine again.

const DOUBLES = 3000;

describe("parsePython()", () => {
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

describe("numberText()", () => {
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

describe("pythonRepr()", () => {
  peerTest("writes every character that has a meaning in both as Python does", () => {
    const said = askPython(
      'import unicodedata\nfound = [None if unicodedata.category(c[0]) == "Cn" else repr(c) for c in value]',
      CHARS,
    ) as (string | null)[];
    const ours = CHARS.map((char, index) => said[index] === null ? null : pythonRepr(char));
    assertEquals(ours.filter((text, index) => text !== said[index]), []);
  });
});

describe("strip()", () => {
  peerTest("is Python's", () => {
    assertEquals(askPython("found = [c for c in value if c.strip() == '']", CHARS), [...SPACES]);
  });
});

describe("encodeError()", () => {
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
