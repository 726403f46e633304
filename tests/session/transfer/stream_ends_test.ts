import { assert, assertEquals, assertGreater, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient, MessageConnectionError, MessageEncodeError, seg } from "../../../mod.ts";
import { GRANT_WINDOW } from "../../../session/transfer/frames.ts";
import { noise, textMessage } from "../../support/messages.ts";
import { soon } from "../../support/peers/inbox.ts";
import { heard } from "../../support/peers/listen.ts";
import {
  base64Of,
  firstBytes,
  messageOf,
  readBytes,
  readSegments,
  silentSource,
  sourceOf,
} from "../../support/streams.ts";
import { both, byHand, codeOf, errorOf, type Pair, pairOf, passes } from "../../support/transfers.ts";

describe("sendStream() to a side that will not have it", () => {
  const receiver = { decode: { maxBytes: 200_000 } };

  both("rejects too_large at once when the size is known, with the limit", async (way) => {
    await using pair = await pairOf(way, { receiver });
    let pieces = 0;
    const message = messageOf({ type: "image", data: noise(300_000) });
    const error = await soon(errorOf(pair.stream(message, { onProgress: () => pieces++ })));
    assert(error instanceof MessageConnectionError);
    assertEquals([error.code, pieces], ["too_large", 0]);
    assertStringIncludes(error.message, "200000 bytes");
    assertEquals(pair.receiver.stats().received, 0);
    await passes(pair); // to a listener, who takes it piece by piece
  });

  both("rejects too_large in the middle when the size is not known, and keeps nothing", async (way) => {
    await using pair = await pairOf(way, { receiver });
    const source = sourceOf(noise(30_000));
    let pieces = 0;
    const error = await soon(errorOf(pair.stream(messageOf({ type: "image", data: source.stream }), {
      onProgress: () => pieces++,
    })));
    assert(error instanceof MessageConnectionError);
    assertEquals(error.code, "too_large");
    assertStringIncludes(error.message, "200000 bytes");
    assertGreater(pieces, 2);
    assertLess(pieces, 5 + GRANT_WINDOW);
    await soon(source.cancelled);
    // What was held counts no more: as much as is allowed comes in.
    const messages = pair.receiver.messages();
    await soon(pair.stream(messageOf({ type: "image", data: noise(140_000) })));
    await messages.next();
    assertEquals(pair.receiver.stats().invalid, 0);
  });

  both("takes what is larger to a listener of 'stream'", async (way) => {
    await using pair = await pairOf(way, { receiver });
    const streams = pair.receiver.streams();
    const sent = pair.stream(messageOf({ type: "image", data: noise(400_000) }));
    const [, segments] = await streams.next();
    assertEquals<unknown>(await soon(readSegments(segments)), [{ type: "image", data: base64Of(noise(400_000)) }]);
    await soon(sent);
  });

  both("rejects queue_full beyond chunks.transfers, until one has ended", async (way) => {
    await using pair = await pairOf(way, { receiver: { chunks: { transfers: 2 } } });
    const streams = pair.receiver.streams();
    const message = () => messageOf({ type: "video", data: noise(800_000) });
    const first = [pair.stream(message()), pair.stream(message())];
    const [[, held], [, other]] = [await streams.next(), await streams.next()];
    assertEquals(await codeOf(errorOf(pair.stream(message()))), "queue_full");
    await soon(readSegments(held));
    await soon(Promise.race(first));
    const last = pair.stream(message());
    const [, late] = await streams.next();
    await soon(Promise.all([readSegments(other), readSegments(late)]));
    await soon(Promise.all([...first, last]));
  });

  both("rejects refused when the reader leaves early, and cancels the source", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const source = sourceOf(noise(100_000));
    const error = errorOf(pair.stream(messageOf(seg.text("a"), { type: "video", data: source.stream })));
    const [, segments] = await streams.next();
    for await (const { type } of segments) if (type === "video") break;
    assertEquals(await codeOf(error), "refused");
    await soon(source.cancelled);
    await passes(pair);
  });

  both("rejects timeout when nobody reads for chunks.timeout of the receiver", async (way) => {
    await using pair = await pairOf(way, { receiver: { chunks: { timeout: 250 } } });
    const streams = pair.receiver.streams();
    const source = sourceOf(noise(100_000));
    const error = errorOf(pair.stream(messageOf({ type: "video", data: source.stream })));
    const [, segments] = await streams.next();
    assertEquals(await codeOf(error), "timeout");
    await soon(source.cancelled);
    assertEquals(await codeOf(errorOf(readSegments(segments))), "timeout");
    await passes(pair);
  });

  both("rejects timeout when nobody reads for chunks.timeout of the sender", async (way) => {
    await using pair = await pairOf(way, { sender: { chunks: { timeout: 250 } } });
    const streams = pair.receiver.streams();
    const source = sourceOf(noise(100_000));
    const error = errorOf(pair.stream(messageOf({ type: "video", data: source.stream })));
    const [, segments] = await streams.next();
    assertEquals(await codeOf(error), "timeout");
    await soon(source.cancelled);
    await pair.roundTrip();
    assertEquals(await codeOf(errorOf(readSegments(segments))), "closed");
    await passes(pair);
  });

  both("rejects timeout when the source stands still for chunks.timeout of the receiver", async (way) => {
    await using pair = await pairOf(way, { receiver: { chunks: { timeout: 250 } } });
    const source = silentSource();
    assertEquals(await codeOf(errorOf(pair.stream(messageOf({ type: "video", data: source.stream })))), "timeout");
    await soon(source.cancelled);
    await passes(pair);
  });
});

describe("sendStream() that is given up", () => {
  both("tells the other side nothing when the signal was aborted before", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const source = sourceOf(noise(10));
    const signal = AbortSignal.abort(new RangeError("no"));
    const error = await soon(errorOf(pair.stream(messageOf({ type: "video", data: source.stream }), { signal })));
    assertEquals(error, signal.reason);
    assertEquals(await soon(source.cancelled), signal.reason);
    await pair.roundTrip();
    await assertRejects(() => streams.next(undefined, { timeoutMs: 1 }));
    await passes(pair);
  });

  both("ends both sides when the signal is aborted in the middle", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const source = sourceOf(noise(100_000));
    const abort = new AbortController();
    const error = errorOf(pair.stream(messageOf({ type: "video", data: source.stream }), { signal: abort.signal }));
    const [, segments] = await streams.next();
    const reader = (await firstBytes(segments)).getReader();
    await soon(reader.read());
    abort.abort(new RangeError("enough"));
    assertEquals(await soon(error), abort.signal.reason);
    assertEquals(await soon(source.cancelled), abort.signal.reason);
    const end = async () => {
      while (!(await reader.read()).done);
    };
    assertEquals(await codeOf(errorOf(end())), "closed");
    assertEquals(await codeOf(errorOf(segments.next())), "closed");
    await passes(pair);
  });

  both("ends by its signal though the source never gives anything", async (way) => {
    await using pair = await pairOf(way);
    const source = silentSource();
    const abort = new AbortController();
    const error = errorOf(pair.stream(messageOf({ type: "video", data: source.stream }), { signal: abort.signal }));
    await pair.roundTrip();
    abort.abort();
    assertEquals(await soon(error), abort.signal.reason);
    await soon(source.cancelled);
    await passes(pair);
  });

  both("ends by its signal though nobody reads", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const abort = new AbortController();
    const error = errorOf(pair.stream(messageOf({ type: "video", data: noise(1_000_000) }), { signal: abort.signal }));
    await streams.next();
    for (let trip = 0; trip < 2; trip++) await pair.roundTrip();
    abort.abort();
    assertEquals(await soon(error), abort.signal.reason);
    await passes(pair);
  });

  both("ends both sides when the source fails", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    let chunks = 0;
    const data = new ReadableStream({
      pull(controller) {
        if (chunks++ < 5) controller.enqueue(noise(50_000));
        else controller.error(new RangeError("unplugged"));
      },
    });
    const error = errorOf(pair.stream(messageOf({ type: "video", data })));
    const [, segments] = await streams.next();
    const read = errorOf(readSegments(segments));
    assertEquals((await soon(error) as Error).message, "unplugged");
    assertEquals(await codeOf(read), "closed");
    await passes(pair);
  });

  both("rejects at once when the message is none, and says nothing", async (way) => {
    await using pair = await pairOf(way);
    const wrong = { ...messageOf({ type: "image", data: noise(3) }), message_info: { platform: "" } };
    const error = await soon(errorOf(pair.stream(wrong)));
    assert(error instanceof MessageEncodeError);
    assertEquals(error.path, "$.message_info.platform");
    const custom = { ...messageOf(), is_custom_message: true, message_type_name: "maim_ping", content: { n: 1 } };
    assert(await soon(errorOf(pair.stream(custom))) instanceof TypeError);
    await passes(pair);
  });
});

describe("sendStream() over a line that ends", () => {
  const ENDS: Readonly<Record<string, (pair: Pair) => Promise<unknown>>> = {
    "is cut": ({ proxy }) => proxy[Symbol.asyncDispose](),
    "the client closes": ({ client }) => client.close(),
    "the server closes": ({ server }) => server.close(),
    "the server closes the peer": ({ peer }) => Promise.resolve(peer.close(1000, "enough")),
  };
  for (const [name, end] of Object.entries(ENDS)) {
    both(`ends both sides with closed when it ${name}, and leaves nothing`, async (way) => {
      await using pair = await pairOf(way);
      const [streams, gone] = [pair.receiver.streams(), heard(pair.server, "close")];
      const [source, silent] = [sourceOf(noise(100_000)), silentSource()];
      const errors = [source, silent].map(({ stream }) =>
        errorOf(pair.stream(messageOf({ type: "video", data: stream })))
      );
      const [, segments] = await streams.next();
      const bytes = await firstBytes(segments);
      const read = errorOf(readBytes(bytes));
      await soon(end(pair));
      for (const error of [...errors, read]) assertEquals(await codeOf(error), "closed");
      assertEquals(await codeOf(errorOf(segments.next())), "closed");
      await soon(Promise.all([source.cancelled, silent.cancelled]));
      await gone.next();
      const { peers, connections } = pair.server.stats();
      assertEquals([peers, connections, pair.server.peers], [0, 0, []]);
    });
  }

  it("ends at once on a peer that is given up as it does not read, though its socket may stay", async () => {
    await using hand = await byHand("server to client", { limits: { queuedBytes: 100_000 } });
    hand.server?.on("drop", () => {});
    const source = silentSource();
    const error = errorOf(hand.stream(messageOf({ type: "video", data: source.stream })));
    await hand.chunks.next();
    hand.chunks.raw.pause();
    const slow = heard(hand.server!, "limit");
    const text = "x".repeat(1_000_000);
    for (let sent = 0; sent < 40 && hand.server!.peers.length > 0; sent++) {
      hand.send(textMessage(text));
      await new Promise((resolve) => setTimeout(resolve)); // what the kernel takes must have its chance
    }
    await slow.next();
    assertEquals(await codeOf(error), "closed");
    await soon(source.cancelled);
  });

  it("ends at once on a peer that does not answer the goodbye, though its socket may stay", async () => {
    await using hand = await byHand("server to client");
    const source = silentSource();
    const error = errorOf(hand.stream(messageOf({ type: "video", data: source.stream })));
    await hand.chunks.next();
    hand.chunks.raw.pause();
    await soon(hand.server!.close());
    assertEquals(await codeOf(error), "closed");
    await soon(source.cancelled);
  });

  it("rejects not_open on a client without a line, and leaves the source alone", async () => {
    await using client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
    const { stream } = sourceOf(noise(10), 1);
    assertEquals(await codeOf(errorOf(client.sendStream(messageOf({ type: "image", data: stream })))), "not_open");
    assertEquals(await readBytes(stream), base64Of(noise(10)));
    await client.close();
    assertEquals(await codeOf(errorOf(client.sendStream(textMessage("a")))), "closed");
  });

  it("rejects closed on a peer that is gone", async () => {
    await using pair = await pairOf("server to client");
    const gone = heard(pair.server, "close");
    await pair.client.close();
    await gone.next();
    assertEquals(await codeOf(errorOf(pair.peer.sendStream(textMessage("a")))), "closed");
  });
});
