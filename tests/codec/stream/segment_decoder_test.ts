import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";

import { decodeSegments, encodeStream, MessageDecodeError } from "../../../codec.ts";
import type { Seg } from "../../../schema.ts";
import { countedStream, readAll, readByob } from "../../support/chunks.ts";
import { messageText } from "../../support/samples.ts";
import { encoder, faultOf, filled, IMAGE, image, list, open, readMessage } from "../../support/segments.ts";

describe("decodeSegments()", () => {
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
