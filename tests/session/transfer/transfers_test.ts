import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import type { ChunkFrame } from "../../../session/transfer/frames.ts";
import { Transfers } from "../../../session/transfer/transfers.ts";
import { plainText, type WireMessage } from "../../../mod.ts";
import { textMessage } from "../../support/messages.ts";

/** Transfers over a connection that is not there, and the messages the other side refused, by their text. */
function transfersOf(): { transfers: Transfers; refused: string[] } {
  const refused: string[] = [];
  const transfers = new Transfers({
    sendFrame: () => {},
    buffered: () => 0,
    wantsStreams: () => false,
    streamed: () => {},
    collected: () => true,
    invalid: () => {},
    refused: (message: WireMessage) => void refused.push("message_info" in message ? plainText(message) : ""),
  }, { transfers: 4, timeout: 60_000, maxBytes: 2 ** 20, maxDepth: 32 });
  return { transfers, refused };
}

const refusal = (id: number): ChunkFrame => ({ op: "refuse", id, reason: "too_many" });

describe("Transfers.framesOf()", () => {
  it("remembers the last four messages without an answer, and no more", () => {
    const { transfers, refused } = transfersOf();
    for (const name of ["1", "2", "3", "4"]) transfers.framesOf(textMessage(name), name);
    assertEquals([1, 2, 3, 4].map((id) => transfers.needsFrame(refusal(id))), [true, true, true, true]);
    transfers.framesOf(textMessage("5"), "5");
    assertEquals([1, 2, 5].map((id) => transfers.needsFrame(refusal(id))), [false, true, true]);
    for (const id of [1, 2, 5]) transfers.receive(refusal(id));
    assertEquals(refused, ["2", "5"]);
  });

  it("forgets a message once it is answered", () => {
    const { transfers, refused } = transfersOf();
    for (const name of ["1", "2"]) transfers.framesOf(textMessage(name), name);
    transfers.receive({ op: "done", id: 1 });
    transfers.receive(refusal(1));
    transfers.receive(refusal(2));
    transfers.receive(refusal(2));
    assertEquals(refused, ["2"]);
  });
});
