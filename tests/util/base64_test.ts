import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";

import { Base64Decoder, decodeBase64 } from "../../util/base64.ts";
import { concat, cut, sizes } from "../support/chunks.ts";
import { check } from "../support/segments.ts";

const alphabet = fc.string({
  unit: fc.oneof({ weight: 8, arbitrary: fc.constantFrom("A", "b", "9", "+", "/") }, {
    weight: 2,
    arbitrary: fc.constantFrom("-", "_", " ", "\n", "=", "==", "?", "漢", "data:", ";base64,", "\u000b"),
  }),
  maxLength: 30,
});

function inPieces(text: string, pieces: readonly number[]): Uint8Array {
  const decoder = new Base64Decoder(() => new SyntaxError("not base64"));
  return concat([...cut(text, pieces).map((piece) => decoder.push(piece)), decoder.end()]);
}

function attempt(act: () => Uint8Array | null): string | undefined {
  try {
    return act()?.toHex();
  } catch (error) {
    assertInstanceOf(error, SyntaxError);
    return undefined;
  }
}

describe("Base64Decoder", () => {
  it("takes what decodeBase64() takes, cut anywhere, and gives the same", async () => {
    await check(5000, fc.tuple(alphabet, sizes), ([text, pieces]) => {
      assertStrictEquals(attempt(() => inPieces(text, pieces)), attempt(() => decodeBase64(text)));
    });
  });

  it("gives the bytes that were encoded", async () => {
    const options = fc.record({ alphabet: fc.constantFrom("base64", "base64url"), omitPadding: fc.boolean() });
    await check(1000, fc.tuple(fc.uint8Array({ maxLength: 60 }), options, sizes), ([bytes, options, pieces]) => {
      const text = bytes.toBase64(options as Parameters<Uint8Array["toBase64"]>[0]);
      assertEquals(inPieces(`data:image/png;base64,${text}`, pieces), bytes);
      assertEquals(decodeBase64(text), bytes);
    });
  });

  it("holds nothing of a flood of spaces or padding", () => {
    const decoder = new Base64Decoder(() => new SyntaxError("not base64"));
    const began = performance.now();
    decoder.push("AAA");
    for (let index = 0; index < 2000; index++) decoder.push(" ".repeat(1000));
    decoder.push("A==");
    for (let index = 0; index < 2000; index++) decoder.push("= ".repeat(500));
    decoder.end();
    assert(performance.now() - began < 5000);
  });
});
