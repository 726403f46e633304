/**
 * Texts and values, and what Python 3.12 says of them.
 * @module
 */

import { parsePython } from "../../maibot/python/json.ts";
import { pythonRepr } from "../../maibot/python/repr.ts";
import { toText } from "../../maibot/python/values.ts";

/** A text, and `repr(json.loads(text))`; null where Python takes it for no JSON. */
export const TEXTS: readonly (readonly [text: string, repr: string | null])[] = [
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
export const digits = (count: number): string => `[${"1".repeat(count)}]`;

export const READ = `
found = []
for text in value:
    try:
        found.append(repr(json.loads(text)))
    except ValueError:
        found.append(None)
`;

/** What Python would write of what was read. */
export function readAs(text: string): string | null {
  const value = parsePython(text);
  return value === undefined ? null : toText(value) === value ? pythonRepr(value) : toText(value);
}

/** Every code point of the basic plane, halves of pairs included, and some beyond it. */
export const CHARS: readonly string[] = [
  ...Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)),
  ...["😀", "\u{10ffff}", "\u{e0001}", "\u{1f3fb}", "\u{20000}", "\u{f0000}"],
];

/** What Python takes for white space. */
export const SPACES: string =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009" +
  "\u200a\u2028\u2029\u202f\u205f\u3000";

export const ENCODED: readonly (readonly [text: string, error: string | null])[] = [
  ["", null],
  ["a😀", null],
  ["\ud800", "character '\\ud800' in position 0"],
  ["a\udfff", "character '\\udfff' in position 1"],
  ["😀\ud83d", "character '\\ud83d' in position 1"],
  ["é😀\ud800\ud801z\udc00", "characters in position 2-3"],
  ["\udc00\ud800", "characters in position 0-1"],
  ["\ud800a\udc00", "character '\\ud800' in position 0"],
];
