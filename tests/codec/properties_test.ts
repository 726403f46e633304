import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";

import { decodeMessage, encodeMessage, MessageDecodeError, MessageEncodeError } from "../../codec.ts";
import { utf8Length } from "../../util/utf8.ts";
import { isCustomMessage, isMessageBase, isSeg, messageIssue, type SegType, type WireMessage } from "../../schema.ts";
import { ABSENT, putAt, wrong } from "../support/samples.ts";

// More than 100,000 values in all. A failure prints the seed and the path that make it happen again.

// ------------------------------------------------------------------------------------------ generators

const KEYS = [
  ...["message_info", "message_segment", "raw_message", "platform", "message_id", "time", "user_info", "group_info"],
  ...["format_info", "template_info", "sender_info", "receiver_info", "additional_config", "type", "data", "content"],
  ...["user_id", "user_nickname", "group_id", "group_name", "content_format", "is_custom_message", "message_type_name"],
  ...["__proto__", "constructor", "toJSON", "hasOwnProperty"],
];
const TYPES: readonly SegType[] = [
  ...["text", "image", "emoji", "voice", "video", "at", "reply", "file", "dict", "face", "forward", "seglist"] as const,
  ...["imageurl", "videourl", "voiceurl", "music", "command", "notify"] as const,
];

const text = fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.string({ unit: "grapheme", maxLength: 6 }));
const key = fc.oneof(fc.constantFrom(...KEYS), text);
/** Numbers whose JSON is no integer beyond 2^53: those become strings, which is tested on its own. */
const number = fc.double({ noNaN: true, noDefaultInfinity: true })
  .filter((value) => Math.abs(value) <= 2 ** 53 || Math.abs(value) >= 1e21);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: "small", withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, 0, ""),
    number,
    text,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(key, tie("json"), { maxKeys: 3 }),
  ),
}));

function members(model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> {
  return fc.record(model, { requiredKeys: [], noNullPrototype: true });
}

const platform = text.filter((value) => value !== "");
const user_info = members({ platform: text, user_id: text, user_nickname: text, user_cardname: text });
const group_info = members({ platform: text, group_id: text, group_name: text });
const party = members({ user_info, group_info });
const texts = fc.array(text, { maxLength: 3 });
/** Any JSON but null, which encoding leaves out of an info. */
const something = json.filter((value) => value !== null);
const message_info = fc.record({
  ...{ platform, message_id: text, time: number, user_info, group_info, sender_info: party, receiver_info: party },
  format_info: members({ content_format: texts, accept_format: texts }),
  template_info: members({
    template_items: something,
    template_name: fc.oneof(text, fc.dictionary(key, text, { maxKeys: 2 })),
    template_default: something,
  }),
  additional_config: something,
}, { requiredKeys: ["platform"], noNullPrototype: true });

const { segment } = fc.letrec<{ segment: unknown }>((tie) => ({
  segment: fc.oneof(
    { maxDepth: 3, depthSize: "small", withCrossShrink: true },
    fc.record({ type: fc.constantFrom("text", "image", "emoji", "voice", "reply", "at"), data: text }),
    fc.record({ type: fc.constant("at"), data: fc.dictionary(key, json, { maxKeys: 2 }) }),
    fc.record({ type: fc.oneof(text, fc.constantFrom("dict", "file", "face", "forward")), data: json }, {
      requiredKeys: ["type"],
    }).filter(({ type }) => !["text", "image", "emoji", "voice", "reply", "at", "seglist"].includes(type)),
    fc.record({ type: fc.constant("seglist"), data: fc.array(tie("segment"), { maxLength: 3 }) }),
  ),
}));

const ordinary: fc.Arbitrary<object> = fc.record({ message_info, message_segment: segment, raw_message: text }, {
  requiredKeys: ["message_info", "message_segment"],
});
const custom: fc.Arbitrary<object> = fc.record({
  ...{ platform: fc.option(text), message_type_name: platform, content: json, timestamp: number },
  is_custom_message: fc.constant(true),
}, { requiredKeys: ["message_type_name", "content", "is_custom_message"] });
const valid = fc.oneof({ weight: 3, arbitrary: ordinary }, { weight: 1, arbitrary: custom });

/** A valid message of which up to three places, found by number, are replaced, deleted or wrapped. */
const mutation = fc.record({
  place: fc.nat(),
  how: fc.constantFrom("replace", "delete", "wrap", "double"),
  value: json,
});
const mutated: fc.Arbitrary<unknown> = fc.tuple(valid, fc.array(mutation, { maxLength: 3 })).map(
  ([message, changes]) => {
    const root: { value: unknown } = { value: JSON.parse(JSON.stringify(message)) };
    for (const { place, how, value } of changes) {
      const places = placesIn(root);
      const [parent, name] = places[place % places.length] ?? [root, "value"];
      const old = Reflect.get(parent, name);
      if (how === "delete" && parent !== root) Reflect.deleteProperty(parent, name);
      else set(parent, name, how === "wrap" ? [old] : how === "double" ? { ...Object(value), [name]: old } : value);
    }
    return JSON.parse(JSON.stringify(root.value));
  },
);

function set(parent: object, name: string, value: unknown): void {
  Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true });
}

function placesIn(parent: object): (readonly [parent: object, name: string])[] {
  return Object.entries(parent).flatMap(([name, value]) => [
    [parent, name] as const,
    ...(typeof value === "object" && value !== null ? placesIn(value) : []),
  ]);
}

// ------------------------------------------------------------------------------------------ checks

function prototypeState(): unknown[] {
  const descriptors = Object.getOwnPropertyDescriptors(Object.prototype);
  return Reflect.ownKeys(descriptors).map((name) => [name, Reflect.get(descriptors, name)?.value]);
}

/** Runs one property and then looks at `Object.prototype`. */
function check<T>(numRuns: number, arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void): void {
  const before = prototypeState();
  fc.assert(fc.property(arbitrary, predicate), { numRuns });
  assertEquals(prototypeState(), before);
}

/** Decodes; a refusal is null, anything else thrown goes on. */
function tryDecode(json: string): WireMessage | null {
  try {
    return decodeMessage(json);
  } catch (error) {
    assertInstanceOf(error, MessageDecodeError);
    return null;
  }
}

function callGuards(value: unknown): void {
  assert([true, false].includes(isMessageBase(value)));
  assert([true, false].includes(isCustomMessage(value)));
  assert([true, false].includes(isSeg(value)));
  for (const type of TYPES) assert(!isSeg(value, type) || isSeg(value));
  const issue = messageIssue(value);
  assert(issue === null || /^\$/.test(issue.path) && /^(?:invalid_shape|too_deep)$/.test(issue.code));
  assert(!isMessageBase(value) || issue === null);
  assertStrictEquals(isCustomMessage(value) && isMessageBase(value), false);
}

const EXOTIC: fc.ObjectConstraints = {
  ...{ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withNullPrototype: true },
  ...{ withObjectString: true, withSet: true, withSparseArray: true, withTypedArray: true },
};

/** Settings of `fc.anything()`. */
const WILD: readonly (readonly [name: string, arbitrary: fc.Arbitrary<unknown>])[] = [
  ["anything exotic", fc.anything(EXOTIC)],
  ["anything with the keys of the wire", fc.anything({ ...EXOTIC, key: fc.constantFrom(...KEYS), maxDepth: 5 })],
  [
    "a message with anything inside",
    fc.record({
      message_info: fc.record({ platform, message_id: fc.anything(EXOTIC), user_info: fc.anything(EXOTIC) }),
      message_segment: fc.record({ type: fc.constantFrom(...TYPES), data: fc.anything(EXOTIC) }),
    }),
  ],
];

describe("guards", () => {
  for (const [name, arbitrary] of WILD) {
    it(`never throw when given ${name}`, () => check(8_000, arbitrary, callGuards));
  }

  it("never throw when given a message changed at random", () => check(8_000, mutated, callGuards));
});

describe("decodeMessage()", () => {
  it("takes whatever a guard takes when it was born of JSON", () => {
    check(15_000, mutated, (value) => {
      if (isMessageBase(value) || isCustomMessage(value)) assert(tryDecode(JSON.stringify(value)) !== null);
    });
  });

  it("takes what messageIssue() has no issue with, and refuses the rest at the same path", () => {
    check(8_000, mutated, (value) => {
      const issue = messageIssue(value);
      try {
        decodeMessage(JSON.stringify(value));
        assertStrictEquals(issue, null);
      } catch (error) {
        assertInstanceOf(error, MessageDecodeError);
        assertEquals([error.code, error.path], [issue?.code, issue?.path]);
      }
    });
  });

  it("gives what a guard takes", () => {
    check(8_000, mutated, (value) => {
      const message = tryDecode(JSON.stringify(value));
      assert(message === null || isMessageBase(message) || isCustomMessage(message));
    });
  });

  it("gives back what encodeMessage() was given when that is valid", () => {
    check(12_000, valid, (message) => {
      // Compared as text: keys such as "constructor" confuse comparisons by structure.
      assertStrictEquals(JSON.stringify(decodeMessage(encodeMessage(wrong(message)))), JSON.stringify(message));
    });
  });

  it("keeps every digit of an integer", () => {
    const integer = fc.oneof(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), fc.maxSafeInteger().map(BigInt));
    check(5_000, fc.tuple(integer, integer), ([id, free]) => {
      const message = decodeMessage(
        `{"message_info":{"platform":"qq","message_id":${id},"additional_config":[${free}]},"message_segment":{"type":"x"}}`,
      );
      assert(isMessageBase(message));
      const isExact = free >= -(2n ** 53n) && free <= 2n ** 53n;
      const { message_id, additional_config } = message.message_info;
      assertEquals<unknown>([message_id, additional_config], [`${id}`, [isExact ? Number(free) : `${free}`]]);
    });
  });
});

/** Text of a message with what decoding and encoding change: nulls, numbers as ids, long integers, lone surrogates. */
const loose = fc.string({ unit: fc.constantFrom("a", "\\", '"', "\ud800", "\udc00", "ud800", "漢"), maxLength: 6 });
const longInteger = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }).map((value) => `@@${value}@@`);
const looseId = fc.oneof(loose, longInteger, fc.integer(), fc.constant(null));
/** One key: two that differ in lone surrogates only would be one after encoding. */
const looseObject = fc.dictionary(loose, fc.option(longInteger), { maxKeys: 1 });
const looseJson = fc.oneof(loose, longInteger, json, looseObject, fc.array(looseObject, { maxLength: 3 }));
const looseUser = fc.option(fc.record({ user_id: looseId, user_nickname: fc.option(loose) }, { requiredKeys: [] }));
const looseText = fc.record({
  message_info: fc.record({
    ...{ platform, message_id: looseId, user_info: looseUser, additional_config: looseJson },
    time: fc.option(fc.integer()),
    sender_info: fc.option(fc.record({ user_info: looseUser }, { requiredKeys: [] })),
  }, { requiredKeys: ["platform"] }),
  message_segment: fc.record({ type: fc.constantFrom("dict", "face", "x"), data: looseJson }),
  raw_message: fc.option(loose),
}, { requiredKeys: ["message_info", "message_segment"] })
  .map((message) => JSON.stringify(message, null, 1).replaceAll(/"@@(-?\d+)@@"(?!:)/g, "$1"));

describe("encodeMessage()", () => {
  it("gives a fixed point when it was given what decodeMessage() gave", () => {
    check(8_000, looseText, (json) => {
      const once = encodeMessage(decodeMessage(json));
      assertStrictEquals(encodeMessage(decodeMessage(once)), once);
      assert(once.isWellFormed() && !/\\ud[89a-f]/.test(once.replaceAll("\\\\", "")));
    });
  });

  it("throws nothing but MessageEncodeError, and what it writes decodes", () => {
    check(10_000, fc.tuple(platform, fc.anything(EXOTIC)), ([message_type_name, content]) => {
      let json: string;
      try {
        json = encodeMessage({ message_type_name, content, is_custom_message: true });
      } catch (error) {
        assertInstanceOf(error, MessageEncodeError);
        return;
      }
      assert(isCustomMessage(decodeMessage(json)));
    });
  });
});

// ------------------------------------------------------------------------------------------ one fault

const NO_TEXT = [5, true, [], {}];
/** What is wrong at a place, by its path; the first that fits. */
const WRONG: readonly (readonly [path: RegExp, values: readonly unknown[]])[] = [
  [/^\$\.message_(?:info|segment)$/, [ABSENT, null, 5, "x", []]],
  [/^\$\.message_info\.platform$/, [ABSENT, null, 5, "", {}]],
  [/_info\.(?:message|user|group)_id$/, [true, [], {}]],
  [/^\$\.message_info\.time$/, ["5", true, [], {}]],
  [/_info\.\w+_format$/, ["x", 5, {}, [5]]],
  [/_info\.template_name$/, [5, true, []]],
  [/_info$/, [5, "x", true, []]],
  [/_info\.(?:platform|user_nickname|user_cardname|group_name)$|^\$\.raw_message$/, NO_TEXT],
];

/** Paths of the members that a rule names, infos first. */
function infoPlaces(value: object, path: string): string[] {
  return Object.entries(value).flatMap(([name, member]) => {
    const here = `${path}.${name}`;
    if (/template_items|template_default|additional_config|template_name/.test(name)) return [here];
    return [here, ...(typeof member === "object" && !Array.isArray(member) ? infoPlaces(member, here) : [])];
  });
}

type Place = readonly [path: string, values: readonly unknown[]];

function segmentPlaces(piece: { type: string; data?: unknown }, path: string): Place[] {
  const type: Place = [`${path}.type`, [ABSENT, null, 5, {}]];
  if (piece.type === "seglist" && Array.isArray(piece.data)) {
    const items = piece.data.flatMap((item, index): Place[] => [
      [`${path}.data[${index}]`, [null, 5, "x", []]],
      ...segmentPlaces(item, `${path}.data[${index}]`),
    ]);
    return [type, [`${path}.data`, [ABSENT, null, 5, "x", {}]], ...items];
  }
  if (piece.type === "at") return [type, [`${path}.data`, [ABSENT, null, 5, true, []]]];
  return /^(?:text|image|emoji|voice|reply)$/.test(piece.type)
    ? [type, [`${path}.data`, [ABSENT, null, ...NO_TEXT]]]
    : [type];
}

const oneFault = fc.tuple(ordinary, fc.nat(), fc.nat()).map(([message, place, which]) => {
  const value: { message_info: object; message_segment: { type: string } } = JSON.parse(JSON.stringify(message));
  const infos = ["$.message_info", "$.raw_message", ...infoPlaces(value.message_info, "$.message_info")].flatMap(
    (path): Place[] => {
      const values = WRONG.find(([pattern]) => pattern.test(path))?.[1];
      return values === undefined ? [] : [[path, values]];
    },
  );
  const places: Place[] = [...infos, ["$.message_segment", [ABSENT, null, 5, "x", []]]];
  places.push(...segmentPlaces(value.message_segment, "$.message_segment"));
  const [path, values] = places[place % places.length] ?? ["$.message_info", [null]];
  putAt(value, path, values[which % values.length]);
  return { path, value };
});

describe("utf8Length()", () => {
  it("counts as TextEncoder does, whatever stands where one step of it ends", () => {
    const filler = fc.constantFrom("x", "é", "字", "😀", "\ud83d", "\ude00");
    const length = fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 65_530, max: 65_540 }),
      fc.constant(131_071),
    );
    fc.assert(
      fc.property(
        filler,
        length,
        text,
        filler,
        fc.integer({ min: 0, max: 300 }),
        (first, count, middle, last, more) => {
          const all = first.repeat(count) + middle + last.repeat(more);
          assertStrictEquals(utf8Length(all), new TextEncoder().encode(all).length);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("messageIssue()", () => {
  it("has the path of the fault when a valid message has one", () => {
    check(10_000, oneFault, ({ path, value }) => {
      const issue = messageIssue(value);
      assertEquals([issue?.code, issue?.path], ["invalid_shape", path]);
    });
  });
});
