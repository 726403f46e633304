/**
 * Generators of the values that members of a frame are given: right, nearly right, and wrong in every way JSON allows.
 * @module
 */

import fc from "fast-check";

import { RawJson } from "./json_text.ts";

/** A generator of JSON values, {@linkcode RawJson} among them. */
export type Values = fc.Arbitrary<unknown>;

const raw = (text: string): RawJson => new RawJson(text);

/** Numbers as Python tells them apart: integers of any size, and floats however they are written. */
const NUMBERS: readonly (number | RawJson)[] = [
  ...[0, 1, -1, 1.5, 5, 1e25, 9007199254740991],
  ...["1.0", "-0", "-0.0", "1e5", "1E25", "1e400", "NaN", "Infinity", "-Infinity"].map(raw),
  // The edges of what msgpack can pack, and the nearest integers that a double holds.
  ...["9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808"].map(raw),
  ...["-9223372036854775809", "-9223372036854777856", "18446744073709551614", "18446744073709551615"].map(raw),
  ...["18446744073709551616", "18446744073709552000", `1${"0".repeat(30)}`, `-1${"0".repeat(40)}`].map(raw),
];

/** What Python's `strip()` takes off; it does not take off U+200B, U+180E and U+FEFF. */
const SPACES = [" ", "\t", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\xa0", "\u1680", "\u2028", "\u3000"];
const NO_SPACES = ["\u200b", "\u180e", "\ufeff", "\0", "\x08"];

const BLANKS = ["", ...SPACES, ...NO_SPACES, "  ", " \t\n", "\u3000 "];
const SURROGATES = ["\ud800", "\udfff", "a\udc00", "\udc00\ud800", "你\ud83d", "\ud83d\ude00\ude00"];
const WORDS = [
  ...["x", "10001", "777", "0", "None", "null", "true", "你好", "😀", "café", "a\0b", "a\nb", "'", "\\", '"', "\x7f"],
  ...["naïve 'quote' \"both\"", "[voice]", "/clear", "/help", "message_id_echo", "a".repeat(300), "é".repeat(45)],
];

/** Numbers. */
export const numbers: Values = fc.oneof(
  fc.constantFrom(...NUMBERS),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map((value) => raw(String(value))),
);

/** Texts without lone surrogates. */
export const words: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...BLANKS),
  fc.constantFrom(...WORDS),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.tuple(fc.constantFrom(...SPACES, ...NO_SPACES), fc.constantFrom("777", "qq", "x")).map(([a, b]) => `${a}${b}${a}`),
);

/** Texts with lone surrogates. */
export const surrogates: fc.Arbitrary<string> = fc.constantFrom(...SURROGATES);

/** Texts of all kinds. */
export const texts: fc.Arbitrary<string> = fc.oneof({ weight: 8, arbitrary: words }, {
  weight: 1,
  arbitrary: surrogates,
});

const scalars: Values = fc.oneof(fc.constantFrom<unknown>(null, true, false), numbers, texts);

/** Values of every JSON type. */
export const anything: Values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 6, arbitrary: scalars },
    { weight: 1, arbitrary: fc.constantFrom<unknown>([], {}) },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.oneof(texts, fc.constantFrom("type", "data", "user_id", "__proto__")), tie("value"), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    },
  ),
})).value;

/** Values that are false to Python. */
export const falsy: Values = fc.constantFrom<unknown>(null, false, 0, raw("0.0"), raw("-0"), "", [], {});

/** Flags of any type. */
export const flags: Values = fc.oneof(fc.constantFrom<unknown>(true, false, 1, 0, null), anything);

/** Ids, mostly as an adapter writes them. */
export const ids: Values = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>("10001", 10001, " 10001 ", "u1", "send_api_1") },
  { weight: 1, arbitrary: anything },
);

/** Accounts and scopes. */
export const accounts: Values = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>("777", " 777 ", "888", 777, raw("777.0"), "778", "\u3000777\n") },
  { weight: 1, arbitrary: fc.constantFrom(...BLANKS) },
  { weight: 2, arbitrary: anything },
);

/** Names of platforms. */
export const platforms: Values = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>("qq", "QQ", " qq", "qq\u3000", "qq\u200b", "tp", "Tp", "telegram") },
  { weight: 1, arbitrary: fc.constantFrom<unknown>("webui", "bot_console", "WebUI", "console", "webui ", "ＱＱ") },
  { weight: 1, arbitrary: fc.constantFrom(...BLANKS) },
  { weight: 2, arbitrary: anything },
);

/** Unix times around everything that `datetime.fromtimestamp` minds. */
export const times: Values = fc.oneof(
  fc.constantFrom<unknown>(
    ...[1790000000.5, 1790000000, 1790000000123, 1.79e18, 253402300799, 253402300799.9, 253402300800, -1, 0.5],
    ...[-62135510400, -62135510401, -62135596800, -62135596801, 67768036191676799, 1e20, -1e20, 1e15].map((time) =>
      Number.isSafeInteger(time) ? time : raw(BigInt(time).toString())
    ),
    ...["67768036191676800", "-67768040609740800", "9223372036854775807", "253402300799.9999999"].map(raw),
    "1790000000.5",
  ),
  fc.double({ min: -1e12, max: 1e12, noNaN: true }),
  fc.maxSafeInteger(),
  anything,
);

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Texts that are base64, or nearly. */
export const base64s: fc.Arbitrary<string> = fc.oneof(
  fc.base64String({ maxLength: 24 }),
  fc.constantFrom(PNG, PNG.slice(0, -1), PNG.slice(0, -2), `data:image/png;base64,${PNG}`, `base64://${PNG}`),
  fc.constantFrom("", "=", "==", "====", "A=", "A==", "A===", "AQ===", "AQ==AQID", "AQI=AQID", "A=QID", "AQ=I=D="),
  fc.constantFrom("_-_-", "AQ\nID", " AQID ", "AQID\0", "AQID：", "%41AQ", "!!!!", "smile", "/a/b.png"),
  fc.constantFrom("http://x/a.png", "https://example.com/a.jpg", "file:///C:/a.png"),
  fc.string({ unit: fc.constantFrom(..."ABab01+/=-_ \n!"), maxLength: 12 }),
  fc.tuple(fc.base64String({ maxLength: 12 }), fc.constantFrom("=", "==", "A", "A=", "\n", "\x85", "é", "\ud800")).map((
    [
      text,
      end,
    ],
  ) => text + end),
  texts,
);

/** Lists or objects in each other, so many that a packer may refuse them; a frame of Python may hold about 1,480. */
const deep: Values = fc.tuple(
  fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(505, 509, 510, 511, 1020, 1021, 1022, 1023, 1100)),
  fc.constantFrom(["[", "]"] as const, ['{"a":', "}"] as const),
  fc.constantFrom("1", "18446744073709551616", '"\\ud800"', "null"),
).map(([levels, [open, close], leaf]) => raw(open.repeat(levels) + leaf + close.repeat(levels)));

const keys = fc.oneof(fc.constantFrom("type", "data", "name", "text", "prompt", "a", "", "__proto__"), texts);

/** Objects as a `dict` segment carries them. */
export const dicts: Values = fc.oneof(
  { weight: 3, arbitrary: fc.dictionary(keys, fc.oneof(numbers, anything), { maxKeys: 3, noNullPrototype: true }) },
  { weight: 2, arbitrary: numbers.map((value) => ({ a: [{ b: value }] })) },
  { weight: 1, arbitrary: deep.map((value) => ({ a: value })) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom("file", "FILE ", "json", "command", "music", " "), anything)
      .map(([type, data]) => ({ type, data })),
  },
);

const AT_KEYS = ["target_user_id", "qq", "user_id", "id", "target_user_nickname", "nickname", "name"];

/** Objects as an `at` segment may carry them. */
export const mentions: Values = fc.oneof(
  fc.dictionary(fc.constantFrom(...AT_KEYS, "target_user_cardname", "card", "zz"), fc.oneof(ids, anything), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
  deep.map((value) => ({ qq: value })),
);

/** Objects as a `file` segment carries them. */
export const files: Values = fc.oneof(
  fc.dictionary(
    fc.constantFrom(
      "name",
      "file",
      "file_name",
      "filename",
      "size",
      "file_size",
      "url",
      "file_url",
      "mime_type",
      "base64",
      "id",
      "zz",
    ),
    fc.oneof(texts, anything, base64s),
    { maxKeys: 4, noNullPrototype: true },
  ),
  deep.map((value) => ({ name: "a", zz: value })),
);
