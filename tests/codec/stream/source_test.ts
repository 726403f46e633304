import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { decodeSegments } from "../../../codec.ts";
import { decodeTextBlocks } from "../../../codec/stream/segment_decoder.ts";
import { cut } from "../../support/chunks.ts";
import { messageText } from "../../support/samples.ts";
import { encoder, faultOf, list, open, readMessage } from "../../support/segments.ts";

describe("decodeSegments()", () => {
  it("throws invalid_json when it is no UTF-8", async () => {
    const whole = [...encoder.encode(messageText())];
    for (
      const bytes of [[0x22, 0xff, 0x22], [...whole, 0xe6, 0xbc], [...whole.slice(0, -3), 0xe6, ...whole.slice(-3)]]
    ) {
      for (const pieces of [[], [1]]) {
        const { code } = await faultOf(decodeSegments(cut(new Uint8Array(bytes), pieces)));
        assertEquals(code, "invalid_json");
      }
    }
  });

  it("throws a TypeError when its source gives no bytes", async () => {
    await assertRejects(() => readMessage(decodeSegments(["text"] as never)), TypeError);
    await assertRejects(() => readMessage(decodeTextBlocks([5] as never)), TypeError);
  });

  it("takes text of exactly maxBytes and no more", async () => {
    const text = list('{"type":"text","data":"漢😀"}');
    const { length } = encoder.encode(text);
    assertEquals((await readMessage(open(text, [5], { maxBytes: length }))).segments.length, 1);
    assertEquals((await readMessage(decodeTextBlocks(cut(text, [50]), { maxBytes: length }))).segments.length, 1);
    const found = [open(text, [5], { maxBytes: length - 1 }), decodeTextBlocks([text], { maxBytes: length - 1 })].map(
      faultOf,
    );
    for (const { code, path } of await Promise.all(found)) assertEquals([code, path], ["too_large", "$"]);
  });
});
