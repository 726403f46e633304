import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { WrongTokens } from "../../server/wrong_tokens.ts";
import { FakeClock } from "../support/fake_clock.ts";

const MINUTE = 60_000;

/** Moves the clock to the end of a block; gives how many milliseconds that took. */
function waitUntilFree(wrong: WrongTokens, address: string, clock: FakeClock): number {
  let waited = 0;
  for (; wrong.isBlocked(address); waited += 500) clock.advance(500);
  return waited;
}

describe("WrongTokens", () => {
  it("blocks an address at its limit and no other", () => {
    using _clock = new FakeClock();
    const wrong = new WrongTokens(3);
    assertEquals([wrong.add("a"), wrong.add("a"), wrong.isBlocked("a")], [false, false, false]);
    assertEquals([wrong.add("a"), wrong.isBlocked("a"), wrong.isBlocked("b")], [true, true, false]);
  });

  it("doubles the block with each further wrong token, up to five minutes", () => {
    using clock = new FakeClock();
    const wrong = new WrongTokens(1);
    const blocks = Array.from({ length: 12 }, () => {
      wrong.add("a");
      return waitUntilFree(wrong, "a", clock) / 1000;
    });
    assertEquals(blocks, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  });

  it("starts anew for an address that was good for more than a minute after its block", () => {
    using clock = new FakeClock();
    const wrong = new WrongTokens(1);
    for (let count = 0; count < 3; count++) wrong.add("a");
    waitUntilFree(wrong, "a", clock);
    clock.advance(MINUTE);
    wrong.add("a");
    assertEquals(waitUntilFree(wrong, "a", clock), 8000);
    clock.advance(MINUTE + 1);
    wrong.add("a");
    assertEquals(waitUntilFree(wrong, "a", clock), 1000);
  });

  it("does not count wrong tokens that are more than a minute apart", () => {
    using clock = new FakeClock();
    const wrong = new WrongTokens(2);
    wrong.add("a");
    clock.advance(MINUTE + 1);
    assertEquals(wrong.add("a"), false);
    clock.advance(MINUTE);
    assertEquals(wrong.add("a"), true);
  });

  it("remembers ten thousand addresses, and forgets the oldest for one more", () => {
    using _clock = new FakeClock();
    const wrong = new WrongTokens(1);
    for (let index = 0; index < 10_000; index++) wrong.add(`${index}`);
    assertEquals([wrong.isBlocked("0"), wrong.isBlocked("9999")], [true, true]);
    wrong.add("one more");
    assertEquals(["0", "1", "9999", "one more"].map((address) => wrong.isBlocked(address)), [false, true, true, true]);
  });

  it("counts an address that starts anew as the newest", () => {
    using clock = new FakeClock();
    const wrong = new WrongTokens(1);
    wrong.add("0");
    clock.advance(MINUTE + 1001);
    for (let index = 1; index < 10_000; index++) wrong.add(`${index}`);
    wrong.add("0");
    wrong.add("one more");
    assertEquals(["0", "1", "2"].map((address) => wrong.isBlocked(address)), [true, false, true]);
  });
});
