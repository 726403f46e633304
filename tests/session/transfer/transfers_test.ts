import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import type { ChunkFrame } from "../../../session/transfer/frames.ts";
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
