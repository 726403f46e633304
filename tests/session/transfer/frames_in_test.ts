import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { createMessage, MessageDecodeError, plainText, type Seg, seg, type SegmentReader } from "../../../mod.ts";
import { GRANT_WINDOW, MAX_CHUNK_LENGTH } from "../../../session/transfer/frames.ts";
import { type ChunkPeer, chunksOf, customText, type SpokenChunk } from "../../support/peers/chunk_peer.ts";
import { soon } from "../../support/peers/inbox.ts";
import { Heard, heard } from "../../support/peers/listen.ts";
import { readSegments } from "../../support/streams.ts";
import { both, type ByHand, byHand, codeOf, errorOf } from "../../support/transfers.ts";

/** A message as the text that goes into pieces. */
function jsonOf(content: Seg): string {
  return JSON.stringify(createMessage({ platform: "qq", user: "10001" }, content));
}

const TEXT = jsonOf(seg.text("x".repeat(100)));
const LONG = jsonOf(seg.of("image", "A".repeat(MAX_CHUNK_LENGTH * 2)));
const PIECES = [
  LONG.slice(0, MAX_CHUNK_LENGTH),
  LONG.slice(MAX_CHUNK_LENGTH, MAX_CHUNK_LENGTH * 2),
  LONG.slice(MAX_CHUNK_LENGTH * 2),
];
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
        if (isStreaming) onStream(hand, (segments) => void readSegments(segments).catch(() => {}));
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
    assertEquals(await hand.chunks.next(), { op: "grant", id: 1, n: GRANT_WINDOW });
    const pieces = [TEXT.slice(0, -1), ..." ".repeat(GRANT_WINDOW + 1)];
    for (const [n, data] of pieces.entries()) hand.chunks.say({ op: "data", id: 1, n, data });
    const [{ path }] = await hand.invalid.next();
    assertEquals(path, "$.content.n");
    assertEquals((await hand.chunks.nextOf("refuse")).reason, "invalid");
    assert(await soon(errorOf(readSegments((await read.next())[0]))) instanceof MessageDecodeError);
  });

  for (const [name, more] of [["a second end", END], ["a piece after the end", { ...DATA, n: 1 }]] as const) {
    both(`is invalid and refused for ${name} while it is still being read`, async (way) => {
      await using hand = await byHand(way);
      const read = heldStream(hand);
      const video = jsonOf(seg.of("video", "A".repeat(3000)));
      const pieces = [video.slice(0, -1000), video.slice(-1000)];
      hand.chunks.say({ op: "open", id: 1, flow: true });
      for (const [n, data] of pieces.entries()) hand.chunks.say({ op: "data", id: 1, n, data });
      hand.chunks.say({ ...chunksOf(1, video)[2], n: 2 });
      const [segments] = await read.next();
      hand.chunks.say({ ...more, n: 2 });
      const [{ path }] = await hand.invalid.next();
      assertEquals(path, "$.content.op");
      assertEquals((await hand.chunks.nextOf("refuse")).reason, "invalid");
      assert(await soon(errorOf(readSegments(segments))) instanceof MessageDecodeError);
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
    assertEquals(await hand.chunks.next(), { op: "grant", id: 1, n: GRANT_WINDOW });
    hand.chunks.say(D0);
    const [segments] = await read.next();
    assertEquals(await hand.chunks.next(), { op: "grant", id: 1, n: GRANT_WINDOW + 1 });
    hand.chunks.say(D1, D2, LONG_END);
    await soon(readSegments(segments));
    assertEquals(await hand.chunks.nextOf("done"), { op: "done", id: 1 });
  });

  both("tells its reader when the sender gives up", async (way) => {
    await using hand = await byHand(way);
    const read = heldStream(hand);
    hand.chunks.say(LONG_OPEN, D0);
    const [segments] = await read.next();
    const error = errorOf(readSegments(segments));
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

  both("is refused with a whole number although the limit is none", async (way) => {
    await using hand = await byHand(way, { decode: { maxBytes: 150_000.5 } });
    hand.chunks.say({ op: "open", id: 1, flow: true, length: 150_001 });
    assertEquals(await hand.chunks.nextOf("refuse"), { op: "refuse", id: 1, reason: "too_large", limit: 150_000 });
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
