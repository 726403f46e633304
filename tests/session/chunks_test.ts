import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

import { MessageDecodeError } from "../../codec.ts";
import {
  CHUNK_NAME,
  chunkMessage,
  MAX_CHUNK_FRAME_BYTES,
  MAX_CHUNK_LENGTH,
  readChunk,
} from "../../session/transfer/frames.ts";
import { Crc32 } from "../../session/transfer/crc32.ts";
import { offeredFeatures } from "../../session/hello.ts";
import { ChunkQueue } from "../../session/transfer/chunk_queue.ts";
import { framesOfText, type OutgoingOptions, OutgoingTransfer } from "../../session/transfer/outgoing.ts";
import { encodeMessage, MessageClient, MessageServer } from "../../mod.ts";

const ascii = fc.string({ unit: "binary-ascii", maxLength: 300 });

describe("Crc32", () => {
  it("gives what zlib gives, however the text is cut", () => {
    fc.assert(fc.property(fc.array(ascii, { maxLength: 8 }), (pieces) => {
      const crc = new Crc32();
      for (const piece of pieces) crc.push(piece);
      assertEquals([crc.value, crc.isAscii], [crc32(Buffer.from(pieces.join(""))), true]);
    }));
  });

  it("gives what zlib gives of every character and of a whole piece", () => {
    const all = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join("");
    for (const text of ["", "a", all, all.repeat(MAX_CHUNK_LENGTH / 128)]) {
      const crc = new Crc32();
      crc.push(text);
      assertEquals(crc.value, crc32(Buffer.from(text)));
    }
  });

  it("tells text that is not ASCII, wherever it stands", () => {
    const other = fc.integer({ min: 0x80, max: 0xffff }).map((code) => String.fromCharCode(code));
    fc.assert(fc.property(ascii, other, ascii, (before, character, after) => {
      const crc = new Crc32();
      crc.push(`${before}${character}`);
      crc.push(after);
      assertEquals(crc.isAscii, false);
    }));
  });
});

/** A queue, and what it has told. */
function queue(): { queue: ChunkQueue; told: string[] } {
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  return {
    told,
    queue: new ChunkQueue({ taken: tell("taken"), drained: tell("drained"), cancelled: tell("cancelled") }),
  };
}

describe("ChunkQueue", () => {
  it("gives pieces in order, before and after they are asked for, and tells of each", async () => {
    const { queue: pieces, told } = queue();
    pieces.push("a");
    assertEquals(await pieces.next(), { done: false, value: "a" });
    const [next] = [pieces.next()];
    pieces.push("b");
    pieces.push("c");
    assertEquals(await next, { done: false, value: "b" });
    assertEquals(told, ["taken", "taken"]);
    pieces.end();
    assertEquals(told.length, 2);
    assertEquals(await pieces.next(), { done: false, value: "c" });
    assertEquals(told, ["taken", "taken", "taken"]);
    assertEquals(await pieces.next(), { done: true, value: undefined });
    assertEquals(await pieces.next(), { done: true, value: undefined });
    assertEquals(told.at(-1), "drained");
    assertEquals(told.length, 4);
  });

  it("ends for whoever waits, and tells that all was read", async () => {
    const { queue: pieces, told } = queue();
    const next = pieces.next();
    pieces.end();
    assertEquals(await next, { done: true, value: undefined });
    assertEquals(told, ["drained"]);
  });

  it("fails for whoever waits, once, and forgets what nobody took", async () => {
    const { queue: pieces, told } = queue();
    const next = pieces.next();
    pieces.fail(new RangeError("cut"));
    await assertRejects(() => next, RangeError, "cut");
    assertEquals(await pieces.next(), { done: true, value: undefined });
    const { queue: full } = queue();
    full.push("a");
    full.fail(new RangeError("cut"));
    await assertRejects(() => full.next(), RangeError, "cut");
    assertEquals(told, []);
  });

  it("keeps to the first end it was told", async () => {
    const { queue: pieces } = queue();
    pieces.end();
    pieces.fail(new RangeError("late"));
    assertEquals((await pieces.next()).done, true);
  });

  it("tells that the reader has left, and wakes whoever waits", async () => {
    const { queue: pieces, told } = queue();
    const next = pieces.next();
    assertEquals(await pieces.return(), { done: true, value: undefined });
    await pieces.return();
    assertEquals(await next, { done: true, value: undefined });
    assertEquals(told, ["cancelled"]);
    pieces.push("late");
    assertEquals((await pieces.next()).done, true);
  });

  it("tells that the reader has left, though all that was to come had come", async () => {
    const { queue: pieces, told } = queue();
    pieces.push("a");
    pieces.end();
    await pieces.return();
    assertEquals(told, ["cancelled"]);
  });

  it("tells nothing when the reader leaves after a fault", async () => {
    const { queue: pieces, told } = queue();
    pieces.fail(new RangeError("cut"));
    await pieces.return();
    assertEquals(told, []);
  });
});

// ------------------------------------------------------------------------------------------ frames

const count = fc.nat();
const id = count;
const optional = (name: string) => fc.oneof(fc.constant({}), count.map((value) => ({ [name]: value })));
const frame = fc.oneof(
  fc.tuple(fc.record({ op: fc.constant("open" as const), id, flow: fc.boolean() }), optional("length"))
    .map(([open, length]) => ({ ...open, ...length })),
  fc.record({ op: fc.constant("data" as const), id, n: count, data: fc.string() }),
  fc.record({ op: fc.constant("end" as const), id, n: count, length: count, crc: count }),
  fc.record({ op: fc.constant("grant" as const), id, n: count }),
  fc.record({ op: fc.constantFrom("abort" as const, "done" as const), id }),
  fc.tuple(
    fc.record({
      op: fc.constant("refuse" as const),
      id,
      reason: fc.constantFrom("too_large" as const, "too_many", "timeout", "invalid", "cancelled"),
    }),
    optional("limit"),
  ).map(([refuse, limit]) => ({ ...refuse, ...limit })),
);

/** What each kind of frame must have beside its `id`. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  ...{ open: [], data: ["n", "data"], end: ["n", "length", "crc"], grant: ["n"], abort: [], done: [] },
  refuse: ["reason"],
};
const NUMBERS = ["id", "n", "length", "crc", "limit"];

describe("readChunk()", () => {
  it("reads every frame as it was meant, unknown members left out", () => {
    fc.assert(fc.property(frame, (given) => {
      const content = JSON.parse(JSON.stringify({ ...given, extra: 1 }));
      assertEquals<unknown>(readChunk(content), given);
    }));
  });

  it("throws nothing but MessageDecodeError with a path, and never takes junk", () => {
    const member = fc.oneof(fc.jsonValue(), count, fc.string(), fc.constantFrom(...Object.keys(REQUIRED)));
    const loose = fc.record({
      ...{ op: member, id: member, n: member, data: member, length: member },
      ...{ crc: member, reason: member, limit: member, flow: member },
    }, { requiredKeys: [] });
    const known = fc.record({ op: fc.constantFrom(...Object.keys(REQUIRED)), id });
    const content = fc.oneof(fc.jsonValue(), loose, fc.tuple(loose, known).map(([a, b]) => ({ ...a, ...b })));
    let taken = 0;
    fc.assert(
      fc.property(content, (content) => {
        try {
          const read = readChunk(content);
          taken++;
          const raw = content as Record<string, unknown>;
          assertEquals([read.op, read.id], [raw.op, raw.id]);
          for (const name of REQUIRED[read.op] ?? ["never"]) assert(Object.hasOwn(raw, name), name);
          for (const [name, value] of Object.entries(read)) {
            if (NUMBERS.includes(name)) assert(Number.isSafeInteger(value) && (value as number) >= 0, name);
            if (name === "data") assertEquals(typeof value, "string");
            if (name === "flow") assertEquals(value, raw.flow === true);
          }
        } catch (error) {
          if (!(error instanceof MessageDecodeError)) throw error;
          assertEquals(error.code, "invalid_shape");
          assertMatch(error.path, /^\$\.content(\.(op|id|n|data|length|crc|reason|limit))?$/);
        }
      }),
      { numRuns: 2000 },
    );
    assert(taken > 100); // else it has shown nothing
  });

  it("takes nothing from a prototype", () => {
    const content = Object.create({ op: "done", id: 1 });
    assertInstanceOf(assertThrows(() => readChunk(content)), MessageDecodeError);
  });

  it("shows nothing of what was received", () => {
    const error = assertThrows(() => readChunk({ op: "secret-op", id: 1 }), MessageDecodeError);
    assertEquals(error.message.includes("secret-op"), false);
  });

  it("takes a reason of a later version for cancelled", () => {
    assertEquals<unknown>(readChunk({ op: "refuse", id: 3, reason: "bored", limit: null }), {
      ...{ op: "refuse", id: 3, reason: "cancelled" },
    });
  });
});

describe("framesOfText()", () => {
  it("cuts a text into full pieces and tells its length and checksum", () => {
    for (const length of [0, 1, MAX_CHUNK_LENGTH - 1, MAX_CHUNK_LENGTH, MAX_CHUNK_LENGTH + 1, MAX_CHUNK_LENGTH * 2]) {
      const text = "0123456789abcdef".repeat(MAX_CHUNK_LENGTH / 8).slice(0, length);
      const [open, ...rest] = framesOfText(7, text);
      const end = rest.pop();
      assertEquals(open, { op: "open", id: 7, flow: false, length });
      assertEquals(rest.map((frame) => frame.op === "data" ? frame.data : "").join(""), text);
      assertEquals(rest.map((frame) => frame.op === "data" ? frame.n : -1), rest.map((_, n) => n));
      assertEquals(rest.length, Math.ceil(length / MAX_CHUNK_LENGTH));
      assertEquals(end, { op: "end", id: 7, n: rest.length, length, crc: crc32(Buffer.from(text)) });
    }
  });

  it("makes frames that no limit for them is below", () => {
    const data = '"'.repeat(MAX_CHUNK_LENGTH); // every character is escaped
    const frame = chunkMessage({ op: "data", id: Number.MAX_SAFE_INTEGER, n: Number.MAX_SAFE_INTEGER, data }, "qq");
    assertEquals(frame.message_type_name, CHUNK_NAME);
    assert(encodeMessage(frame).length <= MAX_CHUNK_FRAME_BYTES);
  });
});

describe("OutgoingTransfer", () => {
  const options = (given: Partial<OutgoingOptions>): OutgoingOptions => ({
    ...{ id: 1, timeout: 5000, sendFrame: () => {}, isBusy: () => false, progress: () => {} },
    timeoutError: () => new RangeError("late"),
    ...given,
  });

  /** A source of so many pieces. */
  function source(count: number): { next(): Promise<string | null>; cancel(): void; isCancelled: boolean } {
    const it = {
      isCancelled: false,
      next: () => Promise.resolve(count-- > 0 && !it.isCancelled ? "x" : null),
      cancel: () => void (it.isCancelled = true),
    };
    return it;
  }

  it("holds its pieces back while the line is busy", async () => {
    let isBusy = true;
    const ops: string[] = [];
    const looked = Promise.withResolvers<void>();
    let looks = 0;
    const transfer = new OutgoingTransfer(options({
      sendFrame: ({ op }) => void ops.push(op),
      isBusy: () => (++looks === 4 && looked.resolve(), isBusy),
    }));
    const run = transfer.run(source(2), null);
    transfer.grant(9);
    await looked.promise;
    assertEquals(ops, ["open"]);
    isBusy = false;
    transfer.done();
    await run;
    assertEquals(ops, ["open", "data", "data", "end"]);
  });

  it("gives up on a line that stays busy, and says so", async () => {
    const ops: string[] = [];
    const transfer = new OutgoingTransfer(options({
      ...{ timeout: 50, isBusy: () => true },
      sendFrame: ({ op }) => void ops.push(op),
    }));
    const pieces = source(2);
    const run = transfer.run(pieces, null);
    transfer.grant(9);
    await assertRejects(() => run, RangeError, "late");
    assertEquals([ops, pieces.isCancelled], [["open", "abort"], true]);
  });

  it("says nothing at all when it was given up before it began", async () => {
    const ops: string[] = [];
    const transfer = new OutgoingTransfer(options({ sendFrame: ({ op }) => void ops.push(op) }));
    transfer.abort(new RangeError("no"));
    const pieces = source(2);
    await assertRejects(() => transfer.run(pieces, null), RangeError, "no");
    assertEquals([ops, pieces.isCancelled], [[], true]);
  });
});

describe("Options of chunked transfer", () => {
  it("offer no chunks without room for their frames", () => {
    assertEquals(offeredFeatures(Infinity, {}), ["chunks", "ping"]);
    assertEquals(offeredFeatures(MAX_CHUNK_FRAME_BYTES, {}), ["chunks", "ping"]);
    assertEquals(offeredFeatures(MAX_CHUNK_FRAME_BYTES - 1, {}), ["ping"]);
    assertEquals(offeredFeatures(Infinity, null), ["ping"]);
  });

  const WRONG: readonly [chunks: unknown, error: typeof TypeError | typeof RangeError, text: string][] = [
    [true, TypeError, "'chunks'"],
    [{ transfers: 0 }, RangeError, "'chunks.transfers'"],
    [{ transfers: "2" }, TypeError, "'chunks.transfers'"],
    [{ timeout: 0 }, RangeError, "'chunks.timeout'"],
    [{ timeout: NaN }, TypeError, "'chunks.timeout'"],
  ];
  for (const [given, error, text] of WRONG) {
    it(`are refused by name: ${JSON.stringify(given)}`, () => {
      const chunks = given as { transfers: number };
      assertThrows(() => new MessageServer({ chunks }), error, text);
      assertThrows(() => new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq", chunks }), error, text);
    });
  }
});
