import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import {
  createMessage,
  MessageServer,
  type MessageServerOptions,
  plainText,
  seg,
  type SegmentReader,
} from "../../mod.ts";
import { TransferBudget } from "../../session/transfer/budget.ts";
import { MAX_CHUNK_LENGTH } from "../../session/transfer/frames.ts";
import { HI } from "../support/messages.ts";
import { ChunkPeer, chunksOf, type SpokenChunk } from "../support/peers/chunk_peer.ts";
import { soon } from "../support/peers/inbox.ts";
import { heard } from "../support/peers/listen.ts";
import { codeOf, errorOf } from "../support/transfers.ts";

/** Room for three full chunks, and for a small message beside them. */
const ROOM = 3 * MAX_CHUNK_LENGTH + 1000;
const CHUNK = "x".repeat(MAX_CHUNK_LENGTH);
const open = (id: number, more: Partial<SpokenChunk> = {}): SpokenChunk => ({ op: "open", id, flow: true, ...more });
const data = (id: number, n: number): SpokenChunk => ({ op: "data", id, n, data: CHUNK });
const SMALL = JSON.stringify(createMessage({ platform: "qq", user: "1" }, seg.text("small")));

/** A server with room for a few chunks, the URL, and a way to wait until all that a peer has sent was handled. */
function serverWith(options: MessageServerOptions = {}) {
  const server = new MessageServer({
    closeTimeout: 300,
    duplicates: "share",
    ...options,
    limits: { transferBytes: ROOM },
  });
  const messages = heard(server, "message");
  const handled = async (peer: ChunkPeer): Promise<void> => {
    peer.raw.text(HI);
    await messages.next((message) => plainText(message) === "hi");
  };
  return { server, messages, handled, url: server.listen({ port: 0 }) };
}

describe("MessageServer with limits.transferBytes", () => {
  it("bounds what unfinished transfers of all peers hold, and goes on when they have ended", async () => {
    const { server, url, handled, messages } = serverWith();
    await using _closing = server;
    const reached = heard(server, "limit");
    const attackers: ChunkPeer[] = [];
    for (let index = 0; index < 5; index++) {
      const attacker = await ChunkPeer.connect(url);
      attackers.push(attacker);
      attacker.say(open(1), data(1, 0), data(1, 1));
      await handled(attacker);
    }
    assertEquals(server.stats().transferBytes, 2 * MAX_CHUNK_LENGTH); // the transfer of the first attacker
    assertEquals((await reached.next())[0], { limit: "transferBytes", address: "127.0.0.1", platform: "qq" });
    for (const attacker of attackers.slice(1)) assertEquals((await attacker.nextOf("refuse")).reason, "too_many");
    assertEquals(server.stats().limited, 4);
    // A healthy peer still exchanges ordinary messages, and a small transfer.
    await using healthy = await ChunkPeer.connect(url);
    await handled(healthy);
    healthy.say(...chunksOf(1, SMALL));
    await messages.next((message) => plainText(message) === "small");
    const closes = heard(server, "close");
    for (const { raw } of attackers) raw.destroy();
    for (const _attacker of attackers) await closes.next();
    assertEquals(server.stats().transferBytes, 0);
    healthy.say(open(2), data(2, 0), data(2, 1), data(2, 2));
    await handled(healthy);
    assertEquals(server.stats().transferBytes, 3 * MAX_CHUNK_LENGTH);
  });

  it("refuses a transfer whose announced length does not fit at the moment, before its text comes", async () => {
    const { server, url, handled } = serverWith();
    await using _closing = server;
    await using first = await ChunkPeer.connect(url);
    first.say(open(1), data(1, 0), data(1, 1));
    await handled(first);
    await using second = await ChunkPeer.connect(url);
    second.say(open(1, { length: 2 * MAX_CHUNK_LENGTH }));
    assertEquals(await second.nextOf("refuse"), { op: "refuse", id: 1, reason: "too_many" });
    assertEquals(server.stats().transferBytes, 2 * MAX_CHUNK_LENGTH);
  });

  it("refuses as too_large what can never fit", async () => {
    const { server, url } = serverWith();
    await using _closing = server;
    await using peer = await ChunkPeer.connect(url);
    peer.say(open(1, { length: ROOM + 1 }));
    assertEquals(await peer.nextOf("refuse"), { op: "refuse", id: 1, reason: "too_large", limit: ROOM });
    assertEquals(server.stats().limited, 0);
  });

  const ends: readonly (readonly [how: string, end: readonly SpokenChunk[], answer: string | null])[] = [
    ["is complete", [], "done"],
    ["is aborted", [{ op: "abort", id: 1 }], null],
    ["holds a wrong chunk", [data(1, 5)], "refuse"],
    ["is longer than announced", [data(1, 1)], "refuse"],
    ["has a wrong checksum", [{ op: "end", id: 1, n: 1, length: MAX_CHUNK_LENGTH, crc: 1 }], "refuse"],
    ["makes no progress", [], "refuse"],
  ];
  for (const [how, end, answer] of ends) {
    it(`counts a transfer no more when it ${how}`, async () => {
      const timeout = how === "makes no progress" ? 100 : 30_000;
      const { server, url, handled } = serverWith({ chunks: { timeout } });
      await using _closing = server;
      await using peer = await ChunkPeer.connect(url);
      if (how === "is complete") peer.say(...chunksOf(1, SMALL));
      else peer.say(open(1, { length: MAX_CHUNK_LENGTH }), data(1, 0), ...end);
      if (answer !== null) assertEquals((await peer.nextOf(answer)).op, answer);
      await handled(peer);
      assertEquals(server.stats().transferBytes, 0);
    });
  }

  for (const how of ["reads on", "leaves"]) {
    it(`counts what a reader of a stream has not taken, until it ${how}`, async () => {
      const { server, url, handled } = serverWith();
      await using _closing = server;
      const streams = heard(server, "stream");
      await using peer = await ChunkPeer.connect(url);
      const text = JSON.stringify(createMessage({ platform: "qq", user: "1" }, seg.of("image", "A".repeat(150_000))));
      const chunks = text.match(new RegExp(`.{1,${MAX_CHUNK_LENGTH}}`, "g")) ?? [];
      const [, , end] = chunksOf(1, text);
      peer.say(open(1), ...chunks.map((data, n) => ({ op: "data", id: 1, n, data })), { ...end, n: chunks.length });
      const [, segments] = await streams.next();
      await handled(peer);
      const held = server.stats().transferBytes;
      assert(held > 0 && held < text.length, `${held} of ${text.length}`); // the first chunk was taken
      if (how === "leaves") await segments.return();
      else for await (const { data } of segments) await readText(data);
      await peer.nextOf(how === "leaves" ? "refuse" : "done");
      assertEquals(server.stats().transferBytes, 0);
    });
  }

  it("tells the reader of a stream that has to make room for others", async () => {
    const { server, url, handled } = serverWith();
    await using _closing = server;
    const streams = heard(server, "stream");
    await using first = await ChunkPeer.connect(url);
    const head = JSON.stringify(createMessage({ platform: "qq", user: "1" }, seg.of("image", ""))).slice(0, -4);
    const chunk = (n: number, data: string): SpokenChunk => ({ op: "data", id: 1, n, data });
    first.say(open(1), chunk(0, head), chunk(1, CHUNK), chunk(2, CHUNK), chunk(3, CHUNK));
    const [, segments] = await streams.next();
    await handled(first);
    await using second = await ChunkPeer.connect(url);
    second.say(open(1), chunk(0, head), chunk(1, CHUNK));
    assertEquals((await second.nextOf("refuse")).reason, "too_many");
    const [, others] = await streams.next();
    assertEquals(await codeOf(errorOf(readAll(others))), "queue_full");
    await segments.return();
    assertEquals(server.stats().transferBytes, 0);
  });

  it("is a number of at least 1", () => {
    assertThrows(() => new MessageServer({ limits: { transferBytes: 0 } }), RangeError, "limits.transferBytes");
  });
});

describe("TransferBudget", () => {
  it("takes what fits exactly, and nothing more", () => {
    const budget = new TransferBudget(10);
    assertEquals([budget.take(10), budget.take(1), budget.hasRoom(1), budget.held], [true, false, false, 10]);
    budget.give(3);
    assertEquals([budget.hasRoom(3), budget.hasRoom(4), budget.held], [true, false, 7]);
  });
});

async function readText(data: unknown): Promise<void> {
  if (data instanceof ReadableStream) await soon(new Response(data).arrayBuffer());
}

async function readAll(segments: SegmentReader): Promise<void> {
  for await (const { data } of segments) await readText(data);
}
