import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";

import { decodeMessage, decodeSegments, encodeStream, MessageDecodeError } from "../../../codec.ts";
import { isCustomMessage, type MessageBase } from "../../../schema.ts";
import { byteMessages, expectedText, sizes } from "../../support/chunks.ts";
import { fullCustom, messageText, nestedLists } from "../../support/samples.ts";
import { assertSame, check, expected, faultOf, IMAGE, image, list, open, readMessage } from "../../support/segments.ts";

/** Writes JSON with members in another order, white space, and escapes where none are needed. */
function respelled(value: unknown, turn: () => number): string {
  const space = (): string => ["", " ", "\n", "\t\r "][turn() % 4] ?? "";
  if (Array.isArray(value)) {
    return `[${space()}${value.map((item) => respelled(item, turn)).join(`${space()},${space()}`)}${space()}]`;
  }
  if (typeof value === "string") {
    return JSON.stringify(value).replace(/\\u....|\\.|[/a-zA-Z0-9]/g, (char) => {
      if (char.length > 1 || turn() % 3 > 0) return char;
      return char === "/" ? "\\/" : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
    });
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) =>
    [turn(), `${respelled(key, turn)}${space()}:${space()}${respelled(item, turn)}`] as const
  );
  const ordered = members.toSorted(([a], [b]) => a - b).map(([, text]) => text);
  return `{${space()}${ordered.join(`${space()},${space()}`)}${space()}}`;
}

describe("decodeSegments()", () => {
  it("gives what decodeMessage() gives, however the text is cut", async () => {
    await check(600, fc.tuple(byteMessages, sizes), ([message, pieces]) => assertSame(expectedText(message), pieces));
  });

  it("gives the same segments in any order of members, with any white space and escapes", async () => {
    await check(
      400,
      fc.tuple(byteMessages, sizes, fc.infiniteStream(fc.nat(1000))),
      async ([message, pieces, turns]) => {
        const text = respelled(JSON.parse(expectedText(message)), () => turns.next().value ?? 0);
        const { envelope, segments } = await readMessage(open(text, pieces));
        const { message_segment: _, ...around } = decodeMessage(text) as MessageBase;
        assertEquals<unknown>(envelope, around);
        assertEquals(segments.map((json) => JSON.parse(json)), expected(text).segments.map((json) => JSON.parse(json)));
      },
    );
  });

  it("gives back what encodeStream() was given", async () => {
    await check(200, byteMessages, async (message) => {
      const { segments } = await readMessage(decodeSegments(encodeStream(message as unknown as MessageBase)));
      assertEquals(segments, expected(expectedText(message)).segments);
    });
  });

  it("refuses every text that is cut off as invalid_json", async () => {
    const text = messageText(
      '"time":5',
      `{"type":"seglist","data":[${IMAGE},{"type":"text","data":"a\\n"},{"type":"file","data":{"base64":"AQID"}}]}`,
    );
    for (let end = 0; end < text.length; end++) {
      const { code, path } = await faultOf(open(text.slice(0, end), [7]));
      assertEquals([code, path], ["invalid_json", "$"], text.slice(0, end));
    }
  });

  /** Messages with one fault, each refused as decodeMessage() refuses it. */
  const FAULTS: readonly (readonly [what: string, text: string])[] = [
    ["it is empty", ""],
    ["it is a string", '"hi"'],
    ["it is a number", "5"],
    ["it is an array", "[1,[2]]"],
    ["it is null", "null"],
    ["it is a word", "ping"],
    ["it is preceded by a BOM", `\ufeff${messageText()}`],
    ["it is followed by more", `${messageText()}{}`],
    ["it is an empty object", "{}"],
    ["there is a trailing comma", '{"message_info":{"platform":"qq"},}'],
    ["there is a comma too many", list(IMAGE, "", IMAGE)],
    ["there is a trailing comma in the list", list(IMAGE, "")],
    ["there is a trailing comma in a segment", image('"AQID"', ",")],
    ["there is no colon", '{"message_info" {}}'],
    ["a key is no string", "{5:1}"],
    ["a comma is missing", image('"AQID"', '"a":1')],
    ["brackets do not match", messageText('"additional_config":[1}')],
    ["NaN follows the segments", image('"AQID"').replace(/}$/, ',"x":NaN}')],
    ["a word follows bytes", image('"AQID"', ',"x":tru')],
    ["a list member is no JSON", messageText("", `{"type":"seglist","data":[${IMAGE}],"x":nul}`)],
    ["a raw line break stands in base64", image('"AQ\nID"')],
    ["a raw line break stands in long base64", image(`"${"A".repeat(400)}\n   "`)],
    ["a raw control character stands in base64", image('"AQ\u0001ID"')],
    ["a raw line break stands in an emoji", messageText("", '{"type":"emoji","data":"😀\n"}')],
    ["a raw line break begins an emoji", messageText("", '{"type":"emoji","data":"\n"}')],
    ["an escape is none", image('"AQ\\xID"')],
    ["an escape is cut off", image('"AQ\\u00"')],
    ["message_info is missing", '{"message_segment":{"type":"text","data":"hi"}}'],
    ["message_info is wrong", '{"message_info":[],"message_segment":{"type":"text","data":"hi"}}'],
    ["message_info is wrong and last", `{"message_segment":${IMAGE},"message_info":{"platform":5}}`],
    ["an id is wrong", messageText('"message_id":{}')],
    ["message_segment is missing", '{"message_info":{"platform":"qq"}}'],
    ["message_segment is null", messageText("", "null")],
    ["message_segment is a list", messageText("", "[]")],
    ["raw_message is wrong", messageText("", IMAGE).replace(/}$/, ',"raw_message":5}')],
    ["raw_message is wrong and first", messageText("", IMAGE).replace("{", '{"raw_message":5,')],
    ["a list is no list", messageText("", '{"type":"seglist","data":{}}')],
    ["a list has no data", messageText("", '{"type":"seglist"}')],
    ["a type is missing", messageText("", '{"data":"hi"}')],
    ["a type is a number", list(IMAGE, '{"type":5,"data":"hi"}')],
    ["an item is null", list(IMAGE, "null")],
    ["an item is a string", list(IMAGE, '"hi"')],
    ["an image is a number", list(IMAGE, '{"type":"image","data":5}')],
    ["an image has no data", list(IMAGE, IMAGE, '{"type":"image"}')],
    ["an image is an object", messageText("", '{"type":"image","data":{"base64":"AQID"}}')],
    ["a text is wrong deep inside", list(IMAGE, '{"type":"seglist","data":[{"type":"text","data":1}]}')],
    ["lists nest too deep", messageText("", nestedLists(33))],
    ["a custom message has no name", '{"is_custom_message":true,"content":1}'],
  ];

  for (const [what, text] of FAULTS) {
    it(`throws what decodeMessage() throws when ${what}`, async () => {
      const { code, path } = assertThrows(() => decodeMessage(text), MessageDecodeError);
      for (const pieces of [[], [1], [3, 2]]) {
        const found = await faultOf(open(text, pieces));
        assertEquals([found.code, found.path], [code, path]);
      }
    });
  }

  it("says what belongs there as decodeMessage() does", async () => {
    const text = list(IMAGE, '{"type":"text","data":5}');
    const { message } = assertThrows(() => decodeMessage(text), MessageDecodeError);
    assertStrictEquals((await faultOf(open(text))).message, message);
  });

  it("names OneBot when the text is one of its events", async () => {
    assert(/OneBot/.test((await faultOf(open('{"post_type":"message","self_id":1}'))).message));
  });

  it("throws invalid_shape at $.is_custom_message when it is a custom message", async () => {
    for (
      const text of [
        JSON.stringify(fullCustom()),
        messageText("", IMAGE).replace(/}$/, ',"content":1,"message_type_name":"x","is_custom_message":true}'),
      ]
    ) {
      assert(isCustomMessage(decodeMessage(text)));
      const { code, path } = await faultOf(open(text));
      assertEquals([code, path], ["invalid_shape", "$.is_custom_message"]);
    }
  });

  /** Members as peers spell them. */
  const SPELLED: readonly (readonly [what: string, text: string])[] = [
    ["ids are numbers", messageText('"message_id":9007199254740993,"user_info":{"user_id":7}', IMAGE)],
    [
      "an integer in a segment is unsafe",
      list(`{"type":"image","n":9007199254740993,"data":"AQID","m":9007199254740993}`),
    ],
    [
      "an integer in a file is unsafe",
      list('{"type":"file","data":{"a":9007199254740993,"base64":"AQID","size":9007199254740993}}'),
    ],
    [
      "keys are __proto__",
      list(
        '{"type":"image","__proto__":1,"data":"AQID","constructor":2}',
        '{"type":"file","data":{"base64":"AQID","__proto__":{"a":1}}}',
      ),
    ],
    [
      "keys are escaped",
      '{"message\\u005finfo":{"platform":"qq"},"message\\u005fsegment":{"t\\u0079pe":"im\\u0061ge","\\u0064ata":"AQ\\u0049D"}}',
    ],
    ["a type comes twice", messageText("", '{"type":"text","type":"image","data":"AQID"}')],
    ["data comes twice before its type", messageText("", '{"data":"?","data":"AQID","type":"image"}')],
    [
      "a member of the message comes twice",
      '{"message_info":5,"raw_message":"a","message_info":{"platform":"qq"},"raw_message":"b","message_segment":{"type":"x"}}',
    ],
    [
      "message_info comes again behind the segments",
      `{"message_info":{"platform":"a"},"message_segment":${IMAGE},"message_info":{"platform":"b"}}`,
    ],
    [
      "a list has its type last",
      messageText("", `{"data":[${IMAGE},{"type":"text","data":"a"},{"data":"AQ","type":"emoji"}],"type":"seglist"}`),
    ],
    ["a file has its type last", messageText("", '{"data":{"base64":"AQID","name":"a"},"type":"file"}')],
    ["a file is a path", messageText("", '{"type":"file","data":"/tmp/a"}')],
    ["a file has base64 null", messageText("", '{"type":"file","data":{"base64":null}}')],
    ["a video is null", messageText("", '{"type":"video","data":null}')],
    ["a video is an object", messageText("", '{"type":"video","data":{"url":"x"}}')],
    [
      "an emoji is a character",
      list(
        '{"type":"emoji","data":"😀"}',
        '{"type":"emoji","data":"1\ufe0f\u20e3"}',
        '{"type":"emoji","data":"[微笑]"}',
      ),
    ],
    [
      "an emoji is base64",
      list('{"type":"emoji","data":"AQID"}', '{"type":"emoji","data":"AQ"}', '{"type":"emoji","data":""}'),
    ],
    ["an emoji is escaped", list('{"type":"emoji","data":"\\ud83d\\ude00"}', '{"type":"emoji","data":"\\u0041Q"}')],
    [
      "there is a data: prefix",
      list('{"type":"image","data":"data:image/png;base64,AQID"}', '{"type":"emoji","data":"data:;base64,"}'),
    ],
    ["base64 has line breaks", image('"AQ\\nI\\r\\nD \\t"')],
    ["base64 has no padding", image('"AQI"')],
    ["base64 has too much padding", image('"AQI===="')],
    ["base64 is URL-safe", image('"-_-_"')],
    ["base64 mixes alphabets", image('"+_-/"')],
    ["base64 is empty", image('""')],
    ["base64 is shorter than a prefix", image('"data"')],
    ["message_segment is of no known type", messageText("", '{"type":"x","data":[1,{"a":"]"}]}')],
    [
      "a text holds what ends others",
      list('{"type":"text","data":"]}\\"\\\\"}', '{"type":"dict","data":{"}":"{","]":"[\\\\"}}'),
    ],
    ["lists nest as deep as may be", messageText("", nestedLists(32))],
    ["a list is empty", list()],
  ];

  for (const [what, text] of SPELLED) {
    it(`gives what decodeMessage() gives when ${what}`, async () => {
      for (const pieces of [[], [1], [2], [3], [5, 1]]) await assertSame(text, pieces);
    });
  }

  for (
    const [what, text, path] of [
      ["message_segment", `{"message_info":{"platform":"q"},"message_segment":${IMAGE},"message_segment":{}}`, ""],
      ["data", image('"AQID"', ',"data":"AQID"'), ".data"],
      ["type", image('"AQID"', ',"type":"text"'), ".type"],
      ["data of a list", messageText("", '{"type":"seglist","data":[],"data":[]}'), ".data"],
      ["data of a file", messageText("", '{"type":"file","data":{"base64":""},"data":{}}'), ".data"],
      ["base64", messageText("", '{"type":"file","data":{"base64":"","base64":""}}'), ".data.base64"],
    ] as const
  ) {
    it(`throws invalid_shape when ${what} comes again after it was given`, async () => {
      const found = await faultOf(open(text));
      assertEquals([found.code, found.path], ["invalid_shape", `$.message_segment${path}`]);
    });
  }

  it("nests as deep as maxDepth says", async () => {
    const text = messageText("", nestedLists(40));
    assertEquals((await readMessage(open(text, [], { maxDepth: 40 }))).segments.length, 1);
    const { code, path } = await faultOf(open(messageText("", nestedLists(3)), [], { maxDepth: 2 }));
    assertEquals([code, path], ["too_deep", "$.message_segment.data[0].data[0].data"]);
    assertEquals((await faultOf(open(list(), [], { maxDepth: 0 }))).path, "$.message_segment.data");
  });

  it("holds no more than maxBuffered, and names what is larger", async () => {
    const long = "x".repeat(200);
    for (
      const [text, path] of [
        [messageText(`"a":"${long}"`), "$.message_info"],
        [`{"raw_message":"${long}"`, "$.raw_message"],
        [`{"${long}":1`, "$"],
        [`{"x":"${long}"`, "$"],
        [list(IMAGE, `{"type":"text","data":"${long}"}`), "$.message_segment.data[1].data"],
        [list(`{"data":"${long}"`), "$.message_segment.data[0].data"],
        [list(`{"type":"image","data":"AQID","a":"${long}"`), "$.message_segment.data[0]"],
        [list(`{"type":"file","data":{"name":"${long}"`), "$.message_segment.data[0].data"],
        [list(`{"type":"emoji","data":"😀${long}"`), "$.message_segment.data[0].data"],
        [list(nestedLists(10)), "$.message_segment.data[0].data"],
        [`"${long}"`, "$"],
        [messageText("", `"${long}"`), "$.message_segment"],
      ] as const
    ) {
      for (const pieces of [[], [11]]) {
        const found = await faultOf(open(text, pieces, { maxBuffered: 150 }));
        assertEquals([found.code, found.path], ["too_large", path], text);
      }
    }
    const many = list(
      ...Array<string>(50).fill('{"type":"text","data":"0123456789"}'),
      `{"type":"image","data":"${"AAAA".repeat(1000)}"}`,
    );
    assertEquals((await readMessage(open(many, [11], { maxBuffered: 150 }))).segments.length, 51);
  });

  it("takes any number of segments, but not in a list in the list", async () => {
    const many = Array<string>(100_001).fill('{"type":""}');
    const reader = open(list(...many));
    let count = 0;
    for await (const _ of reader) count++;
    assertEquals(count, 100_001);
    const found = await faultOf(open(list(IMAGE, `{"type":"seglist","data":[${many.join(",")}]}`)));
    assertEquals([found.code, found.path], ["too_large", "$.message_segment.data[1].data"]);
  });

  it("is 16 MiB when maxBuffered is not given", async () => {
    const text = (length: number): string => messageText("", `{"type":"text","data":"${"x".repeat(length)}"}`);
    const most = 2 ** 24 - '"data"'.length - '"type":"text"'.length - 2;
    assertEquals((await readMessage(open(text(most)))).segments.length, 1);
    assertEquals((await faultOf(open(text(most + 1)))).code, "too_large");
  });
});
