import { assert, assertEquals, assertLess, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { inspect } from "node:util";

import { decodeMessage, encodeMessage } from "../../codec.ts";
import { createCustom, createMessage, type MessageBase, type Seg, seg } from "../../schema.ts";
import { again, customText, encodeError, utf8Bytes } from "../support/codec.ts";
import { fullMessage, messageText } from "../support/samples.ts";

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

const SECRET = "U0VDUkVUc2VjcmV0";

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
