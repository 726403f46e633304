/**
 * One test that passes, one that leaves a timer behind and one that is skipped: what `std_test.ts` expects to be told.
 * @module
 */

import { describe, it } from "@std/testing/bdd";

describe("outer", () => {
  describe("inner", () => {
    it("passes", () => {});
    it("leaks", () => void setTimeout(() => {}, 60_000));
  });
  it.skip("waits", () => {});
});
