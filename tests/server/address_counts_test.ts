import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { AddressCounts } from "../../server/limits.ts";

describe("AddressCounts", () => {
  it("counts each address by itself, down to none", () => {
    const counts = new AddressCounts();
    for (const address of ["a", "b", "a"]) counts.add(address);
    assertEquals([counts.of("a"), counts.of("b"), counts.of("c")], [2, 1, 0]);
    counts.remove("a");
    assertEquals(counts.of("a"), 1);
    counts.remove("a");
    assertEquals([counts.of("a"), counts.of("b")], [0, 1]);
  });
});
