import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { describe } from "@std/testing/bdd";

import { plainText, seg, type SendProgress } from "../../../mod.ts";
import { GRANT_WINDOW, MAX_CHUNK_LENGTH } from "../../../session/transfer/frames.ts";
import { noise, textMessage } from "../../support/messages.ts";
import { soon } from "../../support/peers/inbox.ts";
import { base64Of, firstBytes, messageOf, readSegments, sourceOf } from "../../support/streams.ts";
import { both, codeOf, errorOf, pairOf, passes } from "../../support/transfers.ts";

describe("sendStream()", () => {
  both("brings segments of every kind in order, piece by piece", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const [bytes, blob, stream, file] = [noise(200_000), noise(70_001, 2), noise(50_000, 3), noise(99_999, 4)];
    const message = messageOf(
      seg.text('请看：𠮷 \\ "引号" \u0000'),
      { type: "image", data: bytes },
      { type: "voice", data: new Blob([blob]) },
      seg.reply("m1"),
      { type: "video", data: sourceOf(stream, 3).stream },
      { type: "file", data: { name: "表.bin", size: 99_999, base64: new Blob([file]).stream() } },
      { type: "image", data: new Uint8Array() },
      { type: "dict", data: { 键: [1, null, { a: "b" }] } },
    );
    message.raw_message = "末尾";
    const sent = pair.stream(message);
    const [envelope, segments] = await streams.next();
    assertEquals(envelope.message_info, message.message_info);
    assertEquals<unknown[]>(await soon(readSegments(segments)), [
      seg.text('请看：𠮷 \\ "引号" \u0000'),
      { type: "image", data: base64Of(bytes) },
      { type: "voice", data: base64Of(blob) },
      seg.reply("m1"),
      { type: "video", data: base64Of(stream, stream, stream) },
      { type: "file", data: { name: "表.bin", size: 99_999, base64: base64Of(file) } },
      { type: "image", data: "" },
      { type: "dict", data: { 键: [1, null, { a: "b" }] } },
    ]);
    assertEquals(envelope.raw_message, "末尾"); // it stands behind the segments
    await soon(sent);
    const { received, invalid } = pair.receiver.stats();
    assertEquals([received, invalid], [1, 0]);
  });

  both("arrives as an ordinary message where nobody listens to 'stream'", async (way) => {
    await using pair = await pairOf(way);
    const messages = pair.receiver.messages();
    const bytes = noise(300_000);
    const message = messageOf(seg.text("图：中文"), { type: "image", data: sourceOf(bytes, 1).stream });
    await soon(pair.stream(message));
    const [got] = await messages.next();
    assertEquals(got.message_info, message.message_info);
    assertEquals<unknown>(got.message_segment.data, [
      seg.text("图：中文"),
      { type: "image", data: bytes.toBase64() },
    ]);
  });

  both("brings a message without binaries, and one whose segments stand before its info", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const { message_info, message_segment } = textMessage("只有文字");
    const sent = pair.stream({ message_segment, message_info });
    const [envelope, segments] = await streams.next();
    assertEquals(envelope.message_info, message_info);
    assertEquals(await soon(readSegments(segments)), [seg.text("只有文字")]);
    await soon(sent);
  });

  both("goes no faster than the other side reads", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const bytes = noise(MAX_CHUNK_LENGTH / 4 * 3 * 20);
    const full = Promise.withResolvers<void>();
    let pieces = 0;
    const onProgress = () => void (++pieces === GRANT_WINDOW + 1 && full.resolve());
    const sent = pair.stream(messageOf({ type: "video", data: bytes }), { onProgress });
    const [, segments] = await streams.next();
    // One was read for the envelope.
    await soon(full.promise);
    for (let trip = 0; trip < 5; trip++) await pair.roundTrip();
    assertEquals(pieces, GRANT_WINDOW + 1);
    const reader = (await firstBytes(segments)).getReader();
    await soon(reader.read());
    for (let trip = 0; trip < 5; trip++) await pair.roundTrip();
    assertLess(pieces, GRANT_WINDOW + 4);
    const rest: Uint8Array[] = [];
    for (let next = await soon(reader.read()); !next.done; next = await soon(reader.read())) rest.push(next.value);
    assertEquals((await soon(segments.next())).done, true);
    await soon(sent);
    assertEquals(pieces, Math.ceil((bytes.length / 3 * 4 + 300) / MAX_CHUNK_LENGTH));
    assertEquals(rest.at(-1)?.at(-1), bytes.at(-1));
  });

  both("lets small messages pass between its pieces", async (way) => {
    await using pair = await pairOf(way);
    const [streams, messages] = [pair.receiver.streams(), pair.receiver.messages()];
    const sent = pair.stream(messageOf({ type: "video", data: noise(2_000_000) }));
    const [, segments] = await streams.next();
    const reader = (await firstBytes(segments)).getReader();
    for (const text of ["一", "二", "三"]) {
      pair.send(textMessage(text));
      assertEquals(plainText((await messages.next())[0]), text);
      assertEquals((await soon(reader.read())).done, false);
    }
    while (!(await soon(reader.read())).done);
    await soon(segments.next());
    await soon(sent);
  });

  both("brings two at the same time, each whole", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const all = [noise(900_000, 5), noise(700_000, 6)];
    const sent = all.map((bytes, index) =>
      pair.stream(
        messageOf(seg.text(`${index}`), { type: "video", data: sourceOf(bytes.subarray(0, 100_000), 5).stream }),
      )
    );
    const got = await Promise.all([streams.next(), streams.next()]);
    const read = await soon(Promise.all(got.map(([, segments]) => readSegments(segments))));
    for (const [name, video] of read) {
      const chunk = all[Number(name?.data)]?.subarray(0, 100_000) ?? new Uint8Array();
      assertEquals(video?.data, base64Of(chunk, chunk, chunk, chunk, chunk));
    }
    assertEquals(new Set(read.map(([name]) => name?.data)).size, 2);
    await soon(Promise.all(sent));
  });

  both("counts as sent and received once", async (way) => {
    await using pair = await pairOf(way);
    await soon(pair.stream(messageOf({ type: "image", data: noise(200_000) })));
    assertEquals(pair.receiver.stats().received, 1);
    assertEquals([pair.client.stats.sent, pair.server.stats().sent], way === "client to server" ? [1, 0] : [0, 1]);
  });
});

describe("sendStream() onProgress", () => {
  for (
    const [name, data, isKnown] of [
      ["the total of what is in memory", () => noise(300_000), true],
      ["no total of a stream", () => sourceOf(noise(100_000), 3).stream, false],
    ] as const
  ) {
    both(`tells what has left, and ${name}`, async (way) => {
      await using pair = await pairOf(way);
      const told: SendProgress[] = [];
      await soon(pair.stream(messageOf({ type: "image", data: data() }), { onProgress: (at) => told.push(at) }));
      assertGreater(told.length, 1);
      for (const [index, { sent }] of told.entries()) assertGreater(sent, told[index - 1]?.sent ?? 0);
      const last = told.at(-1)?.sent ?? NaN;
      assertGreater(last, 400_000);
      assertEquals(new Set(told.map(({ total }) => total)), new Set([isKnown ? last : null]));
    });
  }

  both("gives the transfer up when it throws", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const source = sourceOf(noise(100_000));
    const onProgress = () => {
      throw new RangeError("enough");
    };
    const error = errorOf(
      pair.stream(messageOf(seg.text("a"), { type: "video", data: source.stream }), { onProgress }),
    );
    assert(await soon(error) instanceof RangeError);
    assert(await soon(source.cancelled) instanceof RangeError);
    await pair.roundTrip();
    const read = errorOf(streams.next(undefined, { timeoutMs: 500 }).then(([, segments]) => readSegments(segments)));
    assertEquals(await codeOf(read), "closed");
    await passes(pair);
  });
});
