import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { createHash } from "node:crypto";

import {
  decodeMessage,
  decodeSegments,
  type DecodeSegmentsOptions,
  encodeStream,
  MessageDecodeError,
  type MessageEnvelope,
  segBytes,
  type SegmentReader,
} from "../../codec.ts";
import { Base64Decoder, decodeBase64 } from "../../util/base64.ts";
import { decodeTextBlocks } from "../../codec/stream/segment_decoder.ts";
import { isCustomMessage, type MessageBase, type Seg, seg } from "../../schema.ts";
import {
  byteMessages,
  concat,
  countedStream,
  cut,
  expectedText,
  readAll,
  readByob,
  sizes,
  streamOf,
} from "../support/chunks.ts";
import { fullCustom, messageText, nestedLists } from "../support/samples.ts";

const encoder = new TextEncoder();

function check<T>(numRuns: number, arbitrary: fc.Arbitrary<T>, predicate: (value: T) => unknown): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, async (value) => void await predicate(value)), { numRuns });
}

function open(text: string, pieces: readonly number[] = [], options?: DecodeSegmentsOptions): SegmentReader {
  return decodeSegments(streamOf(cut(encoder.encode(text), pieces)), options);
}

interface Result {
  readonly envelope: MessageEnvelope;
  /** JSON of each segment, with base64 of the bytes it gave. */
  readonly segments: string[];
}

/** Reads the bytes of a segment, if it has some, and puts them in their place. */
async function filled(segment: Seg): Promise<Seg> {
  const { type, data } = segment;
  const holder = type === "file" && typeof data === "object" && data !== null ? data : segment;
  const key = holder === segment ? "data" : "base64";
  const stream = Reflect.get(holder, key);
  if (stream instanceof ReadableStream) Reflect.set(holder, key, `bytes ${(await readAll(stream)).toBase64()}`);
  return segment;
}

async function readMessage(reader: SegmentReader): Promise<Result> {
  const segments: Seg[] = [];
  for await (const segment of reader) segments.push(await filled(segment));
  return { envelope: await reader.envelope, segments: segments.map((segment) => JSON.stringify(segment)) };
}

/** What a message in memory comes to, in the same terms. */
function expected(text: string): { envelope: string; segments: string[] } {
  const message = decodeMessage(text) as MessageBase; // the callers make no other
  const { message_segment: top, ...envelope } = message;
  const items = top.type === "seglist" ? top.data as Seg[] : [top];
  const segments = items.map((segment) => {
    const { type, data } = segment;
    if (type === "file" && typeof data === "object" && data !== null && "base64" in data) {
      const isText = typeof data.base64 === "string";
      return JSON.stringify(
        isText ? { ...segment, data: { ...data, base64: `bytes ${segBytes(segment).toBase64()}` } } : segment,
      );
    }
    if (!["image", "emoji", "voice", "video"].includes(type) || typeof data !== "string") {
      return JSON.stringify(segment);
    }
    if (type === "emoji" && /[^\w+/=-]/.test(data.slice(0, 4))) return JSON.stringify(segment);
    return JSON.stringify({ ...segment, data: `bytes ${segBytes(segment).toBase64()}` });
  });
  return { envelope: JSON.stringify(envelope), segments };
}

async function assertSame(text: string, pieces: readonly number[] = []): Promise<void> {
  const { envelope, segments } = expected(text);
  const bytes = await readMessage(open(text, pieces));
  assertEquals([JSON.stringify(bytes.envelope), bytes.segments], [envelope, segments]);
  const whole = pieces.length === 0 ? [text] : cut(text, pieces);
  assertEquals((await readMessage(decodeTextBlocks(whole))).segments, segments);
}

async function faultOf(reader: SegmentReader): Promise<MessageDecodeError> {
  return await assertRejects(() => readMessage(reader), MessageDecodeError);
}

const image = (data: string, more = ""): string => messageText("", `{"type":"image","data":${data}${more}}`);
const list = (...items: string[]): string => messageText("", `{"type":"seglist","data":[${items.join(",")}]}`);
const IMAGE = '{"type":"image","data":"AQID"}';

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

  it("throws invalid_json when it is no UTF-8", async () => {
    const whole = [...encoder.encode(messageText())];
    for (
      const bytes of [[0x22, 0xff, 0x22], [...whole, 0xe6, 0xbc], [...whole.slice(0, -3), 0xe6, ...whole.slice(-3)]]
    ) {
      for (const pieces of [[], [1]]) {
        const { code } = await faultOf(decodeSegments(cut(new Uint8Array(bytes), pieces)));
        assertEquals(code, "invalid_json");
      }
    }
  });

  it("throws a TypeError when its source gives no bytes", async () => {
    await assertRejects(() => readMessage(decodeSegments(["text"] as never)), TypeError);
    await assertRejects(() => readMessage(decodeTextBlocks([5] as never)), TypeError);
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

  it("throws the same error from the bytes and from the iteration when base64 is malformed", async () => {
    for (
      const [text, path] of [
        [list(IMAGE, '{"type":"voice","data":"AQ?D"}'), "$.message_segment.data[1].data"],
        [list('{"type":"file","data":{"base64":"A"}}'), "$.message_segment.data[0].data.base64"],
        [messageText("", '{"data":"AQ=A","type":"image"}'), "$.message_segment.data"],
        [image('"data:text/plain,AQID"'), "$.message_segment.data"],
      ] as const
    ) {
      const reader = open(text, [3]);
      let last: Seg | undefined;
      for (let index = 0; index < (text.includes("[1]") || text.includes("voice") ? 2 : 1); index++) {
        last = (await reader.next()).value ?? undefined;
      }
      const data = last?.type === "file" ? (last.data as { base64: unknown }).base64 : last?.data;
      assertInstanceOf(data, ReadableStream);
      const error = await assertRejects(() => readAll(data as ReadableStream), MessageDecodeError);
      assertEquals([error.code, error.path], ["invalid_shape", path]);
      assertStrictEquals(await assertRejects(() => reader.next()), error);
      assertStrictEquals(await assertRejects(() => reader.next()), error);
      assert(!JSON.stringify([error.message, error]).includes("AQ"));
    }
  });

  it("throws the error when bytes are passed over, too", async () => {
    const reader = open(list('{"type":"image","data":"????"}', IMAGE));
    await reader.next();
    assertEquals((await assertRejects(() => reader.next(), MessageDecodeError)).path, "$.message_segment.data[0].data");
  });

  it("resolves the envelope before the first segment is asked for when message_info comes first", async () => {
    const source = countedStream((index) =>
      encoder.encode(index === 0 ? '{"message_info":{"platform":"qq"},"message_segment":' : "{")
    );
    const reader = decodeSegments(source.stream);
    assertEquals(await reader.envelope, { message_info: { platform: "qq" } });
    assertEquals(source.pulls, 1);
    await reader.return();
  });

  it("adds the members behind the segments to the envelope", async () => {
    const reader = open(messageText("", IMAGE).replace(/}$/, ',"raw_message":"a","x":1}'));
    const envelope = await reader.envelope;
    assertEquals<unknown>(envelope, { message_info: { platform: "qq" } });
    for await (const _ of reader);
    assertEquals<unknown>(envelope, { message_info: { platform: "qq" }, raw_message: "a", x: 1 });
  });

  it("resolves the envelope at the end when message_info comes last", async () => {
    const reader = open(`{"message_segment":${IMAGE},"message_info":{"platform":"qq"}}`);
    const { envelope } = reader; // reads on as far as the segment, which is kept
    const { segments } = await readMessage(reader);
    assertEquals([segments.length, await envelope], [1, { message_info: { platform: "qq" } }]);
  });

  it("rejects the envelope with what ends the iteration, and nobody has to listen", async () => {
    const reader = open('{"message_info":{}');
    const error = await assertRejects(() => reader.envelope, MessageDecodeError);
    assertStrictEquals(await assertRejects(() => reader.next()), error);
    await faultOf(open("{"));
    const left = open(`{"message_segment":${IMAGE}}`);
    await left.next();
    await left.return();
    await assertRejects(() => left.envelope, Error);
  });

  it("reads its source as it is read itself", async () => {
    const group = encoder.encode("AAAA".repeat(1000));
    const source = countedStream((index) =>
      index === 0 ? encoder.encode(image('"').split("}")[0] + '},"message_segment":{"type":"image","data":"') : group
    );
    const reader = decodeSegments(source.stream);
    await Promise.resolve();
    assertEquals(source.pulls, 0);
    const { value } = await reader.next();
    const bytes = (value as Seg & { data: ReadableStream<Uint8Array> }).data.getReader();
    const before = source.pulls;
    for (let index = 0; index < 5; index++) assertEquals((await bytes.read()).value?.length, 3000);
    assertEquals(source.pulls, before + 5);
    await reader.return();
  });

  it("passes over the bytes nobody read when the next segment is asked for", async () => {
    const reader = open(list('{"type":"image","data":"AQIDBAUG","a":1}', IMAGE), [5]);
    const first = (await reader.next()).value as Seg;
    const bytes = (first.data as ReadableStream<Uint8Array>).getReader();
    await bytes.read();
    const second = (await reader.next()).value as Seg;
    await assertRejects(() => bytes.read(), Error, "next segment");
    assertEquals<unknown>(await filled(second), { type: "image", data: "bytes AQID" });
    assertStrictEquals(Reflect.get(first, "a"), 1);
    assert((await reader.next()).done);
  });

  it("goes on when the bytes of a segment are cancelled", async () => {
    const reader = open(list('{"type":"image","data":"AQIDBAUG"}', IMAGE), [5]);
    const first = (await reader.next()).value as Seg & { data: ReadableStream };
    await first.data.cancel();
    const second = (await reader.next()).value as Seg;
    assertEquals<unknown>(await filled(second), { type: "image", data: "bytes AQID" });
  });

  it("cancels its source and fails the open bytes when the loop is left", async () => {
    const text = encoder.encode(list(IMAGE, IMAGE));
    const source = countedStream((index) => text.slice(index * 9, index * 9 + 9));
    let data: unknown;
    for await (const segment of decodeSegments(source.stream)) {
      ({ data } = segment);
      break;
    }
    assertEquals([source.reasons.length, source.stream.locked], [1, false]);
    await assertRejects(() => readAll(data as ReadableStream), Error, "ended before");
  });

  it("cancels its source when the text breaks a rule", async () => {
    const source = countedStream(() => encoder.encode("{ 5"));
    const error = await faultOf(decodeSegments(source.stream));
    assertEquals(source.reasons, [error]);
  });

  it("ends the generator it reads when the loop is left", async () => {
    let isEnded = false;
    const chunks = (function* () {
      try {
        for (const char of list(IMAGE, IMAGE)) yield encoder.encode(char);
      } finally {
        isEnded = true;
      }
    })();
    for await (const _ of decodeSegments(chunks)) break;
    assert(isEnded);
  });

  it("ends a read that waits when the loop is left", async () => {
    const head = encoder.encode(image('"AQID').slice(0, -2));
    const reader = decodeSegments(new ReadableStream({ start: (controller) => controller.enqueue(head) }));
    const { data } = (await reader.next()).value as Seg & { data: ReadableStream<Uint8Array> };
    const bytes = data.getReader();
    await bytes.read();
    const waiting = assertRejects(() => bytes.read(), Error, "ended before");
    await reader.return();
    await waiting;
    assert((await reader.next()).done);
  });

  it("fails with the error of its source", async () => {
    const error = new Error("line down");
    const source = countedStream<Uint8Array>((index) => {
      if (index === 1) throw error;
      return encoder.encode(image('"AQID').slice(0, -2));
    });
    const reader = decodeSegments(source.stream);
    const { data } = (await reader.next()).value as Seg & { data: ReadableStream<Uint8Array> };
    assertStrictEquals(await assertRejects(() => readAll(data)), error);
    assertStrictEquals(await assertRejects(() => reader.next()), error);
  });

  for (const size of [1, 2, 3, 100_000]) {
    it(`gives bytes to a BYOB reader with a buffer of ${size}`, async () => {
      const bytes = crypto.getRandomValues(new Uint8Array(700));
      const { value } = await open(image(`"${bytes.toBase64()}"`), [100]).next();
      assertEquals(await readByob((value as Seg & { data: ReadableStream<Uint8Array> }).data, size), bytes);
    });
  }

  it("takes text of exactly maxBytes and no more", async () => {
    const text = list('{"type":"text","data":"漢😀"}');
    const { length } = encoder.encode(text);
    assertEquals((await readMessage(open(text, [5], { maxBytes: length }))).segments.length, 1);
    assertEquals((await readMessage(decodeTextBlocks(cut(text, [50]), { maxBytes: length }))).segments.length, 1);
    const found = [open(text, [5], { maxBytes: length - 1 }), decodeTextBlocks([text], { maxBytes: length - 1 })].map(
      faultOf,
    );
    for (const { code, path } of await Promise.all(found)) assertEquals([code, path], ["too_large", "$"]);
  });

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

  it("holds little of 64 MiB that come from encodeStream()", async () => {
    const chunk = crypto.getRandomValues(new Uint8Array(65_536));
    const source = countedStream((index) => index < 1024 ? chunk : null);
    const message = { message_info: { platform: "qq" }, message_segment: { type: "video", data: source.stream } };
    const { value } = await decodeSegments(encodeStream(message)).next();
    const [hash, expected] = [createHash("sha256"), createHash("sha256")];
    let most = 0;
    let bytes = 0;
    for await (const part of (value as Seg & { data: ReadableStream<Uint8Array> }).data) {
      hash.update(part);
      bytes += part.length;
      most = Math.max(most, source.pulls * chunk.length - bytes);
    }
    for (let index = 0; index < 1024; index++) expected.update(chunk);
    assertEquals([bytes, hash.digest("hex")], [2 ** 26, expected.digest("hex")]);
    assert(most < 300_000, `${most} bytes were held`);
  });
});

// ------------------------------------------------------------------------------------------ base64

const alphabet = fc.string({
  unit: fc.oneof({ weight: 8, arbitrary: fc.constantFrom("A", "b", "9", "+", "/") }, {
    weight: 2,
    arbitrary: fc.constantFrom("-", "_", " ", "\n", "=", "==", "?", "漢", "data:", ";base64,", "\u000b"),
  }),
  maxLength: 30,
});

function inPieces(text: string, pieces: readonly number[]): Uint8Array {
  const decoder = new Base64Decoder(() => new SyntaxError("not base64"));
  return concat([...cut(text, pieces).map((piece) => decoder.push(piece)), decoder.end()]);
}

function attempt(act: () => Uint8Array | null): string | undefined {
  try {
    return act()?.toHex();
  } catch (error) {
    assertInstanceOf(error, SyntaxError);
    return undefined;
  }
}

describe("Base64Decoder", () => {
  it("takes what decodeBase64() takes, cut anywhere, and gives the same", async () => {
    await check(5000, fc.tuple(alphabet, sizes), ([text, pieces]) => {
      assertStrictEquals(attempt(() => inPieces(text, pieces)), attempt(() => decodeBase64(text)));
    });
  });

  it("gives the bytes that were encoded", async () => {
    const options = fc.record({ alphabet: fc.constantFrom("base64", "base64url"), omitPadding: fc.boolean() });
    await check(1000, fc.tuple(fc.uint8Array({ maxLength: 60 }), options, sizes), ([bytes, options, pieces]) => {
      const text = bytes.toBase64(options as Parameters<Uint8Array["toBase64"]>[0]);
      assertEquals(inPieces(`data:image/png;base64,${text}`, pieces), bytes);
      assertEquals(decodeBase64(text), bytes);
    });
  });

  it("holds nothing of a flood of spaces or padding", () => {
    const decoder = new Base64Decoder(() => new SyntaxError("not base64"));
    const began = performance.now();
    decoder.push("AAA");
    for (let index = 0; index < 2000; index++) decoder.push(" ".repeat(1000));
    decoder.push("A==");
    for (let index = 0; index < 2000; index++) decoder.push("= ".repeat(500));
    decoder.end();
    assert(performance.now() - began < 5000);
  });
});

describe("segBytes()", () => {
  const bytes = new Uint8Array([251, 239, 190, 1]);
  for (
    const segment of [
      seg.image(bytes),
      seg.voice(bytes),
      seg.emoji(bytes),
      seg.of("video", "--++\nAQ"),
      seg.file({ base64: bytes }),
      seg.of("image", "data:image/png;base64,++++AQ=="),
      seg.of("image", bytes),
      seg.of("file", { base64: bytes }),
    ]
  ) {
    it(`gives the bytes of ${JSON.stringify(segment)}`, () => assertEquals(segBytes(segment), bytes));
  }

  for (
    const [segment, path] of [
      [seg.text("AQID"), "$.data"],
      [seg.of("emoji", "😀"), "$.data"],
      [seg.of("image", "SECRET?"), "$.data"],
      [seg.of("image"), "$.data"],
      [seg.of("file", "/tmp/SECRET"), "$.data"],
      [seg.of("file", { name: "a" }), "$.data"],
      [seg.of("file", { base64: "SECRET?" }), "$.data.base64"],
      [seg.of("file", { base64: null }), "$.data.base64"],
    ] as const
  ) {
    it(`throws invalid_shape at ${path} when it is given ${JSON.stringify(segment)}`, () => {
      const error = assertThrows(() => segBytes(segment), MessageDecodeError);
      assertEquals([error.code, error.path], ["invalid_shape", path]);
      assert(!`${error.message}${JSON.stringify(error)}`.includes("SECRET"));
    });
  }
});
