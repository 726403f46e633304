import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import type { ChunkFrame } from "../../../session/transfer/frames.ts";
import { chunkSettings } from "../../../session/transfer/options.ts";
import { OutgoingTransfer } from "../../../session/transfer/outgoing.ts";
import { Transfers } from "../../../session/transfer/transfers.ts";

/** Transfers over a connection that is not there, and the answers to whole texts. */
function transfersOf(): { transfers: Transfers; answers: string[] } {
  const answers: string[] = [];
  const transfers = new Transfers({
    sendFrame: () => {},
    buffered: () => 0,
    wantsStreams: () => false,
    streamed: () => {},
    collected: () => true,
    invalid: () => {},
    answered: (id, error) => void answers.push(`${id} ${error?.code ?? "done"}`),
    full: () => {},
  }, { transfers: 4, timeout: 60_000, maxBytes: 2 ** 20, maxDepth: 32 });
  return { transfers, answers };
}

const refusal = (id: number): ChunkFrame => ({ op: "refuse", id, reason: "too_many" });

describe("Transfers.wholeText()", () => {
  it("waits for one answer to each text", () => {
    const { transfers, answers } = transfersOf();
    const ids = ["a", "b"].map((text) => transfers.wholeText(text).id);
    assertEquals(ids.map((id) => transfers.needsFrame(refusal(id))), [true, true]);
    transfers.receive({ op: "done", id: 1 });
    transfers.receive(refusal(1));
    transfers.receive(refusal(2));
    transfers.receive(refusal(2));
    assertEquals([answers, transfers.needsFrame(refusal(2))], [["1 done", "2 queue_full"], false]);
  });
});

describe("OutgoingTransfer.isUsefulGrant()", () => {
  it("takes a grant of more chunks, at most two windows ahead", () => {
    const transfer = new OutgoingTransfer({
      id: 1,
      timeout: 1000,
      sendFrame: () => {},
      isBusy: () => false,
      progress: () => {},
      timeoutError: () => new Error("timeout"),
    });
    assertEquals([0, 1, 8, 9].map((n) => transfer.isUsefulGrant(n)), [false, true, true, false]);
    transfer.grant(4);
    assertEquals([4, 5].map((n) => transfer.isUsefulGrant(n)), [false, true]);
  });
});

describe("chunkSettings()", () => {
  it("fills in the defaults that are documented", () => {
    assertEquals(chunkSettings("MessageClient", undefined), { transfers: 8, timeout: 30_000 });
    assertEquals(chunkSettings("MessageClient", false), null);
  });
});
