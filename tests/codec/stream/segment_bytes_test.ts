import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageDecodeError, segBytes } from "../../../codec.ts";
import { seg } from "../../../schema.ts";

describe("segBytes()", () => {
  const bytes = new Uint8Array([251, 239, 190, 1]);
  for (
    const segment of [
      seg.image(bytes),
      seg.voice(bytes),
      seg.emoji(bytes),
      seg.of("video", "--++\nAQ"),
      seg.file({ base64: bytes }),
      seg.of("image", "data:image/png;base64,++++AQ=="),
      seg.of("image", bytes),
      seg.of("file", { base64: bytes }),
    ]
  ) {
    it(`gives the bytes of ${JSON.stringify(segment)}`, () => assertEquals(segBytes(segment), bytes));
  }

  for (
    const [segment, path] of [
      [seg.text("AQID"), "$.data"],
      [seg.of("emoji", "😀"), "$.data"],
      [seg.of("image", "SECRET?"), "$.data"],
      [seg.of("image"), "$.data"],
      [seg.of("file", "/tmp/SECRET"), "$.data"],
      [seg.of("file", { name: "a" }), "$.data"],
      [seg.of("file", { base64: "SECRET?" }), "$.data.base64"],
      [seg.of("file", { base64: null }), "$.data.base64"],
    ] as const
  ) {
    it(`throws invalid_shape at ${path} when it is given ${JSON.stringify(segment)}`, () => {
      const error = assertThrows(() => segBytes(segment), MessageDecodeError);
      assertEquals([error.code, error.path], ["invalid_shape", path]);
      assert(!`${error.message}${JSON.stringify(error)}`.includes("SECRET"));
    });
  }
});
