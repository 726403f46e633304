import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

import { decodeMessage, encodeMessage, MessageDecodeError, MessageEncodeError } from "../../codec.ts";
import { createCustom, createMessage, type MessageBase, type Seg, seg } from "../../schema.ts";
import { currentRuntime, runtimeCommand, spawnLines } from "../support/peers/process.ts";
import { fullCustom, fullMessage, messageText, nestedLists, whilePolluted, wrong } from "../support/samples.ts";

function decodeError(text: string, options?: Parameters<typeof decodeMessage>[1]): MessageDecodeError {
  return assertThrows(() => decodeMessage(text, options), MessageDecodeError);
}

function encodeError(message: unknown, options?: Parameters<typeof encodeMessage>[1]): MessageEncodeError {
  return assertThrows(() => encodeMessage(wrong(message), options), MessageEncodeError);
}

function again(text: string): string {
  return encodeMessage(decodeMessage(text));
}

const BIG = "9007199254740993";
const LONG = "123456789".repeat(45).slice(0, 400);
const customText = (content: string) => `{"message_type_name":"poke","content":${content},"is_custom_message":true}`;

/** A text, and the text after decoding and encoding. */
const EXACT: readonly (readonly [what: string, text: string, after: string])[] = [
  ...["message_id"].flatMap((key) =>
    [["5", '"5"'], ["0", '"0"'], ["-7", '"-7"'], [BIG, `"${BIG}"`], [LONG, `"${LONG}"`], [
      "1e22",
      `"1${"0".repeat(22)}"`,
    ]].map(
      ([from, to]) => [`${key} is ${from}`, messageText(`"${key}":${from}`), messageText(`"${key}":${to}`)] as const,
    )
  ),
  ...["user_info", "group_info"].flatMap((key) => {
    const id = key.replace("info", "id");
    return [["5", '"5"'], [BIG, `"${BIG}"`], [`-${BIG}`, `"-${BIG}"`], [LONG, `"${LONG}"`]].flatMap(([from, to]) => [
      [`${id} is ${from}`, messageText(`"${key}":{"${id}":${from}}`), messageText(`"${key}":{"${id}":${to}}`)] as const,
      ...["sender_info", "receiver_info"].map((party) =>
        [
          `${id} of ${party} is ${from}`,
          messageText(`"${party}":{"${key}":{"${id}":${from}}}`),
          messageText(`"${party}":{"${key}":{"${id}":${to}}}`),
        ] as const
      ),
    ]);
  }),
  ...[
    ["5", "5"],
    ["9007199254740991", "9007199254740991"],
    ["9007199254740992", "9007199254740992"],
    ["-9007199254740992", "-9007199254740992"],
    [BIG, `"${BIG}"`],
    [`-${BIG}`, `"-${BIG}"`],
    ["9007199254740994", '"9007199254740994"'],
    ["18446744073709551615", '"18446744073709551615"'],
    [LONG, `"${LONG}"`],
    ["1e22", "1e+22"],
    ["1E22", "1e+22"],
    ["1e400", '"1e400"'],
    ["-1E+400", '"-1E+400"'],
    ["[9e0309]", '["9e0309"]'],
    ["1.0", "1"],
    ["-0.0", "0"],
    ["0.1", "0.1"],
    [`[1,[${BIG}],{"a":${BIG},"b":null}]`, `[1,["${BIG}"],{"a":"${BIG}","b":null}]`],
    [`{"__proto__":{"a":${BIG}}}`, `{"__proto__":{"a":"${BIG}"}}`],
    [`{"text":"${BIG}","n":${BIG}}`, `{"text":"${BIG}","n":"${BIG}"}`],
  ].flatMap(([from, to]) => [
    [
      `additional_config is ${from}`,
      messageText(`"additional_config":${from}`),
      messageText(`"additional_config":${to}`),
    ] as const,
    [`the content of a custom message is ${from}`, customText(`${from}`), customText(`${to}`)] as const,
    [
      `data of an unknown type is ${from}`,
      messageText("", `{"type":"x","data":${from}}`),
      messageText("", `{"type":"x","data":${to}}`),
    ] as const,
  ]),
  [
    `an at object has ${BIG}`,
    messageText("", `{"type":"seglist","data":[{"type":"at","data":{"target_user_id":${BIG}}}]}`),
    messageText("", `{"type":"seglist","data":[{"type":"at","data":{"target_user_id":"${BIG}"}}]}`),
  ],
  ["time is in nanoseconds", messageText('"time":1703123456789000192'), messageText('"time":1703123456789000200')],
  ["time has 17 digits", messageText('"time":1703123456.7891235'), messageText('"time":1703123456.7891235')],
  [
    `time is in nanoseconds beside an id of ${BIG}`,
    messageText(`"time":1703123456789000192,"message_id":${BIG}`),
    messageText(`"time":1703123456789000200,"message_id":"${BIG}"`),
  ],
  [
    `time inside additional_config is ${BIG}`,
    messageText(`"additional_config":{"message_info":{"time":${BIG}}}`),
    messageText(`"additional_config":{"message_info":{"time":"${BIG}"}}`),
  ],
];

describe("decodeMessage() and encodeMessage()", () => {
  for (const [what, text, after] of EXACT) {
    it(`change nothing else when ${what.length > 80 ? `${what.slice(0, 80)}...` : what}`, () => {
      assertStrictEquals(again(text), after);
    });
  }

  it("keep the type of time when it is in nanoseconds", () => {
    const message = decodeMessage(messageText('"time":1703123456789000192')) as MessageBase; // of the text above
    assertStrictEquals(message.message_info.time, 1703123456789000192);
  });

  for (const key of ["__proto__", "constructor", "toJSON", "hasOwnProperty"]) {
    it(`keep ${key} when it is a key everywhere`, () => {
      const extra = `"${key}":{"polluted":1,"a":null}`;
      const text = `{"message_info":{"platform":"qq","user_info":{${extra}},"additional_config":{${extra}},${extra}},` +
        `"message_segment":{"type":"seglist","data":[{"type":"dict","data":{${extra}},${extra}}],${extra}},${extra}}`;
      assertStrictEquals(again(text), text);
      assertStrictEquals(Reflect.get({}, "polluted"), undefined);
    });
  }

  it("change nothing when every member is there", () => {
    const text = JSON.stringify(fullMessage());
    assertStrictEquals(again(text), text);
  });

  it("change nothing when a custom message has every member", () => {
    const text = JSON.stringify(fullCustom());
    assertStrictEquals(again(text), text);
  });
});

/** Texts that are not JSON. */
const NO_JSON: readonly (readonly [what: string, text: string])[] = [
  ["empty", ""],
  ["white space", " \n"],
  ["preceded by a BOM", `\ufeff${messageText()}`],
  ["cut off", messageText().slice(0, -1)],
  ["followed by more", `${messageText()}{}`],
  ["one with NaN", messageText('"time":NaN')],
  ["one with Infinity", messageText('"time":Infinity')],
  ["one with -Infinity", messageText('"additional_config":-Infinity')],
  ["one with undefined", messageText('"additional_config":undefined')],
  ["one with a trailing comma", '{"message_info":{"platform":"qq",}}'],
  ["one in single quotes", "{'message_info':{}}"],
  ["one with a raw line break in a string", messageText("", '{"type":"text","data":"a\nb"}')],
  ["a word", "ping"],
];

describe("decodeMessage()", () => {
  for (const [what, text] of NO_JSON) {
    it(`throws invalid_json at $ when the text is ${what}`, () => {
      const { code, path } = decodeError(text);
      assertEquals([code, path], ["invalid_json", "$"]);
    });
  }

  it("says what belongs there and what stands there when a rule is broken", () => {
    const { expected, received, name } = decodeError(messageText("", '{"type":"text","data":5}'));
    assertEquals([expected, received, name], ["a string", "number", "MessageDecodeError"]);
  });

  it("throws invalid_shape when time is a number no double can hold", () => {
    const { code, path } = decodeError(messageText(`"time":${LONG}`));
    assertEquals([code, path], ["invalid_shape", "$.message_info.time"]);
  });

  it("gives a custom message when is_custom_message is true", () => {
    assertEquals<unknown>(decodeMessage(JSON.stringify(fullCustom())), fullCustom());
  });

  it("throws invalid_shape at $.message_type_name when a custom message has none", () => {
    const { code, path } = decodeError('{"content":1,"is_custom_message":true}');
    assertEquals([code, path], ["invalid_shape", "$.message_type_name"]);
  });

  for (const text of ['{"post_type":"message","self_id":1,"raw_message":"x"}', '{"self_id":1,"time":5}']) {
    it(`names OneBot when the text is ${text}`, () => assertStringIncludes(decodeError(text).message, "OneBot"));
  }

  it("does not name OneBot when the text is another object", () => assert(!/OneBot/.test(decodeError("{}").message)));
});

const SECRET = "U0VDUkVUc2VjcmV0";
const QUOTED = `"${SECRET}"`;
/** Texts that hold a secret right where they are wrong. */
const LEAKING: readonly (readonly [what: string, text: string])[] = [
  ["it is not JSON", SECRET],
  ["it is JSON cut off", `{"message_info":${QUOTED}`],
  ["it is a JSON string", QUOTED],
  ["message_info is a string", `{"message_info":${QUOTED}}`],
  ["time is a string", messageText(`"time":${QUOTED}`)],
  ["an id is an object", messageText(`"message_id":{${QUOTED}:1}`)],
  ["user_info is a string", messageText(`"user_info":${QUOTED}`)],
  ["content_format is a string", messageText(`"format_info":{"content_format":${QUOTED}}`)],
  ["a segment is a string", messageText("", QUOTED)],
  ["an image is an object", messageText("", `{"type":"image","data":{"base64":${QUOTED}}}`)],
  ["a list is a string", messageText("", `{"type":"seglist","data":${QUOTED}}`)],
  ["a custom message has no name", `{"content":${QUOTED},"is_custom_message":true}`],
  ["it is a OneBot event", `{"post_type":${QUOTED},"self_id":${QUOTED}}`],
  ["lists nest too deep", messageText("", nestedLists(40).replaceAll('"hi"', QUOTED))],
];

describe("MessageDecodeError", () => {
  for (const [what, text] of LEAKING) {
    it(`has nothing of the text when ${what}`, () => {
      const error = decodeError(text);
      assert(!`${inspect(error)} ${JSON.stringify(error)}`.includes(SECRET));
    });
  }

  it("has nothing of the text when it is too large", () => {
    assert(
      !inspect(decodeError(messageText("", `{"type":"text","data":${QUOTED}}`), { maxBytes: 10 })).includes(SECRET),
    );
  });

  it("is an Error", () => assertInstanceOf(decodeError(""), Error));
});

/** One character of each length in UTF-8, one, three and four bytes, and a surrogate that becomes three. */
const CHARACTERS = [["ASCII", "a"], ["CJK", "漢"], ["astral", "😀"], ["mixed", "aé漢😀"]] as const;
const DEFAULT_LIMIT = 100 * 1024 * 1024;

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

describe("maxBytes", () => {
  for (const [kind, character] of CHARACTERS) {
    const message = createMessage({ platform: "qq", user: "1" }, seg.text(character.repeat(1000)));
    const text = JSON.stringify(message);
    const bytes = utf8Bytes(text);
    it(`lets decodeMessage() pass when ${kind} text takes exactly as much`, () => {
      assertEquals<unknown>(decodeMessage(text, { maxBytes: bytes }), message);
    });
    it(`makes decodeMessage() throw too_large when ${kind} text takes a byte more`, () => {
      const { code, path } = decodeError(text, { maxBytes: bytes - 1 });
      assertEquals([code, path], ["too_large", "$"]);
    });
    it(`lets encodeMessage() pass when ${kind} text takes exactly as much`, () => {
      assertStrictEquals(encodeMessage(message, { maxBytes: bytes }), text);
    });
    it(`makes encodeMessage() throw too_large when ${kind} text takes a byte more`, () => {
      const { code, path } = encodeError(message, { maxBytes: bytes - 1 });
      assertEquals([code, path], ["too_large", "$"]);
    });
  }

  it("counts a lone surrogate as the three bytes of U+FFFD in encodeMessage()", () => {
    const message = createMessage({ platform: "qq", user: "1" }, seg.text("\ud800"));
    const bytes = utf8Bytes(encodeMessage(message));
    assertStrictEquals(utf8Bytes(encodeMessage(message, { maxBytes: bytes })), bytes);
    assertEquals(encodeError(message, { maxBytes: bytes - 1 }).code, "too_large");
  });

  it("does not count omitted nulls in encodeMessage()", () => {
    const bare = { message_info: { platform: "qq" }, message_segment: seg.text("hi") };
    const message = { ...bare, message_info: { platform: "qq", time: null, user_info: null } };
    assertStrictEquals(encodeMessage(message, { maxBytes: JSON.stringify(bare).length }), JSON.stringify(bare));
  });

  it("is looked at before the text is parsed", () => {
    assertEquals(decodeError("not JSON at all", { maxBytes: 5 }).code, "too_large");
  });

  it("is 100 MiB when decodeMessage() is not given another", () => {
    const text = "x".repeat(DEFAULT_LIMIT);
    assertEquals([decodeError(text).code, decodeError(`${text}x`).code], ["invalid_json", "too_large"]);
  });

  it("is 100 MiB when encodeMessage() is not given another", () => {
    const message = (length: number) => ({
      message_info: { platform: "qq" },
      message_segment: seg.text("x".repeat(length)),
    });
    const frame = encodeMessage(message(0)).length;
    assertStrictEquals(encodeMessage(message(DEFAULT_LIMIT - frame)).length, DEFAULT_LIMIT);
    assertEquals(encodeError(message(DEFAULT_LIMIT - frame + 1)).code, "too_large");
  });
});

const deepJson = (levels: number, inner = "1") => "[".repeat(levels) + inner + "]".repeat(levels);
const deepConfig = (levels: number, inner?: string) => messageText(`"additional_config":${deepJson(levels, inner)}`);

describe("maxDepth", () => {
  it("is 32 when decodeMessage() is not given another", () => {
    const text = messageText("", nestedLists(32));
    assertStrictEquals(again(text), text);
  });

  it("makes decodeMessage() throw too_deep at the innermost list when 33 lists nest", () => {
    const { code, path } = decodeError(messageText("", nestedLists(33)));
    assertEquals([code, path], ["too_deep", `$.message_segment${".data[0]".repeat(32)}.data`]);
  });

  it("lets decodeMessage() pass when lists nest exactly as deep", () => {
    const text = messageText("", nestedLists(100));
    assertStrictEquals(JSON.stringify(decodeMessage(text, { maxDepth: 100 })), text);
  });

  it("makes decodeMessage() throw too_deep when one list more nests", () => {
    assertEquals(decodeError(messageText("", nestedLists(3)), { maxDepth: 2 }).code, "too_deep");
  });

  it("does not count free JSON in decodeMessage()", () => {
    assertStrictEquals(again(deepConfig(100)), deepConfig(100));
  });

  // Whatever the engine's stack holds, the answer is a message or a code that is true.
  it("makes decodeMessage() throw too_deep, if anything, when it is raised beyond the stack", () => {
    try {
      decodeMessage(messageText("", nestedLists(200_000)), { maxDepth: 1e9 });
    } catch (error) {
      assertInstanceOf(error, MessageDecodeError);
      assertEquals(error.code, "too_deep");
    }
  });
});

describe("maxSegments", () => {
  const listOf = (segments: readonly string[]) => `{"type":"seglist","data":[${segments.join(",")}]}`;
  const ofCount = (count: number) =>
    `{"message_info":{"platform":"qq"},"message_segment":${listOf(Array(count).fill('{"type":""}'))}}`;

  it("is 100,000 when decodeMessage() is not given another, the list itself counted", () => {
    const text = ofCount(99_999);
    assertStrictEquals(JSON.stringify(decodeMessage(text)), text);
    const { code, path } = decodeError(ofCount(100_000));
    assertEquals([code, path], ["too_large", "$.message_segment.data"]);
  });

  it("counts lists in lists and what is in them", () => {
    const inner = listOf(['{"type":"text","data":"a"}', '{"type":"face"}']);
    const text = `{"message_info":{"platform":"qq"},"message_segment":${listOf([inner, inner])}}`;
    assertStrictEquals(JSON.stringify(decodeMessage(text, { maxSegments: 7 })), text);
    assertEquals(decodeError(text, { maxSegments: 6 }).code, "too_large");
  });

  it("does not count free JSON that looks like segments", () => {
    const text = messageText(`"additional_config":${listOf(Array(10).fill('{"type":""}'))}`);
    assertStrictEquals(JSON.stringify(decodeMessage(text, { maxSegments: 1 })), text);
  });
});

describe("free JSON 20,000 levels deep", () => {
  it("decodes", () => {
    const { message_info } = decodeMessage(deepConfig(20_000)) as MessageBase; // it has no is_custom_message
    assert(Array.isArray(message_info.additional_config));
  });

  it("decodes or is too_deep when a number in it is beyond 2^53", () => {
    try {
      decodeMessage(deepConfig(20_000, BIG));
    } catch (error) {
      assertInstanceOf(error, MessageDecodeError);
      assertEquals(error.code, "too_deep");
    }
  });

  it("decodes in a custom message and in a segment", () => {
    assert("content" in decodeMessage(customText(deepJson(20_000))));
    assert("message_info" in decodeMessage(messageText("", `{"type":"x","data":${deepJson(20_000)}}`)));
  });

  it("is refused by encodeMessage() as too_deep", () => {
    assertEquals(encodeError(decodeMessage(deepConfig(20_000))).code, "too_deep");
  });

  it("is refused by encodeMessage() as too_deep when it is made of objects", () => {
    const text = customText('{"a":'.repeat(20_000) + "1" + "}".repeat(20_000));
    assertEquals(encodeError(decodeMessage(text)).code, "too_deep");
  });
});

/** Nulls before and after encoding: members of `message_info` as JSON text. */
const NULLS: readonly (readonly [what: string, before: string, after: string])[] = [
  ...["message_id", "time", "user_info", "group_info", "format_info", "template_info", "additional_config"]
    .map((key) => [`omits ${key} when it is null`, `"${key}":null`, ""] as const),
  ...["sender_info", "receiver_info"].flatMap((key) =>
    [
      [`omits ${key} when it is null`, `"${key}":null`, ""],
      [
        `omits the members of ${key} when they are null`,
        `"${key}":{"user_info":null,"group_info":null}`,
        `"${key}":{}`,
      ],
      [
        `omits what is null in the user of ${key}`,
        `"${key}":{"user_info":{"user_id":"1","user_cardname":null}}`,
        `"${key}":{"user_info":{"user_id":"1"}}`,
      ],
      [
        `omits what is null in the group of ${key}`,
        `"${key}":{"group_info":{"group_id":"1","group_name":null}}`,
        `"${key}":{"group_info":{"group_id":"1"}}`,
      ],
    ] as const
  ),
  [
    "omits what is null in user_info",
    '"user_info":{"platform":null,"user_id":"1","user_nickname":null}',
    '"user_info":{"user_id":"1"}',
  ],
  [
    "omits what is null in group_info",
    '"group_info":{"platform":null,"group_id":null,"group_name":null}',
    '"group_info":{}',
  ],
  [
    "omits what is null in format_info",
    '"format_info":{"content_format":null,"accept_format":["text"]}',
    '"format_info":{"accept_format":["text"]}',
  ],
  [
    "omits what is null in template_info",
    '"template_info":{"template_items":null,"template_default":null}',
    '"template_info":{}',
  ],
  [
    "keeps nulls inside additional_config",
    '"additional_config":{"a":null,"b":[null]}',
    '"additional_config":{"a":null,"b":[null]}',
  ],
  [
    "keeps nulls inside template_items",
    '"template_info":{"template_items":{"a":null}}',
    '"template_info":{"template_items":{"a":null}}',
  ],
];

describe("encodeMessage()", () => {
  for (const [what, before, after] of NULLS) {
    it(what, () => assertStrictEquals(again(messageText(before)), messageText(after)));
  }

  it("keeps raw_message when it is null", () => {
    const text = messageText().replace(/}$/, ',"raw_message":null}');
    assertStrictEquals(again(text), text);
  });

  for (const data of ["null", "[null]", '{"a":null,"user_info":null}']) {
    it(`keeps nulls in a segment when its data is ${data}`, () => {
      const text = messageText("", `{"type":"x","data":${data},"more":null}`);
      assertStrictEquals(again(text), text);
    });
  }

  it("keeps nulls of a custom message", () => {
    const text = '{"platform":null,"message_type_name":"a","content":null,"timestamp":null,"is_custom_message":true}';
    assertStrictEquals(again(text), text);
  });

  it("leaves the message alone when it omits nulls", () => {
    const message = decodeMessage(messageText('"time":null,"user_info":{"user_id":"1","user_cardname":null}'));
    const before = JSON.stringify(message);
    encodeMessage(message);
    assertStrictEquals(JSON.stringify(message), before);
  });

  it("writes no white space", () => assertStrictEquals(again(messageText().replaceAll(":", " : ")), messageText()));

  it("says what belongs there and what stands there when a rule is broken", () => {
    const { code, path, expected, received, name } = encodeError({ message_info: { platform: "" } });
    assertEquals([code, path, name], ["invalid_shape", "$.message_info.platform", "MessageEncodeError"]);
    assertEquals([expected, received], ["a non-empty string", "empty string"]);
  });
});

/** Strings before and after: as they are in memory. */
const SURROGATES: readonly (readonly [what: string, text: string, after: string])[] = [
  ["a lone high one stands in the middle", "a\ud800b", "a\ufffdb"],
  ["a lone low one stands in the middle", "a\udc00b", "a\ufffdb"],
  ["the last low one is alone", "a\udfff", "a\ufffd"],
  ["the first high one is alone", "\udbffa", "\ufffda"],
  ["two high ones stand together", "\ud800\ud800", "\ufffd\ufffd"],
  ["they are the wrong way round", "\udc00\ud800", "\ufffd\ufffd"],
  ["a pair follows a lone one", "\ud83d\ud83d\ude00", "\ufffd😀"],
  ["they are a pair", "😀", "😀"],
  ["a backslash stands before ud800", "\\ud800", "\\ud800"],
  ["two backslashes stand before ud800", "\\\\ud800", "\\\\ud800"],
  ["a backslash stands before a lone one", "\\\ud800", "\\\ufffd"],
  ["a quote stands before a lone one", '"\ud800"\n\udc00', '"\ufffd"\n\ufffd'],
  ["there are only the letters", "ud800 \\u0041", "ud800 \\u0041"],
  ["a private use character stands there", "\ue000\ud7ff", "\ue000\ud7ff"],
];

describe("encodeMessage() of surrogates", () => {
  for (const [what, text, after] of SURROGATES) {
    it(`writes the text right when ${what}`, () => {
      const written = encodeMessage({ message_info: { platform: "qq" }, message_segment: seg.text(text) });
      const { message_segment }: MessageBase = JSON.parse(written);
      assertEquals([message_segment.data, written.isWellFormed()], [after, true]);
    });
  }

  it("writes U+FFFD when a key has a lone one", () => {
    assertEquals(JSON.parse(encodeMessage(createCustom("a", { "x\ud800": 1 }, "qq"))).content, { "x\ufffd": 1 });
  });

  it("writes no escape of a lone one when it came as an escape", () => {
    assertStrictEquals(again(customText('"\\uD800"')), customText('"\ufffd"'));
  });
});

function cycle(): unknown {
  const object: Record<string, unknown> = {};
  object.self = object;
  return object;
}

/** What JSON cannot hold. */
const NO_DATA: readonly (readonly [what: string, create: () => unknown])[] = [
  ["bytes", () => new Uint8Array([1])],
  ["a bigint", () => 1n],
  ["a cycle", cycle],
];

describe("encodeMessage() of bytes", () => {
  const bytesOf = (length: number) => Uint8Array.from({ length }, (_, index) => index * 7);
  const ascii = (json: string) =>
    json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const around = (data: unknown[]): MessageBase => ({
    message_info: { platform: "qq", user_info: { user_nickname: "张三 🐶", user_cardname: null } },
    message_segment: { type: "seglist", data },
    raw_message: 'a "quote"',
  });

  for (const length of [0, 1, 2, 3, 4, 1000, 1_000_001]) {
    it(`writes what it writes of base64, in ASCII, when there are ${length}`, () => {
      const bytes = bytesOf(length);
      const text = encodeMessage(around([seg.text("看"), seg.of("image", bytes), seg.of("video", bytes)]));
      const base64 = bytes.toBase64();
      const same = encodeMessage(around([seg.text("看"), seg.image(base64), seg.of("video", base64)]));
      assertStrictEquals(text, ascii(same));
    });
  }

  it("takes those of a file and of a list in a list, as the whole content and in the middle of members", () => {
    const file = { type: "file", data: { name: "中", base64: bytesOf(5), size: 5 } };
    const nested = { type: "seglist", data: [{ type: "voice", data: bytesOf(2), more: 1 }] };
    const { message_segment } = JSON.parse(encodeMessage(around([file, nested])));
    assertEquals(message_segment.data, [
      { type: "file", data: { name: "中", base64: "AAcOFRw=", size: 5 } },
      { type: "seglist", data: [{ type: "voice", data: "AAc=", more: 1 }] },
    ]);
    const alone = { message_info: { platform: "qq" }, message_segment: { type: "image", data: bytesOf(3) } };
    assertStrictEquals(JSON.parse(encodeMessage(alone)).message_segment.data, "AAcO");
  });

  it("leaves nulls out and replaces a lone surrogate, as of any message", () => {
    const text = encodeMessage(around([seg.of("image", bytesOf(1)), { type: "text", data: "\ud800" }]));
    const { message_info, message_segment } = JSON.parse(text);
    assertEquals([Object.keys(message_info.user_info), message_segment.data[1].data], [["user_nickname"], "\ufffd"]);
  });

  it("is too_large when base64 and all take more than maxBytes, and not when they take as many", () => {
    const message = around([seg.of("image", bytesOf(1000))]);
    const { length } = encodeMessage(message);
    assertStrictEquals(encodeMessage(message, { maxBytes: length }).length, length);
    assertEquals(encodeError(message, { maxBytes: length - 1 }).code, "too_large");
  });

  for (const [what, data] of [["a Blob", new Blob(["a"])], ["a stream", new ReadableStream()]] as const) {
    it(`is invalid_shape at its path when they are still in ${what}, and says where to go`, () => {
      const { code, path, message } = encodeError(around([seg.text("a"), seg.of("image", data)]));
      assertEquals([code, path], ["invalid_shape", "$.message_segment.data[1].data"]);
      assertStringIncludes(message, "sendStream");
    });
  }
});

/** Base64 of so many bytes. */
const base64Of = (bytes: number): string =>
  Uint8Array.from({ length: bytes }, (_, index) => index * 7919 >> 3).toBase64();

describe("encodeMessage() of long strings", () => {
  const long = base64Of(60_000);
  class Own {
    toJSON(): unknown {
      return seg.text("written by toJSON");
    }
  }
  const own = Object.assign(new Own(), { type: "image", data: long });
  /** Segments, and whether the text around them is ASCII. */
  const cases: readonly (readonly [what: string, segment: Seg, isAscii: boolean])[] = [
    ...[60_000, 60_001, 60_002, 49_152, 49_153, 98_304, 98_305, 98_303].map((bytes) =>
      [`base64 of ${bytes} bytes`, { type: "image", data: base64Of(bytes) }, true] as const
    ),
    ["a list of two", { type: "seglist", data: [seg.image(long), seg.text("字"), seg.voice(long)] }, true],
    ["a list in a list", { type: "seglist", data: [{ type: "seglist", data: [seg.image(long)] }] }, true],
    ["one of a type of its own", { type: "sticker", data: long }, true],
    ["one beside a long text", { type: "seglist", data: [seg.image(long), seg.text("字".repeat(40_000))] }, false],
    ["one beside much text in pieces", {
      type: "seglist",
      data: [seg.image(long), ...Array.from({ length: 100 }, () => seg.text("字".repeat(400)))],
    }, false],
    ["base64 with line breaks", { type: "image", data: `${long}\n${long}` }, false],
    ["base64 that ends in a line break", { type: "image", data: `${long}\n` }, false],
    ["base64 of the URL-safe alphabet", { type: "image", data: `${long}-_==` }, false],
    ["base64 with a data: prefix", { type: "image", data: `data:image/png;base64,${long}` }, false],
    ["base64 with a quote", { type: "image", data: `${long}"AA=` }, false],
    ["base64 with a backslash", { type: "image", data: `${long}AA\\=` }, false],
    ["base64 with a control character", { type: "image", data: `${long}AA\u0001=` }, false],
    ["base64 with half a pair", { type: "image", data: `${long}AAA\ud800` }, false],
    ["base64 with padding in the middle", { type: "image", data: `${base64Of(32_767)}=${long}` }, false],
    ["base64 without padding", { type: "image", data: `${long}AA` }, false],
    ["base64 with too much padding", { type: "image", data: `${long}A===` }, false],
    ["text", seg.text("字".repeat(100_000)), false],
  ];
  for (const [what, segment, isAscii] of cases) {
    it(`gives the same JSON when it is ${what}`, () => {
      const user = { user_id: "1", user_nickname: "张三" };
      const message = { ...createMessage({ platform: "qq", user }, segment), raw_message: "图" };
      const text = encodeMessage(message);
      const plain = JSON.stringify(message).replaceAll("\\ud800", "\ufffd");
      assertEquals(JSON.parse(text), JSON.parse(plain));
      assertStrictEquals(/^[\0-\x7f]*$/.test(text), isAscii);
    });
  }

  it("asks toJSON where there is one, as JSON.stringify() does", () => {
    const info = { platform: "qq" };
    const image = { type: "image", data: long };
    const list = Object.assign([image], { toJSON: () => [seg.text("of a list")] });
    const whole = { message_info: info, message_segment: image, toJSON: () => ({ of: "a message" }) };
    for (
      const message of [
        { message_info: info, message_segment: own },
        { message_info: info, message_segment: { type: "seglist", data: [own] } },
        { message_info: info, message_segment: { type: "seglist", data: list } },
        { message_info: info, message_segment: { type: "seglist", data: [image], toJSON: () => image } },
        whole,
      ]
    ) assertStrictEquals(encodeMessage(message), JSON.stringify(message));
  });

  it("asks toJSON of what stands beside bytes", () => {
    const asText = Object.assign({ toJSON: () => seg.text("own") }, { type: "image", data: long });
    for (const other of [own, asText]) {
      const list = [{ type: "image", data: new Uint8Array(3) }, other];
      const text = encodeMessage({
        message_info: { platform: "qq" },
        message_segment: { type: "seglist", data: list },
      });
      assertEquals(JSON.parse(text).message_segment.data[1], other.toJSON());
    }
  });

  it("takes what fits as it stands, though it would not in ASCII", () => {
    const info = { platform: "qq", user_info: { user_nickname: "字".repeat(5000) } };
    const message = { message_info: info, message_segment: { type: "image", data: long } };
    const bytes = utf8Bytes(JSON.stringify(message));
    assertLess(bytes, encodeMessage(message).length);
    assertStrictEquals(encodeMessage(message, { maxBytes: bytes }), JSON.stringify(message));
    assertEquals(encodeError(message, { maxBytes: bytes - 1 }).code, "too_large");
  });

  it("counts bytes, not characters, when it only began as base64", () => {
    const info = { platform: "qq", user_info: { user_nickname: "字".repeat(5000) } };
    for (const segment of [seg.text(long), { type: "image", data: `${long}!` }]) {
      const message = { message_info: info, message_segment: segment };
      const bytes = utf8Bytes(JSON.stringify(message));
      assertStrictEquals(encodeMessage(message, { maxBytes: bytes }), JSON.stringify(message));
      assertEquals(encodeError(message, { maxBytes: bytes - 1 }).code, "too_large");
    }
  });

  it("leaves out the nulls of the infos", () => {
    const message = { message_info: { platform: "qq", time: null }, message_segment: { type: "image", data: long } };
    assertEquals(JSON.parse(encodeMessage(message)).message_info, { platform: "qq" });
  });

  it("counts every byte", () => {
    const message = createMessage({ platform: "qq", user: { user_id: "1", user_nickname: "Ann" } }, seg.image(long));
    const { length } = encodeMessage(message);
    assertStrictEquals(encodeMessage(message, { maxBytes: length }).length, length);
    assertEquals(encodeError(message, { maxBytes: length - 1 }).code, "too_large");
  });
});

describe("encodeMessage() of what is inherited", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  for (
    const [what, prototype] of [
      ["a circle", circle],
      ["much text", { o: { s: "x".repeat(2000) } }],
      ["bytes", { bytes: new Uint8Array(3) }],
    ] as const
  ) {
    it(`writes none of it, and is not stopped by it, when it is ${what}`, () => {
      const content = { own: 1, inner: Object.create(prototype) };
      const text = encodeMessage(createCustom("x", content, "qq"), { maxBytes: 500 });
      assertEquals(JSON.parse(text).content, { own: 1, inner: {} });
    });
  }

  it("writes an object that gives bytes by a getter as JSON.stringify() does", () => {
    assertEquals(JSON.parse(encodeMessage(createCustom("x", { r: new Response("hi") }, "qq"))).content, { r: {} });
  });
});

describe("encodeMessage() of what JSON can not hold", () => {
  for (const [what, create] of NO_DATA) {
    it(`throws MessageEncodeError when the content is ${what}`, () => {
      encodeError({ message_type_name: "a", content: create(), is_custom_message: true });
    });
    it(`throws MessageEncodeError when ${what} stands inside additional_config`, () => {
      encodeError({
        message_info: { platform: "qq", additional_config: { a: [create()] } },
        message_segment: seg.text(""),
      });
    });
    it(`throws MessageEncodeError when a dict segment holds ${what}`, () => {
      encodeError({ message_info: { platform: "qq" }, message_segment: { type: "dict", data: { a: create() } } });
    });
    it(`throws invalid_shape at its path when a text is ${what}`, () => {
      const { code, path } = encodeError({
        message_info: { platform: "qq" },
        message_segment: { type: "seglist", data: [{ type: "text", data: create() }] },
      });
      assertEquals([code, path], ["invalid_shape", "$.message_segment.data[0].data"]);
    });
  }

  for (const content of [() => 1, Symbol("a")]) {
    // JSON.stringify leaves such a member out, so that the other side gets a message without content.
    it(`throws MessageEncodeError when the content is a ${typeof content}`, () => {
      encodeError({ message_type_name: "a", content, is_custom_message: true });
    });
  }

  it("throws MessageEncodeError when a toJSON of the message gives nothing", () => {
    encodeError({ ...fullMessage(), toJSON: () => undefined });
  });

  it("has nothing of the message in the error", () => {
    const error = encodeError({
      message_type_name: "a",
      content: { [SECRET]: 1n, s: SECRET },
      is_custom_message: true,
    });
    assert(!`${inspect(error)} ${JSON.stringify(error)}`.includes(SECRET));
  });
});

describe("a polluted Object.prototype", () => {
  it("does not make decodeMessage() take a message for a custom one", () => {
    const text = messageText('"message_id":5');
    const message = whilePolluted({ is_custom_message: true }, () => decodeMessage(text));
    assertStrictEquals(JSON.stringify(message), messageText('"message_id":"5"'));
  });

  it("does not make encodeMessage() take a message for a custom one", () => {
    const message = decodeMessage(messageText('"time":null'));
    assertStrictEquals(whilePolluted({ is_custom_message: true }, () => encodeMessage(message)), messageText());
  });

  for (const [what, members] of [["a string", { group_info: "x" }], ["null", { group_info: null }]] as const) {
    it(`does not make a member appear in encodeMessage() when a group_info is inherited that is ${what}`, () => {
      const message = decodeMessage(messageText());
      assertStrictEquals(whilePolluted(members, () => encodeMessage(message)), messageText());
    });
  }

  it("does not make encodeMessage() throw when a group_info is inherited that is an object", () => {
    const message = decodeMessage(messageText());
    const text = whilePolluted({ group_info: { group_id: "9", group_name: null } }, () => {
      try {
        return encodeMessage(message);
      } catch (error) {
        return String(error);
      }
    });
    assertStrictEquals(text, messageText());
  });

  it("is not changed by decodeMessage() when an inherited user_info has a number as id", () => {
    const user_info = { user_id: 5 };
    const text = '{"message_info":{"platform":"qq"},"message_segment":{"type":"text","data":"hi"}}';
    // The walk of the rest is another matter: see the child process below.
    Object.defineProperty(Object.prototype, "user_info", { value: user_info, configurable: true });
    try {
      decodeMessage(text);
    } finally {
      Reflect.deleteProperty(Object.prototype, "user_info");
    }
    assertStrictEquals(user_info.user_id, 5);
  });
});

/** Runs `peers/codec_probe.ts`: what may abort or hang the process is done in one that is not ours. */
async function probe(task: string, ends: string, timeoutMs: number = 60_000): Promise<void> {
  const script = fileURLToPath(new URL("../support/peers/codec_probe.ts", import.meta.url));
  await using child = spawnLines(...runtimeCommand(currentRuntime, script, [task]));
  const status = await child.exit({ timeoutMs });
  assertEquals([status.code, child.lines.at(-1)], [0, ends], child.lines.join("\n"));
}

describe("a process of its own", () => {
  // Deno 2.9 aborts in JSON.stringify when it meets one flat string of 2^28 units: runtimes.md 0.3.
  it("lives when encodeMessage() writes a string of 2^28 units with a raised maxBytes", async () => {
    await probe("encode-huge", `wrote ${2 ** 28 + messageText("", '{"type":"image","data":""}').length}`);
  });

  it("lives when encodeMessage() writes a key of 2^28 units with a raised maxBytes", async () => {
    await probe("encode-huge-key", `wrote ${2 ** 28 + customText('{"":1}').length}`);
  });

  it("lives when encodeMessage() is given a key of 2^28 units", async () => {
    await probe("refuse-huge-key", "refused too_large, cheaply");
  });

  it("copies nothing when encodeMessage() refuses a string of 2^28 units by default", async () => {
    await probe("refuse-huge", "refused too_large, cheaply");
  });

  it("copies nothing when decodeMessage() refuses a text of 2^28 units by default", async () => {
    await probe("refuse-huge-text", "refused too_large, cheaply");
  });

  it("ends when decodeMessage() runs with an object on Object.prototype", async () => {
    await probe("decode-polluted", "decoded", 15_000);
  });
});
