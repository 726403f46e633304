import { assert, assertEquals, assertGreater, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";

import {
  createMessage,
  type DecodedSeg,
  type MessageBase,
  MessageClient,
  type MessageClientOptions,
  MessageConnectionError,
  MessageDecodeError,
  MessageEncodeError,
  type MessageEnvelope,
  MessageServer,
  type MessageServerOptions,
  type Peer,
  plainText,
  type Seg,
  seg,
  type SegmentReader,
  type SendProgress,
  type SendStreamOptions,
  type StreamMessage,
} from "../../mod.ts";
import { CHUNK_LENGTH, FRAME_BYTES, WINDOW } from "../../session/transfer/frames.ts";
import { ChunkPeer, chunksOf, customText, type SpokenChunk } from "../support/peers/chunk_peer.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { Heard, heard } from "../support/peers/listen.ts";
import { Proxy } from "../support/peers/proxy.ts";
import { RawServer } from "../support/peers/raw.ts";

// ------------------------------------------------------------------------------------------ both ends

const WAYS = ["client to server", "server to client"] as const;
type Way = typeof WAYS[number];
type Options = Pick<MessageClientOptions & MessageServerOptions, "chunks" | "decode" | "closeTimeout">;

/** The end that hears; what its events tell begins alike on both. */
interface Receiver {
  messages(): Heard<[MessageBase]>;
  streams(): Heard<[MessageEnvelope, SegmentReader]>;
  stats(): { received: number; invalid: number };
}

interface Pair extends AsyncDisposable {
  readonly client: MessageClient;
  readonly server: MessageServer;
  readonly peer: Peer;
  readonly receiver: Receiver;
  readonly proxy: Proxy;
  /** Streams from the other end. */
  stream(message: StreamMessage, options?: SendStreamOptions): Promise<void>;
  /** Sends from the other end. */
  send(message: MessageBase): void;
  /** Sends one message to the receiver, and one back: all that was under way before has passed. */
  roundTrip(): Promise<void>;
}

/** A server and a client with a proxy between them, as sender and receiver. */
async function pairOf(
  way: Way,
  { sender = {}, receiver = {} }: { sender?: Options; receiver?: Options } = {},
): Promise<Pair> {
  const isUp = way === "client to server";
  const server = new MessageServer({ closeTimeout: 1000, ...(isUp ? receiver : sender) });
  const opened = heard(server, "open");
  const proxy = await Proxy.listen(server.listen({ port: 0 }));
  const client = new MessageClient(proxy.url, {
    ...{ platform: "qq", reconnect: false, closeTimeout: 1000 },
    ...(isUp ? sender : receiver),
  });
  client.on("drop", () => {});
  await client.connect();
  const [peer] = await opened.next();
  const pongs = new Heard<[]>((handler) => client.onCustom("pong", () => handler()));
  const pings = new Heard<[]>((handler) => server.onCustom("ping", () => handler()));
  return {
    ...{ client, server, peer, proxy },
    receiver: {
      messages: () =>
        new Heard((handler) =>
          isUp
            ? server.on("message", (message) => handler(message))
            : client.on("message", (message) => handler(message))
        ),
      streams: () =>
        new Heard((handler) =>
          isUp
            ? server.on("stream", (envelope, segments) => handler(envelope, segments))
            : client.on("stream", (envelope, segments) => handler(envelope, segments))
        ),
      stats: () => isUp ? server.stats() : client.stats,
    },
    stream: (message, options) => watched((isUp ? client : peer).sendStream(message, options)),
    send: (message) => isUp ? client.send(message) : peer.send(message),
    async roundTrip() {
      client.sendCustom("ping", null);
      await pings.next();
      peer.sendCustom("pong", null);
      await pongs.next();
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** A promise that may fail before anybody waits for it. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {}); // whoever waits hears of it
  return promise;
}

function both(name: string, test: (way: Way) => Promise<void>): void {
  for (const way of WAYS) it(`${name}, ${way}`, () => test(way));
}

// ------------------------------------------------------------------------------------------ messages

const NAMES = { user_id: "10001", user_nickname: "张三" };

function messageOf(...segs: readonly StreamMessage["message_segment"][]): StreamMessage {
  return { ...createMessage({ platform: "qq", user: NAMES }), message_segment: { type: "seglist", data: segs } as Seg };
}

function small(text: string): MessageBase {
  return createMessage({ platform: "qq", user: NAMES }, seg.text(text));
}

/** Bytes that tell where they stand. */
function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 0x2545f491 | 1;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state;
  }
  return bytes;
}

interface Source {
  readonly stream: ReadableStream<Uint8Array>;
  /** Chunks taken so far. */
  taken: number;
  /** Resolves with the reason when it is cancelled. */
  readonly cancelled: Promise<unknown>;
}

/** A stream that gives chunks as they are asked for; without an end where none is told. */
function sourceOf(chunk: Uint8Array, count = Infinity): Source {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const source: Source = {
    taken: 0,
    cancelled: promise,
    stream: new ReadableStream({
      pull(controller) {
        if (source.taken === count) return controller.close();
        source.taken++;
        controller.enqueue(chunk.slice());
      },
      cancel: resolve,
    }, { highWaterMark: 0 }),
  };
  return source;
}

/** A stream that never gives anything. */
function silentSource(): Source {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const stream = new ReadableStream<Uint8Array>({ pull: () => promise.then(() => {}), cancel: resolve });
  return { taken: 0, cancelled: promise, stream };
}

const soon = <T>(promise: Promise<T>): Promise<T> => withTimeout(promise, 5000, () => "what must come soon");

/** The error a promise ends with, from now on; fails when there is none. */
function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return watched(promise.then(() => Promise.reject(new Error("Did not fail")), (error: unknown) => error));
}

async function codeOf(error: Promise<unknown>): Promise<string> {
  const found = await soon(error);
  assert(found instanceof MessageConnectionError, `no connection error: ${found}`);
  return found.code;
}

/** Joins bytes as base64: comparing arrays takes so long that timers run out meanwhile. */
function base64Of(...chunks: readonly Uint8Array[]): string {
  return Buffer.concat(chunks).toString("base64");
}

async function readBytes(stream: ReadableStream<Uint8Array>): Promise<string> {
  return base64Of(...await Array.fromAsync(stream));
}

/** Reads all segments, their bytes too, as base64. */
async function readAll(segments: AsyncIterable<DecodedSeg>): Promise<Seg[]> {
  const all: Seg[] = [];
  for await (const { type, data } of segments) {
    if (data instanceof ReadableStream) {
      all.push({ type, data: await readBytes(data) });
    } else if (type === "file") {
      const file = data as { base64: ReadableStream<Uint8Array> };
      all.push({ type, data: { ...file, base64: await readBytes(file.base64) } });
    } else all.push({ type, data } as Seg);
  }
  return all;
}

/** Takes the stream of the first segment. */
async function firstBytes(segments: SegmentReader): Promise<ReadableStream<Uint8Array>> {
  const { value } = await soon(segments.next());
  assert(value?.data instanceof ReadableStream);
  return value.data;
}

// ------------------------------------------------------------------------------------------ what arrives

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
    assertEquals<unknown[]>(await soon(readAll(segments)), [
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
    const { message_info, message_segment } = small("只有文字");
    const sent = pair.stream({ message_segment, message_info });
    const [envelope, segments] = await streams.next();
    assertEquals(envelope.message_info, message_info);
    assertEquals(await soon(readAll(segments)), [seg.text("只有文字")]);
    await soon(sent);
  });

  both("goes no faster than the other side reads", async (way) => {
    await using pair = await pairOf(way);
    const streams = pair.receiver.streams();
    const bytes = noise(CHUNK_LENGTH / 4 * 3 * 20);
    const full = Promise.withResolvers<void>();
    let pieces = 0;
    const onProgress = () => void (++pieces === WINDOW + 1 && full.resolve());
    const sent = pair.stream(messageOf({ type: "video", data: bytes }), { onProgress });
    const [, segments] = await streams.next();
    // One was read for the envelope.
    await soon(full.promise);
    for (let trip = 0; trip < 5; trip++) await pair.roundTrip();
    assertEquals(pieces, WINDOW + 1);
    const reader = (await firstBytes(segments)).getReader();
    await soon(reader.read());
    for (let trip = 0; trip < 5; trip++) await pair.roundTrip();
    assertLess(pieces, WINDOW + 4);
    const rest: Uint8Array[] = [];
    for (let next = await soon(reader.read()); !next.done; next = await soon(reader.read())) rest.push(next.value);
    assertEquals((await soon(segments.next())).done, true);
    await soon(sent);
    assertEquals(pieces, Math.ceil((bytes.length / 3 * 4 + 300) / CHUNK_LENGTH));
    assertEquals(rest.at(-1)?.at(-1), bytes.at(-1));
  });

  both("lets small messages pass between its pieces", async (way) => {
    await using pair = await pairOf(way);
    const [streams, messages] = [pair.receiver.streams(), pair.receiver.messages()];
    const sent = pair.stream(messageOf({ type: "video", data: noise(2_000_000) }));
    const [, segments] = await streams.next();
    const reader = (await firstBytes(segments)).getReader();
    for (const text of ["一", "二", "三"]) {
      pair.send(small(text));
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
    const read = await soon(Promise.all(got.map(([, segments]) => readAll(segments))));
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
    const read = errorOf(streams.next(undefined, { timeoutMs: 500 }).then(([, segments]) => readAll(segments)));
    assertEquals(await codeOf(read), "closed");
    await passes(pair);
  });
});

/** A message of some pieces comes through. */
async function passes(pair: Pair): Promise<void> {
  const streams = pair.receiver.streams();
  const sent = pair.stream(messageOf({ type: "image", data: noise(200_000, 9) }));
  const [, segments] = await streams.next();
  const read = await soon(readAll(segments));
  assertEquals<unknown>(read, [{ type: "image", data: base64Of(noise(200_000, 9)) }]);
  await soon(sent);
  assertEquals(pair.receiver.stats().invalid, 0);
}

// ------------------------------------------------------------------------------------------ refusals

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
    assertLess(pieces, 5 + WINDOW);
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
    assertEquals<unknown>(await soon(readAll(segments)), [{ type: "image", data: base64Of(noise(400_000)) }]);
    await soon(sent);
  });

  both("rejects queue_full beyond chunks.transfers, until one has ended", async (way) => {
    await using pair = await pairOf(way, { receiver: { chunks: { transfers: 2 } } });
    const streams = pair.receiver.streams();
    const message = () => messageOf({ type: "video", data: noise(800_000) });
    const first = [pair.stream(message()), pair.stream(message())];
    const [[, held], [, other]] = [await streams.next(), await streams.next()];
    assertEquals(await codeOf(errorOf(pair.stream(message()))), "queue_full");
    await soon(readAll(held));
    await soon(Promise.race(first));
    const last = pair.stream(message());
    const [, late] = await streams.next();
    await soon(Promise.all([readAll(other), readAll(late)]));
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
    assertEquals(await codeOf(errorOf(readAll(segments))), "timeout");
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
    assertEquals(await codeOf(errorOf(readAll(segments))), "closed");
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

// ------------------------------------------------------------------------------------------ giving up

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
    const read = errorOf(readAll(segments));
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

// ------------------------------------------------------------------------------------------ the line

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
      hand.send(small(text));
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
    assertEquals(await codeOf(errorOf(client.sendStream(small("a")))), "closed");
  });

  it("rejects closed on a peer that is gone", async () => {
    await using pair = await pairOf("server to client");
    const gone = heard(pair.server, "close");
    await pair.client.close();
    await gone.next();
    assertEquals(await codeOf(errorOf(pair.peer.sendStream(small("a")))), "closed");
  });
});

// ------------------------------------------------------------------------------------------ by hand: out

interface ByHand extends AsyncDisposable {
  readonly chunks: ChunkPeer;
  stream(message: StreamMessage, options?: SendStreamOptions): Promise<void>;
  send(message: MessageBase): void;
  readonly invalid: Heard<[MessageDecodeError]>;
  readonly client: MessageClient | null;
  readonly server: MessageServer | null;
}

/** A sender of ours and a receiver by hand. */
async function byHand(
  way: Way,
  options: Options & Pick<MessageServerOptions, "limits"> = {},
  features: readonly string[] | null = ["chunks", "ping"],
): Promise<ByHand> {
  if (way === "server to client") {
    const server = new MessageServer({ closeTimeout: 50, ...options });
    const opened = heard(server, "open");
    const chunks = await ChunkPeer.connect(server.listen({ port: 0 }), `1; ${features?.join(", ") ?? ""}`);
    const [peer] = await opened.next();
    return {
      ...{ chunks, server, client: null },
      invalid: new Heard((handler) => server.on("invalid", (error) => handler(error))),
      stream: (message, options) => watched(peer.sendStream(message, options)),
      send: (message) => peer.send(message),
      [Symbol.asyncDispose]: async () => {
        await chunks[Symbol.asyncDispose]();
        await server.close();
      },
    };
  }
  const { limits: _limits, ...rest } = options;
  const raw = await RawServer.listen();
  const client = new MessageClient(raw.url, { platform: "qq", reconnect: false, closeTimeout: 50, ...rest });
  client.on("drop", () => {});
  const connected = client.connect();
  const chunks = await ChunkPeer.accept(raw, features);
  await connected;
  return {
    ...{ chunks, client, server: null },
    invalid: new Heard((handler) => client.on("invalid", (error) => handler(error))),
    stream: (message, options) => watched(client.sendStream(message, options)),
    send: (message) => client.send(message),
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await raw[Symbol.asyncDispose]();
    },
  };
}

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
    const bytes = noise(CHUNK_LENGTH * 3);
    const sent = hand.stream(messageOf({ type: "image", data: bytes }));
    const open = await chunks.next();
    assertEquals([open.op, open.id, open.flow], ["open", 1, true]);
    hand.send(small("first"));
    assertStringIncludes(await chunks.nextText(), "first"); // and no piece before it
    let text = "";
    let [n, granted] = [0, 0];
    for (const more of [1, 2, 100]) {
      granted += more;
      chunks.say({ op: "grant", id: 1, n: granted });
      for (; n < Math.min(granted, Math.ceil((open.length ?? 0) / CHUNK_LENGTH)); n++) {
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
    assertEquals(lengths.length, Math.ceil((200_000 / 3 * 4 + 300) / CHUNK_LENGTH));
    for (const length of lengths.slice(0, -1)) assertGreater(length, CHUNK_LENGTH - 4);
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
    const source = sourceOf(noise(CHUNK_LENGTH / 4 * 3));
    const error = errorOf(hand.stream(messageOf({ type: "video", data: source.stream })));
    await hand.chunks.next();
    hand.chunks.say({ op: "grant", id: 1, n: 1_000_000 });
    await hand.chunks.nextOf("data");
    hand.chunks.raw.pause();
    // The kernels on both ends take some megabytes; then nothing moves, and that is what ends it.
    assertEquals(await codeOf(error), "timeout");
    assertLess(source.taken * CHUNK_LENGTH, 32_000_000);
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
    hand.send(small("after"));
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
      hand.send(small("after"));
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
        hand.send(small("after"));
        assertStringIncludes(await hand.chunks.nextText(), "after");
      });
    }
  }
});

// ------------------------------------------------------------------------------------------ one frame

describe("sendStream() to a side that takes no chunks", () => {
  const WITHOUT: readonly [name: string, options: Options, features: readonly string[] | null][] = [
    ["as nothing was agreed on", {}, null],
    ["as the other side does not know them", {}, ["ping"]],
    ["as this side has chunks: false", { chunks: false }, ["chunks", "ping"]],
    ["as this side's maxBytes has no room for their frames", { decode: { maxBytes: FRAME_BYTES - 1 } }, [
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
    hand.send(small("after"));
    assertStringIncludes((await hand.chunks.raw.message())?.text ?? "", "after");
  });

  it("rejects too_large as soon as a stream has given too much, and cancels it", async () => {
    await using hand = await byHand("client to server", {}, null);
    const source = sourceOf(noise(3 * 2 ** 20));
    const error = await soon(errorOf(hand.stream(messageOf({ type: "video", data: source.stream }))));
    assert(error instanceof MessageEncodeError);
    assertEquals([error.code, source.taken], ["too_large", 26]);
    await soon(source.cancelled);
    hand.send(small("after"));
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

// ------------------------------------------------------------------------------------------ send()

describe("send() of a message that is too large for one frame", () => {
  const large = () => small(`大${"x".repeat(2 ** 24)}`);

  both("goes in pieces and arrives as a message, in order with others", async (way) => {
    await using pair = await pairOf(way);
    const [messages, streams] = [pair.receiver.messages(), pair.receiver.streams()];
    for (const message of [small("before"), large(), small("after")]) pair.send(message);
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
    pair.send(small("after"));
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
    await soon(readAll(segments));
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

// ------------------------------------------------------------------------------------------ by hand: in

/** A message as the text that goes into pieces. */
function textOf(content: Seg): string {
  return JSON.stringify(createMessage({ platform: "qq", user: "10001" }, content));
}

const TEXT = textOf(seg.text("x".repeat(100)));
const LONG = textOf(seg.of("image", "A".repeat(CHUNK_LENGTH * 2)));
const PIECES = [LONG.slice(0, CHUNK_LENGTH), LONG.slice(CHUNK_LENGTH, CHUNK_LENGTH * 2), LONG.slice(CHUNK_LENGTH * 2)];
const [OPEN, DATA, END] = chunksOf(1, TEXT);
const LONG_OPEN: SpokenChunk = { op: "open", id: 1, flow: true, length: LONG.length };
const LONG_DATA: readonly SpokenChunk[] = PIECES.map((data, n) => ({ op: "data", id: 1, n, data }));
const LONG_END: SpokenChunk = { ...chunksOf(1, LONG)[2], n: PIECES.length };

interface Fault {
  readonly name: string;
  readonly frames: readonly unknown[];
  readonly path: string;
  /** Whether there is a transfer to refuse. */
  readonly isRefused: boolean;
}

const [D0, D1, D2] = LONG_DATA as [SpokenChunk, SpokenChunk, SpokenChunk]; // as many pieces as there are
const FAULTS: readonly Fault[] = [
  { name: "pieces in a wrong order", frames: [LONG_OPEN, D1], path: "n", isRefused: true },
  { name: "a repeated piece", frames: [LONG_OPEN, D0, D0], path: "n", isRefused: true },
  { name: "a missing piece", frames: [LONG_OPEN, D0, D2], path: "n", isRefused: true },
  { name: "a missing last piece", frames: [LONG_OPEN, D0, D1, LONG_END], path: "n", isRefused: true },
  {
    name: "an oversize piece",
    frames: [LONG_OPEN, { ...D0, data: `${D0.data} ` }],
    path: "data",
    isRefused: true,
  },
  { name: "an empty piece", frames: [LONG_OPEN, { ...D0, data: "" }], path: "data", isRefused: true },
  { name: "a piece that is not ASCII", frames: [LONG_OPEN, { ...D0, data: "é" }], path: "data", isRefused: true },
  { name: "more than was promised", frames: [{ ...OPEN, length: 5 }, DATA], path: "data", isRefused: true },
  { name: "less than was promised", frames: [{ ...OPEN, length: 5000 }, DATA, END], path: "length", isRefused: true },
  {
    name: "a lying length at the end",
    frames: [{ op: "open", id: 1, flow: false }, DATA, { ...END, length: TEXT.length + 1 }],
    path: "length",
    isRefused: true,
  },
  {
    name: "a wrong crc",
    frames: [OPEN, DATA, { ...END, crc: ((END.crc ?? 0) ^ 1) >>> 0 }],
    path: "crc",
    isRefused: true,
  },
  { name: "two transfers of one number", frames: [LONG_OPEN, D0, LONG_OPEN], path: "id", isRefused: true },
  { name: "a piece of no transfer", frames: [DATA], path: "id", isRefused: false },
  { name: "an end of no transfer", frames: [END], path: "id", isRefused: false },
  { name: "an abort of no transfer", frames: [{ op: "abort", id: 1 }], path: "id", isRefused: false },
  { name: "a transfer of number 0", frames: [{ ...OPEN, id: 0 }], path: "id", isRefused: false },
  { name: "an unknown op", frames: [{ op: "hurry", id: 1 }], path: "op", isRefused: false },
  { name: "an op that is inherited", frames: [{ op: "toString", id: 1 }], path: "op", isRefused: false },
  { name: "no op", frames: [{ id: 1 }], path: "op", isRefused: false },
  { name: "a number that is none", frames: [{ ...OPEN, id: "1" }], path: "id", isRefused: false },
  { name: "a number below 0", frames: [{ ...OPEN, id: -1 }], path: "id", isRefused: false },
  { name: "a length that is none", frames: [{ ...OPEN, length: 1.5 }], path: "length", isRefused: false },
  { name: "data that is no text", frames: [{ ...DATA, data: [1] }], path: "data", isRefused: false },
  { name: "no content", frames: [null], path: "", isRefused: false },
  { name: "a text as content", frames: ["open"], path: "", isRefused: false },
];

describe("A transfer with a fault", () => {
  for (const { name, frames, path, isRefused } of FAULTS) {
    for (const isStreaming of [false, true]) {
      both(`is invalid and refused for ${name}, ${isStreaming ? "streamed" : "collected"}`, async (way) => {
        await using hand = await byHand(way);
        const { client, server, chunks } = hand;
        const messages = client === null ? heard(server!, "message") : heard(client, "message");
        if (isStreaming) onStream(hand, (segments) => void readAll(segments).catch(() => {}));
        chunks.say(...frames);
        const [error] = await hand.invalid.next();
        assert(error instanceof MessageDecodeError);
        assertEquals([error.code, error.path], ["invalid_shape", path === "" ? "$.content" : `$.content.${path}`]);
        if (isRefused) {
          const { id, reason } = await chunks.nextOf("refuse");
          assertEquals([id, reason], [1, "invalid"]);
          chunks.say({ op: "data", id: 1, n: 1, data: "late" }, { op: "end", id: 1, n: 1, length: 1, crc: 1 });
        }
        chunks.say(...chunksOf(2, TEXT));
        assertEquals(plainText((await messages.next())[0]), "x".repeat(100));
        assertEquals(await chunks.nextOf("done"), { op: "done", id: 2 });
        // Told once, and what comes late is not told at all.
        assertEquals((client?.stats ?? server!.stats()).invalid, 1);
      });
    }
  }

  both("is invalid and refused for a piece beyond the grant", async (way) => {
    await using hand = await byHand(way);
    const read = heldStream(hand);
    hand.chunks.say({ op: "open", id: 1, flow: true });
    assertEquals(await hand.chunks.next(), { op: "grant", id: 1, n: WINDOW });
    const pieces = [TEXT.slice(0, -1), ..." ".repeat(WINDOW + 1)];
    for (const [n, data] of pieces.entries()) hand.chunks.say({ op: "data", id: 1, n, data });
    const [{ path }] = await hand.invalid.next();
    assertEquals(path, "$.content.n");
    assertEquals((await hand.chunks.nextOf("refuse")).reason, "invalid");
    assert(await soon(errorOf(readAll((await read.next())[0]))) instanceof MessageDecodeError);
  });

  for (const [name, more] of [["a second end", END], ["a piece after the end", { ...DATA, n: 1 }]] as const) {
    both(`is invalid and refused for ${name} while it is still being read`, async (way) => {
      await using hand = await byHand(way);
      const read = heldStream(hand);
      const video = textOf(seg.of("video", "A".repeat(3000)));
      const pieces = [video.slice(0, -1000), video.slice(-1000)];
      hand.chunks.say({ op: "open", id: 1, flow: true });
      for (const [n, data] of pieces.entries()) hand.chunks.say({ op: "data", id: 1, n, data });
      hand.chunks.say({ ...chunksOf(1, video)[2], n: 2 });
      const [segments] = await read.next();
      hand.chunks.say({ ...more, n: 2 });
      const [{ path }] = await hand.invalid.next();
      assertEquals(path, "$.content.op");
      assertEquals((await hand.chunks.nextOf("refuse")).reason, "invalid");
      assert(await soon(errorOf(readAll(segments))) instanceof MessageDecodeError);
    });
  }

  both("is invalid once when what it says is no message", async (way) => {
    await using hand = await byHand(way);
    heldStream(hand);
    const text = '{"message_info":{},"message_segment":{"type":"seglist","data":[]}}';
    hand.chunks.say({ ...chunksOf(1, text)[0], flow: true }, ...chunksOf(1, text).slice(1));
    const [{ code, path }] = await hand.invalid.next();
    assertEquals([code, path], ["invalid_shape", "$.message_info.platform"]);
    assertEquals((await hand.chunks.nextOf("refuse")).id, 1);
    hand.chunks.say(...chunksOf(2, text)); // collected, as it has no flow
    assertEquals((await hand.invalid.next())[0].path, "$.message_info.platform");
    assertEquals(await hand.chunks.nextOf("refuse"), { op: "refuse", id: 2, reason: "invalid" });
    assertEquals((hand.client?.stats ?? hand.server!.stats()).invalid, 2);
  });
});

function onStream({ client, server }: ByHand, handler: (segments: SegmentReader) => void): () => void {
  if (client !== null) return client.on("stream", (_envelope, segments) => handler(segments));
  return server!.on("stream", (_envelope, segments) => handler(segments)); // one of the two is ours
}

/** Hears streams and leaves them unread. */
function heldStream(hand: ByHand): Heard<[SegmentReader]> {
  return new Heard((handler) => onStream(hand, handler));
}

describe("A transfer that comes in", () => {
  both("is answered by grants as it is read, then by done", async (way) => {
    await using hand = await byHand(way);
    const read = heldStream(hand);
    hand.chunks.say(LONG_OPEN);
    assertEquals(await hand.chunks.next(), { op: "grant", id: 1, n: WINDOW });
    hand.chunks.say(D0);
    const [segments] = await read.next();
    assertEquals(await hand.chunks.next(), { op: "grant", id: 1, n: WINDOW + 1 });
    hand.chunks.say(D1, D2, LONG_END);
    await soon(readAll(segments));
    assertEquals(await hand.chunks.nextOf("done"), { op: "done", id: 1 });
  });

  both("tells its reader when the sender gives up", async (way) => {
    await using hand = await byHand(way);
    const read = heldStream(hand);
    hand.chunks.say(LONG_OPEN, D0);
    const [segments] = await read.next();
    const error = errorOf(readAll(segments));
    hand.chunks.say({ op: "abort", id: 1 });
    assertEquals(await codeOf(error), "closed");
  });

  both("is refused with cancelled when its last listener is gone before it has begun", async (way) => {
    await using hand = await byHand(way);
    const { chunks } = hand;
    const remove = onStream(hand, () => {});
    chunks.say(LONG_OPEN);
    await chunks.nextOf("grant");
    remove();
    chunks.say(D0);
    assertEquals((await chunks.nextOf("refuse")).reason, "cancelled");
  });

  both("is refused with timeout and its limit is kept when the sender falls silent", async (way) => {
    await using hand = await byHand(way, { chunks: { timeout: 250 } });
    const start = performance.now();
    hand.chunks.say(LONG_OPEN, D0);
    assertEquals((await hand.chunks.nextOf("refuse")).reason, "timeout");
    assertGreater(performance.now() - start, 240);
    hand.chunks.say(...chunksOf(2, TEXT));
    assertEquals(await hand.chunks.nextOf("done"), { op: "done", id: 2 });
  });

  both("is refused with too_large and the limit when all together hold too much", async (way) => {
    await using hand = await byHand(way, { decode: { maxBytes: 150_000 } });
    const open = { op: "open", flow: true };
    const data = { op: "data", n: 0, data: "x".repeat(60_000) };
    hand.chunks.say({ ...open, id: 1 }, { ...data, id: 1 }, { ...open, id: 2 }, { ...data, id: 2 });
    hand.chunks.say({ ...open, id: 3, length: 30_001 });
    assertEquals(await hand.chunks.nextOf("refuse"), { op: "refuse", id: 3, reason: "too_large", limit: 150_000 });
    hand.chunks.say({ ...open, id: 4 }, { ...data, id: 4 });
    assertEquals(await hand.chunks.nextOf("refuse"), { op: "refuse", id: 4, reason: "too_large", limit: 150_000 });
    hand.chunks.say({ op: "abort", id: 1 }, { ...open, id: 5, length: 30_001 });
    assertEquals((await hand.chunks.nextOf("grant")).id, 5);
  });

  it("costs little of limits.messagesPerSecond, however many its full pieces", async () => {
    await using hand = await byHand("server to client", { limits: { messagesPerSecond: 20 } });
    const messages = heard(hand.server!, "message");
    const blank = " ".repeat(2000);
    const pieces = [TEXT.padEnd(2000), ...Array.from({ length: 100 }, () => blank)];
    hand.chunks.say({ op: "open", id: 1, flow: false });
    for (const [n, data] of pieces.entries()) hand.chunks.say({ op: "data", id: 1, n, data });
    hand.chunks.say({ ...chunksOf(1, pieces.join(""))[2], n: pieces.length });
    await messages.next();
    assertEquals(hand.server!.stats().limited, 0);
  });

  for (
    const [name, say] of [
      ["whole transfers", (chunks: ChunkPeer, id: number) => chunks.say(...chunksOf(id, TEXT))],
      [
        "transfers that are given up",
        (chunks: ChunkPeer, id: number) => chunks.say({ op: "open", id, flow: true }, { op: "abort", id }),
      ],
      [
        "small pieces",
        (chunks: ChunkPeer, id: number) =>
          chunks.say(...(id === 1 ? [{ op: "open", id, flow: false }] : []), {
            op: "data",
            id: 1,
            n: id - 1,
            data: " ",
          }),
      ],
      [
        "pieces of no transfer any more",
        (chunks: ChunkPeer, id: number) =>
          chunks.say(...(id === 1 ? [{ op: "open", id }, { op: "abort", id }] : []), { ...D0, n: id }),
      ],
      ["grants of nothing", (chunks: ChunkPeer) => chunks.say({ op: "grant", id: 1, n: 1 })],
    ] as const
  ) {
    it(`does not let limits.messagesPerSecond be passed by ${name}`, async () => {
      await using hand = await byHand("server to client", { limits: { messagesPerSecond: 20 } });
      const limits = heard(hand.server!, "limit");
      for (let id = 1; id < 60; id++) say(hand.chunks, id);
      assertEquals((await limits.next())[0].limit, "messagesPerSecond");
      assertEquals((await hand.chunks.raw.frame({ opcode: 8 }))?.code, 4429);
      assertLess(hand.server!.stats().received, 25);
    });
  }

  both("never lets a message inside it speak for the library", async (way) => {
    await using hand = await byHand(way);
    hand.chunks.say(...chunksOf(1, customText("maim_ping", { n: 1 })));
    assertEquals((await hand.invalid.next())[0].path, "$.message_type_name");
    assertEquals(await hand.chunks.nextOf("refuse"), { op: "refuse", id: 1, reason: "invalid" });
  });
});
