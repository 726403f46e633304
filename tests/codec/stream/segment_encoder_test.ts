import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { createHash } from "node:crypto";

import {
  type BinarySeg,
  encodeMessage,
  encodeStream,
  MessageEncodeError,
  SegmentEncoderStream,
} from "../../../codec.ts";
import { createMessage, type MessageBase, type Seg, seg } from "../../../schema.ts";
import {
  asciiJson,
  byteMessages,
  countedStream,
  cut,
  expectedText,
  readAll,
  readByob,
  replaceBytes,
  sizes,
  streamOf,
} from "../../support/chunks.ts";
import { wrong } from "../../support/samples.ts";

const INFO = { platform: "qq", user_info: { user_id: "1", user_nickname: "张三" } };
const decoder = new TextDecoder();
const binary = (type: string, data: unknown): Seg => ({ type, data });

function messageOf(...segs: Seg[]): MessageBase {
  return { message_info: INFO, message_segment: { type: "seglist", data: segs } };
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return decoder.decode(await readAll(stream));
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

function check<T>(numRuns: number, arbitrary: fc.Arbitrary<T>, predicate: (value: T) => Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, predicate), { numRuns });
}

/** Puts a source of some kind in the place of bytes. */
function asSources(message: unknown, kinds: readonly string[], pieces: readonly number[]): MessageBase {
  let count = 0;
  return replaceBytes(message, (bytes) => {
    const kind = kinds[count++ % kinds.length];
    if (kind === "blob") return new Blob(cut(bytes, pieces) as Uint8Array<ArrayBuffer>[]);
    return kind === "stream" ? streamOf(cut(bytes, pieces)) : bytes;
  }) as MessageBase; // valid by construction
}

const kinds = fc.array(fc.constantFrom("array", "blob", "stream"), { minLength: 1, maxLength: 4 });

describe("encodeStream()", () => {
  it("gives what encodeMessage() gives whatever the sources, and however they are cut", async () => {
    await check(600, fc.tuple(byteMessages, kinds, sizes), async ([message, sources, pieces]) => {
      const text = await textOf(encodeStream(asSources(message, sources, pieces)));
      assertStrictEquals(text, expectedText(message));
      assertStrictEquals(text, encodeMessage(asSources(message, ["array"], [])));
    });
  });

  for (const size of [1, 2, 3, 5, 4096, 1_000_000]) {
    it(`gives the same to a BYOB reader with a buffer of ${size}`, async () => {
      await check(60, fc.tuple(byteMessages, kinds, sizes), async ([message, sources, pieces]) => {
        const bytes = await readByob(encodeStream(asSources(message, sources, pieces)), size);
        assertStrictEquals(decoder.decode(bytes), expectedText(message));
      });
    });
  }

  it("gives the same when text and bytes are longer than any piece", async () => {
    const data = crypto.getRandomValues(new Uint8Array(65_535)).toBase64();
    const bytes = Uint8Array.fromBase64(data.repeat(20));
    const message = messageOf(seg.text(`a${"😀é漢".repeat(100_000)}`), binary("image", bytes));
    const plain = messageOf(seg.text(`a${"😀é漢".repeat(100_000)}`));
    const streams = replaceBytes(message, (whole) => streamOf(cut(whole, [70_000, 1, 200_000]))) as MessageBase;
    assertStrictEquals(await textOf(encodeStream(message)), expectedText(message));
    assertStrictEquals(await textOf(encodeStream(streams)), expectedText(message));
    assertStrictEquals(decoder.decode(await readByob(encodeStream(plain), 1_000_003)), expectedText(plain));
  });

  it("keeps a text that holds what would mark a binary", async () => {
    const random = Math.random;
    const drawn = [0.5, 0.25];
    Math.random = () => drawn.shift() ?? random();
    try {
      const message = messageOf(seg.text(`maim:${(0.5).toString(36).slice(2)}`), binary("image", new Uint8Array(2)));
      assertStrictEquals(await textOf(encodeStream(message)), expectedText(message));
      assertEquals(drawn, []);
    } finally {
      Math.random = random;
    }
  });

  it("reads a source as it is read itself", async () => {
    const source = countedStream(() => new Uint8Array(30_000));
    const reader = encodeStream(messageOf(binary("video", source.stream))).getReader();
    await Promise.resolve();
    assertEquals(source.pulls, 0);
    await reader.read();
    const before = source.pulls;
    for (let index = 0; index < 10; index++) await reader.read();
    assert(before <= 1 && source.pulls <= before + 10);
    await reader.cancel();
  });

  it("gives what it has when a source is slow", async () => {
    const waiting = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(300)) });
    const reader = encodeStream(messageOf(binary("video", waiting))).getReader({ mode: "byob" });
    const { value: head } = await reader.read(new Uint8Array(10_000));
    const { value: data } = await reader.read(new Uint8Array(10_000));
    assert(head !== undefined && decoder.decode(head).endsWith('"data":"'));
    assertEquals(data?.length, 400);
    await reader.cancel();
  });

  it("cancels every source when it is cancelled", async () => {
    const sources = [countedStream(() => new Uint8Array(5)), countedStream(() => new Uint8Array(5))];
    const stream = encodeStream(messageOf(...sources.map(({ stream }) => binary("image", stream))));
    const reader = stream.getReader();
    for (let index = 0; index < 3; index++) await reader.read();
    await reader.cancel("enough");
    assertEquals(sources.map(({ reasons }) => reasons), [["enough"], ["enough"]]);
    assertEquals(sources.map(({ stream }) => stream.locked), [false, false]);
  });

  it("fails with the error of a source, and cancels the others", async () => {
    const error = new Error("disk on fire");
    const broken = countedStream<Uint8Array>((index) => {
      if (index === 2) throw error;
      return new Uint8Array(7);
    });
    const other = countedStream(() => new Uint8Array(7));
    const stream = encodeStream(messageOf(binary("image", broken.stream), binary("image", other.stream)));
    assertStrictEquals(await assertRejects(() => readAll(stream)), error);
    assertEquals(other.reasons, [error]);
  });

  it("fails with invalid_shape at its path when a source gives no bytes", async () => {
    const source = countedStream(() => "text");
    const file = { type: "file", data: { name: "a", base64: source.stream } };
    const error = await assertRejects(() => readAll(encodeStream(messageOf(seg.text("a"), file))), MessageEncodeError);
    assertEquals([error.code, error.path, error.expected, error.received], [
      "invalid_shape",
      "$.message_segment.data[1].data.base64",
      "bytes",
      "string",
    ]);
    assertEquals(source.reasons, [error]);
  });

  it("throws a TypeError when a stream is locked or there twice", () => {
    const locked = streamOf([new Uint8Array(1)]);
    locked.getReader();
    assertThrows(() => encodeStream(messageOf(binary("image", locked))), TypeError);
    const twice = binary("image", streamOf([new Uint8Array(1)]));
    assertThrows(() => encodeStream(messageOf(twice, twice)), TypeError);
    assert(!(twice.data as ReadableStream).locked);
  });

  for (const kind of ["array", "blob", "stream"]) {
    const message = messageOf(seg.text("漢"), binary("image", new Uint8Array(1000)));
    const { length } = expectedText(message);
    it(`passes when ${kind} takes exactly maxBytes`, async () => {
      const stream = encodeStream(asSources(message, [kind], [100]), { maxBytes: length });
      assertEquals((await readAll(stream)).length, length);
    });
    it(`fails with too_large when ${kind} takes a byte more than maxBytes`, async () => {
      const stream = encodeStream(asSources(message, [kind], [100]), { maxBytes: length - 1 });
      const { code, path } = await assertRejects(() => readAll(stream), MessageEncodeError);
      assertEquals([code, path], ["too_large", "$"]);
    });
  }

  it("fails before its first byte when it is known to be too large", async () => {
    const stream = encodeStream(messageOf(binary("image", new Blob(["x".repeat(1000)]))), { maxBytes: 500 });
    await assertRejects(() => stream.getReader().read(), MessageEncodeError);
  });

  /** What encodeMessage() refuses, with the same code and path. */
  const REFUSED: readonly (readonly [what: string, message: unknown])[] = [
    ["it is no message", 5],
    ["it has no platform", { message_info: {}, message_segment: seg.text("a") }],
    ["a text is bytes", messageOf(seg.text("a"), { type: "reply", data: new Uint8Array(1) })],
    ["an image is a number", messageOf({ type: "image", data: 5 })],
    ["bytes stand where no base64 belongs", { ...messageOf(), extra: new Uint8Array(1) }],
    ["a value is a bigint", { ...messageOf(), extra: 5n }],
    ["free data nests too deep", { ...messageOf(), extra: JSON.parse("[".repeat(600) + "]".repeat(600)) }],
    ["lists nest too deep", messageOf(JSON.parse('{"type":"seglist","data":['.repeat(33) + "]}".repeat(33)))],
    ["raw_message is a number beside bytes", { ...messageOf(binary("image", new Uint8Array(1))), raw_message: 5 }],
  ];
  for (const [what, message] of REFUSED) {
    it(`throws what encodeMessage() throws when ${what}`, () => {
      const { code, path } = assertThrows(() => encodeStream(wrong(message)), MessageEncodeError);
      const plain = what.includes("beside bytes") ? { ...messageOf(), raw_message: 5 } : message;
      const other = assertThrows(() => encodeMessage(wrong(plain)), MessageEncodeError);
      assertEquals([code, path], [other.code, other.path]);
    });
  }

  it("nests as deep as maxDepth says", async () => {
    const lists = (levels: number): Seg =>
      levels === 0 ? binary("image", new Uint8Array(3)) : seg.of("seglist", [lists(levels - 1)]);
    const message = (levels: number) => ({ message_info: INFO, message_segment: lists(levels) });
    assertStrictEquals(
      await textOf(encodeStream(message(40), { maxDepth: 40 })),
      asciiJson(JSON.stringify(
        replaceBytes(message(40), (bytes) => bytes.toBase64()),
      )),
    );
    const { code } = assertThrows(() => encodeStream(message(3), { maxDepth: 2 }), MessageEncodeError);
    assertEquals(code, "too_deep");
  });

  it("throws when bytes were taken away before they were read", async () => {
    const bytes = new Uint8Array(10);
    const stream = encodeStream(messageOf(binary("image", bytes)));
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    await assertRejects(() => readAll(stream), TypeError);
  });

  it("holds little of 64 MiB", async () => {
    const chunk = crypto.getRandomValues(new Uint8Array(65_536));
    const source = countedStream((index) => index < 1024 ? chunk : null);
    const reader = encodeStream(messageOf(binary("video", source.stream))).getReader();
    const hash = createHash("sha256");
    let most = 0;
    let bytes = 0;
    for (let result = await reader.read(); !result.done; result = await reader.read()) {
      hash.update(result.value);
      bytes += result.value.length;
      most = Math.max(most, source.pulls * chunk.length * 4 / 3 - bytes);
    }
    const [head, tail] = expectedText(messageOf(binary("video", new Uint8Array()))).split('""');
    const expected = createHash("sha256").update(`${head}"`);
    for (let index = 0; index < 1024; index += 3) {
      expected.update(
        Uint8Array.from({ length: 3 * chunk.length }, (_, at) => chunk[at % chunk.length] ?? 0)
          .subarray(0, Math.min(3, 1024 - index) * chunk.length).toBase64(),
      );
    }
    assertEquals(hash.digest("hex"), expected.update(`"${tail}`).digest("hex"));
    assert(most < 400_000, `${most} bytes were held`);
  });
});

describe("SegmentEncoderStream", () => {
  const envelope = { message_info: INFO, raw_message: "漢" };
  const through = (segments: ReadableStream<Seg | BinarySeg>, options = {}) =>
    segments.pipeThrough(new SegmentEncoderStream(envelope, options));

  it("writes what encodeMessage() writes of the same members, in ASCII", async () => {
    await check(300, fc.tuple(byteMessages, kinds, sizes), async ([message, sources, pieces]) => {
      const { message_segment, ...around } = message;
      const { type, data } = message_segment as Seg;
      const segs = type === "seglist" ? data as Seg[] : [message_segment as Seg];
      const whole = { ...around, message_segment: { type: "seglist", data: segs } };
      const { message_segment: { data: given } } = asSources(whole, sources, pieces);
      const { message_info, ...rest } = around;
      const stream = streamOf(given as Seg[]).pipeThrough(
        new SegmentEncoderStream({ message_info: message_info as MessageBase["message_info"], ...rest }),
      );
      assertStrictEquals(await joined(stream), asciiJson(expectedText(whole)));
    });
  });

  it("writes an empty list when no segment is written", async () => {
    assertStrictEquals(
      await joined(through(streamOf<Seg>([]))),
      asciiJson(JSON.stringify({ ...envelope, message_segment: { type: "seglist", data: [] } })),
    );
  });

  it("takes a segment and its bytes only when it is read", async () => {
    const source = countedStream(() => new Uint8Array(300_000));
    const segments = countedStream(() => binary("image", source.stream));
    const reader = through(segments.stream).getReader();
    for (let index = 0; index < 4; index++) await reader.read();
    assert(source.pulls <= 3 && segments.pulls <= 2, `${source.pulls} ${segments.pulls}`);
    await reader.cancel("enough");
    assertEquals(source.reasons, ["enough"]);
    assertEquals(segments.reasons, ["enough"]);
  });

  it("fails on both sides with the path of the segment when it breaks a rule", async () => {
    const stream = new SegmentEncoderStream(envelope);
    const writer = stream.writable.getWriter();
    const written = Promise.allSettled([writer.write(seg.text("a")), writer.write(wrong({ type: "text", data: 5 }))]);
    const error = await assertRejects(() => joined(stream.readable), MessageEncodeError);
    assertEquals([error.code, error.path], ["invalid_shape", "$.message_segment.data[1].data"]);
    assertStrictEquals(await assertRejects(() => writer.closed), error);
    await written;
  });

  it("names the path of the segment when a source in a nested list gives no bytes", async () => {
    const nested = seg.of("seglist", [seg.text("a"), binary("image", countedStream(() => "text").stream)]);
    const error = await assertRejects(() => joined(through(streamOf([seg.text("a"), nested]))), MessageEncodeError);
    assertEquals(error.path, "$.message_segment.data[1].data[1].data");
  });

  it("fails with the reason and cancels the source when the writer aborts in the middle of a segment", async () => {
    const source = countedStream(() => new Uint8Array(300_000));
    const stream = new SegmentEncoderStream(envelope);
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    void writer.write(binary("image", source.stream)).catch(() => {});
    for (let index = 0; index < 2; index++) await reader.read();
    const reason = new Error("changed my mind");
    await writer.abort(reason);
    assertStrictEquals(await assertRejects(() => reader.closed), reason);
    assertEquals(source.reasons, [reason]);
  });

  it("throws when the envelope breaks a rule", () => {
    const error = assertThrows(() => new SegmentEncoderStream(wrong({ message_info: {} })), MessageEncodeError);
    assertEquals(error.path, "$.message_info.platform");
  });

  it("counts maxBytes over all segments", async () => {
    const segs = [seg.text("a"), binary("image", new Uint8Array(50)), binary("image", new Uint8Array(50))];
    const { length } = asciiJson(expectedText({ ...envelope, message_segment: { type: "seglist", data: segs } }));
    assertEquals((await joined(through(streamOf(segs), { maxBytes: length }))).length, length);
    const error = await assertRejects(() => joined(through(streamOf(segs), { maxBytes: length - 1 })));
    assertInstanceOf(error, MessageEncodeError);
    assertEquals(error.code, "too_large");
  });

  it("counts the list itself among maxDepth", async () => {
    const nested = seg.of("seglist", [seg.of("seglist", [])]);
    assert((await joined(through(streamOf([nested]), { maxDepth: 3 }))).length > 0);
    const error = await assertRejects(() => joined(through(streamOf([nested]), { maxDepth: 2 })), MessageEncodeError);
    assertEquals([error.code, error.path], ["too_deep", "$.message_segment.data[0].data[0].data"]);
  });

  it("leaves out what encodeMessage() leaves out", async () => {
    const info = { ...INFO, time: null, group_info: null };
    const message = createMessage({ platform: "qq", user: "1" }, seg.text("a"));
    const stream = streamOf([seg.text("a")]).pipeThrough(new SegmentEncoderStream({ message_info: info }));
    assertStrictEquals(await joined(stream), asciiJson(encodeMessage({ ...message, message_info: INFO })));
  });
});
