import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { TransferBudget } from "../../../session/transfer/budget.ts";
import { Crc32 } from "../../../session/transfer/crc32.ts";
import type { ChunkFrame } from "../../../session/transfer/frames.ts";
import { type ChunkSink, collectText, IncomingTransfer } from "../../../session/transfer/incoming.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const TIMEOUT = 1000;

/** A transfer that was opened, and the frames that it sends. */
function incoming(): { transfer: IncomingTransfer; frames: string[] } {
  const frames: string[] = [];
  const transfer = new IncomingTransfer(
    { op: "open", id: 1, flow: false },
    { isStream: false, timeout: TIMEOUT, budget: new TransferBudget(2 ** 20) },
    {
      sendFrame: (frame) => void frames.push("reason" in frame ? `${frame.op} ${frame.reason}` : frame.op),
      over: () => {},
      refusal: (reason) => new Error(reason),
      full: () => {},
    },
  );
  return { transfer, frames };
}

function endOf(text: string, n: number): ChunkFrame & { op: "end" } {
  const crc = new Crc32();
  crc.push(text);
  return { op: "end", id: 1, n, length: text.length, crc: crc.value };
}

describe("IncomingTransfer", () => {
  it("is refused after timeout without progress, counted from each chunk, each chunk taken and the end", () => {
    using clock = new FakeClock();
    const { transfer, frames } = incoming();
    const sink: ChunkSink = { push: () => {}, end: () => {}, fail: () => {} };
    transfer.begin(sink);
    const steps = [
      () => transfer.data({ op: "data", id: 1, n: 0, data: "a" }),
      () => transfer.chunkTaken(1),
      () => transfer.end(endOf("a", 1)),
    ];
    for (const step of steps) {
      clock.advance(TIMEOUT - 1);
      assertEquals(frames, []);
      step();
    }
    clock.advance(TIMEOUT - 1);
    assertEquals(frames, []);
    clock.advance(1);
    assertEquals([frames, clock.timers], [["refuse timeout"], 0]);
  });
});

describe("collectText()", () => {
  it("joins very many chunks in order", () => {
    using clock = new FakeClock();
    const { transfer, frames } = incoming();
    const texts: string[] = [];
    transfer.begin(collectText(transfer, (text) => texts.push(text) > 0));
    const chunks = Array.from({ length: 1000 }, (_, n) => `${n},`);
    for (const [n, data] of chunks.entries()) transfer.data({ op: "data", id: 1, n, data });
    transfer.end(endOf(chunks.join(""), chunks.length));
    assertEquals([texts, frames, clock.timers], [[chunks.join("")], ["done"], 0]);
  });
});
