import { assert, assertEquals, assertGreater, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient, MessageEncodeError, plainText, seg, type SendProgress } from "../../../mod.ts";
import { MAX_CHUNK_FRAME_BYTES, MAX_CHUNK_LENGTH } from "../../../session/transfer/frames.ts";
import { noise, textMessage } from "../../support/messages.ts";
import { chunksOf } from "../../support/peers/chunk_peer.ts";
import { soon } from "../../support/peers/inbox.ts";
import { Heard } from "../../support/peers/listen.ts";
import { RawServer } from "../../support/peers/raw.ts";
import { base64Of, messageOf, readSegments, silentSource, sourceOf } from "../../support/streams.ts";
import { both, byHand, codeOf, errorOf, type Options, pairOf } from "../../support/transfers.ts";

describe("sendStream() on the wire", () => {
  it("ends with the server's close frame, though the other side never answers that", async () => {
    await using hand = await byHand("server to client", { closeTimeout: 3_600_000 });
    const source = silentSource();
    const code = codeOf(errorOf(hand.stream(messageOf({ type: "video", data: source.stream }))));
    assertEquals((await hand.chunks.next()).op, "open");
    for (const peer of hand.server!.peers) peer.close(1000, "enough");
    assertEquals(await code, "closed");
    await soon(source.cancelled);
  });

  both("sends no piece before it is granted, and no more than are", async (way) => {
    await using hand = await byHand(way);
    const { chunks } = hand;
    const bytes = noise(MAX_CHUNK_LENGTH * 3);
    const sent = hand.stream(messageOf({ type: "image", data: bytes }));
    const open = await chunks.next();
    assertEquals([open.op, open.id, open.flow], ["open", 1, true]);
    hand.send(textMessage("first"));
    assertStringIncludes(await chunks.nextText(), "first"); // and no piece before it
    let text = "";
    let [n, granted] = [0, 0];
    for (const more of [1, 2, 100]) {
      granted += more;
      chunks.say({ op: "grant", id: 1, n: granted });
      for (; n < Math.min(granted, Math.ceil((open.length ?? 0) / MAX_CHUNK_LENGTH)); n++) {
        const frame = await chunks.next();
        assertEquals([frame.op, frame.id, frame.n], ["data", 1, n]);
        text += frame.data;
      }
    }
    const end = await chunks.next();
    assertEquals(end, { ...chunksOf(1, text)[2], n });
    assertEquals(open.length, text.length);
    assertEquals(JSON.parse(text).message_segment.data[0].data, bytes.toBase64());
    chunks.say({ op: "done", id: 1 });
    await soon(sent);
  });

  both("fills its pieces, however small the chunks of the source", async (way) => {
    await using hand = await byHand(way);
    const sent = hand.stream(messageOf({ type: "video", data: sourceOf(noise(1000), 200).stream }));
    hand.chunks.say({ op: "grant", id: 1, n: 100 });
    const lengths: number[] = [];
    for (let frame = await hand.chunks.next(); frame.op !== "end"; frame = await hand.chunks.next()) {
      if (frame.op === "data") lengths.push(frame.data?.length ?? 0);
    }
    assertEquals(lengths.length, Math.ceil((200_000 / 3 * 4 + 300) / MAX_CHUNK_LENGTH));
    for (const length of lengths.slice(0, -1)) assertGreater(length, MAX_CHUNK_LENGTH - 4);
    hand.chunks.say({ op: "done", id: 1 });
    await soon(sent);
  });

  both("sends what there is of a source that is slow", async (way) => {
    await using hand = await byHand(way);
    const more = Promise.withResolvers<void>();
    let chunks = 0;
    const data = new ReadableStream({
      async pull(controller) {
        if (chunks++ === 1) await more.promise;
        if (chunks <= 2) controller.enqueue(noise(999));
        else controller.close();
      },
    }, { highWaterMark: 0 });
    const sent = hand.stream(messageOf({ type: "voice", data }));
    hand.chunks.say({ op: "grant", id: 1, n: 100 });
    const early = await hand.chunks.nextOf("data");
    assertGreater(early.data?.length ?? 0, 999 / 3 * 4);
    more.resolve();
    const late = await hand.chunks.nextOf("data");
    const text = `${early.data}${late.data}`;
    assertEquals(
      JSON.parse(text).message_segment.data[0].data,
      base64Of(noise(999), noise(999)),
    );
    assertEquals((await hand.chunks.next()).op, "end");
    hand.chunks.say({ op: "done", id: 1 });
    await soon(sent);
  });

  both("reads its source no faster than the line takes it, whatever is granted", async (way) => {
    await using hand = await byHand(way, { chunks: { timeout: 300 } });
    const source = sourceOf(noise(MAX_CHUNK_LENGTH / 4 * 3));
    const error = errorOf(hand.stream(messageOf({ type: "video", data: source.stream })));
    await hand.chunks.next();
    hand.chunks.say({ op: "grant", id: 1, n: 1_000_000 });
    await hand.chunks.nextOf("data");
    hand.chunks.raw.pause();
    // The kernels on both ends take some megabytes; then nothing moves, and that is what ends it.
    assertEquals(await codeOf(error), "timeout");
    assertLess(source.taken * MAX_CHUNK_LENGTH, 32_000_000);
    await soon(source.cancelled);
    hand.chunks.raw.resume();
    await hand.chunks.nextOf("abort");
  });

  both("says abort when it is given up, and nothing after it", async (way) => {
    await using hand = await byHand(way);
    const abort = new AbortController();
    const error = errorOf(hand.stream(messageOf({ type: "video", data: noise(500_000) }), { signal: abort.signal }));
    await hand.chunks.next();
    hand.chunks.say({ op: "grant", id: 1, n: 1 });
    await hand.chunks.nextOf("data");
    abort.abort();
    await soon(error);
    assertEquals(await hand.chunks.next(), { op: "abort", id: 1 });
    hand.chunks.say({ op: "grant", id: 1, n: 9 }, { op: "done", id: 1 }, { op: "refuse", id: 1, reason: "timeout" });
    hand.send(textMessage("after"));
    assertStringIncludes(await hand.chunks.nextText(), "after");
    await assertRejects(() => hand.invalid.next(undefined, { timeoutMs: 1 }));
  });

  const REFUSALS = {
    too_large: "too_large",
    too_many: "queue_full",
    timeout: "timeout",
    invalid: "refused",
    cancelled: "refused",
    "what a later version says": "refused",
  };
  for (const [reason, code] of Object.entries(REFUSALS)) {
    both(`rejects ${code} for the refusal "${reason}"`, async (way) => {
      await using hand = await byHand(way);
      const source = sourceOf(noise(1000));
      const error = errorOf(hand.stream(messageOf({ type: "video", data: source.stream })));
      await hand.chunks.next();
      hand.chunks.say({ op: "refuse", id: 1, reason, limit: 12_345 });
      assertEquals(await codeOf(error), code);
      assertStringIncludes((await error as Error).message, "12345 bytes");
      await soon(source.cancelled);
      hand.send(textMessage("after"));
      assertStringIncludes(await hand.chunks.nextText(), "after"); // no abort: the other side knows
    });
  }

  for (const frame of [{ op: "grant", n: 1 }, { op: "done" }, { op: "refuse", reason: "timeout" }]) {
    for (const id of [0, 1]) {
      both(`takes "${frame.op}" of transfer ${id}, which never was, for invalid`, async (way) => {
        await using hand = await byHand(way);
        hand.chunks.say({ ...frame, id });
        const [{ code, path }] = await hand.invalid.next();
        assertEquals([code, path], ["invalid_shape", "$.content.id"]);
        hand.send(textMessage("after"));
        assertStringIncludes(await hand.chunks.nextText(), "after");
      });
    }
  }
});

describe("sendStream() to a side that takes no chunks", () => {
  const WITHOUT: readonly [name: string, options: Options, features: readonly string[] | null][] = [
    ["as nothing was agreed on", {}, null],
    ["as the other side does not know them", {}, ["ping"]],
    ["as this side has chunks: false", { chunks: false }, ["chunks", "ping"]],
    ["as this side's maxBytes has no room for their frames", { decode: { maxBytes: MAX_CHUNK_FRAME_BYTES - 1 } }, [
      "chunks",
      "ping",
    ]],
  ];
  for (const [name, options, features] of WITHOUT) {
    both(`sends one ordinary frame, ${name}`, async (way) => {
      if (way === "server to client" && features === null) features; // a hello without features is none either
      await using hand = await byHand(way, options, features ?? (way === "server to client" ? [] : null));
      const message = messageOf(seg.text("图"), { type: "image", data: sourceOf(noise(100_000), 2).stream });
      const told: SendProgress[] = [];
      await soon(hand.stream(message, { onProgress: (at) => told.push(at) }));
      const text = await hand.chunks.raw.message();
      assertEquals([told.at(-1)?.total, told.every(({ sent }, index) => sent > (told[index - 1]?.sent ?? 0))], [
        null,
        true,
      ]);
      assertLess(base64Of(noise(100_000), noise(100_000)).length, told.at(-1)?.sent ?? 0);
      const got = JSON.parse(text?.text ?? "null");
      assertEquals(got.message_info, message.message_info);
      assertEquals(got.message_segment.data, [
        seg.text("图"),
        { type: "image", data: base64Of(noise(100_000), noise(100_000)) },
      ]);
      hand.chunks.say({ op: "open", id: 1, flow: true });
      const [{ path }] = await hand.invalid.next();
      assertEquals(path, "$.message_type_name");
    });
  }

  it("asks for no chunks with chunks: false", async () => {
    await using raw = await RawServer.listen();
    await using client = new MessageClient(raw.url, { platform: "qq", reconnect: false, chunks: false });
    const connected = errorOf(client.connect());
    const peer = await raw.next();
    assertEquals(peer.header("maim-hello"), "1; ping");
    peer.destroy();
    await soon(connected);
  });

  both("rejects too_large before anything is read when the size is known", async (way) => {
    await using hand = await byHand(way, {}, ["ping"]);
    const mebibyte = noise(2 ** 20);
    const source = silentSource();
    const data = new Blob(Array.from({ length: 76 }, () => mebibyte));
    Object.defineProperty(data, "stream", { value: () => assert(false, "It was read") });
    const both = errorOf(hand.stream(messageOf({ type: "video", data })));
    const error = await soon(both);
    assert(error instanceof MessageEncodeError);
    assertEquals(error.code, "too_large");
    assertStringIncludes(error.message, "104857600 bytes");
    // A stream beside it is not waited for to no end: it is released when the signal says so.
    const abort = new AbortController();
    const waiting = errorOf(hand.stream(messageOf({ type: "video", data: source.stream }), { signal: abort.signal }));
    abort.abort();
    assertEquals(await soon(waiting), abort.signal.reason);
    await soon(source.cancelled);
    hand.send(textMessage("after"));
    assertStringIncludes((await hand.chunks.raw.message())?.text ?? "", "after");
  });

  it("rejects too_large as soon as a stream has given too much, and cancels it", async () => {
    await using hand = await byHand("client to server", {}, null);
    const source = sourceOf(noise(3 * 2 ** 20));
    const error = await soon(errorOf(hand.stream(messageOf({ type: "video", data: source.stream }))));
    assert(error instanceof MessageEncodeError);
    assertEquals([error.code, source.taken], ["too_large", 26]);
    await soon(source.cancelled);
    hand.send(textMessage("after"));
    assertStringIncludes((await hand.chunks.raw.message())?.text ?? "", "after");
  });

  both("gives it up when onProgress throws", async (way) => {
    await using hand = await byHand(way, {}, ["ping"]);
    const source = sourceOf(noise(100_000));
    const onProgress = () => {
      throw new RangeError("enough");
    };
    const error = await soon(errorOf(hand.stream(messageOf({ type: "video", data: source.stream }), { onProgress })));
    assertEquals((error as Error).message, "enough");
    await soon(source.cancelled);
  });

  both("cancels the source when the signal was aborted before", async (way) => {
    await using hand = await byHand(way, {}, ["ping"]);
    const source = sourceOf(noise(10));
    const signal = AbortSignal.abort();
    const error = errorOf(hand.stream(messageOf({ type: "video", data: source.stream }), { signal }));
    assertEquals(await soon(error), signal.reason);
    await soon(source.cancelled);
  });
});

describe("send() of a message that is too large for one frame", () => {
  const large = () => textMessage(`大${"x".repeat(2 ** 24)}`);

  both("goes in pieces and arrives as a message, in order with others", async (way) => {
    await using pair = await pairOf(way);
    const [messages, streams] = [pair.receiver.messages(), pair.receiver.streams()];
    for (const message of [textMessage("before"), large(), textMessage("after")]) pair.send(message);
    const texts: string[] = [];
    for (let count = 0; count < 3; count++) {
      const [got] = await messages.next(undefined, { timeoutMs: 20_000 });
      texts.push(plainText(got).slice(0, 8));
    }
    assertEquals(texts, ["before", "大xxxxxxx", "after"]);
    await assertRejects(() => streams.next(undefined, { timeoutMs: 1 })); // its sender has it in memory anyway
  });

  both("is a drop with too_large where the other side has no room for it", async (way) => {
    await using pair = await pairOf(way, { receiver: { decode: { maxBytes: 200_000 } } });
    const messages = pair.receiver.messages();
    const drops = new Heard<[unknown, string]>((handler) => {
      pair.client.on("drop", ({ message, reason }) => handler(message, reason));
      pair.server.on("drop", ({ message, reason }) => handler(message, reason));
    });
    const message = large();
    pair.send(message);
    pair.send(textMessage("after"));
    const [dropped, reason] = await drops.next(undefined, { timeoutMs: 20_000 });
    assert(dropped === message);
    assertEquals(reason, "too_large");
    assertEquals(plainText((await messages.next(undefined, { timeoutMs: 20_000 }))[0]), "after");
    const dropCount = way === "client to server" ? pair.client.stats.dropped : pair.server.stats().dropped;
    assertEquals([dropCount, pair.receiver.stats().received, pair.receiver.stats().invalid], [1, 1, 0]);
    await pair.roundTrip();
  });

  both("passes while as many are streamed as may be", async (way) => {
    await using pair = await pairOf(way, { receiver: { chunks: { transfers: 1 } } });
    const [messages, streams] = [pair.receiver.messages(), pair.receiver.streams()];
    const sent = pair.stream(messageOf({ type: "video", data: noise(1_000_000) }));
    const [, segments] = await streams.next();
    pair.send(large());
    assertEquals(plainText((await messages.next(undefined, { timeoutMs: 20_000 }))[0]).slice(0, 2), "大x");
    await soon(readSegments(segments));
    await soon(sent);
  });

  both("is said to be uncertain, not too large, when it is refused for another reason", async (way) => {
    await using hand = await byHand(way);
    const drops = new Heard<[string]>((handler) => {
      hand.client?.on("drop", ({ reason }) => handler(reason));
      hand.server?.on("drop", ({ reason }) => handler(reason));
    });
    hand.send(large());
    assertEquals((await hand.chunks.next({ timeoutMs: 20_000 })).flow, false);
    hand.chunks.say({ op: "refuse", id: 1, reason: "timeout" });
    const reason = way === "client to server" ? "unconfirmed" : "slow";
    assertEquals(await drops.next(undefined, { timeoutMs: 20_000 }), [reason]);
  });
});
