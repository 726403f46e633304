import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { AddressCounts, MessageRate } from "../../server/limits.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** Counts how many of so many messages are within the rate. */
function takeAll(rate: MessageRate, count: number): number {
  let taken = 0;
  for (let index = 0; index < count; index++) if (rate.take()) taken++;
  return taken;
}

describe("MessageRate", () => {
  it("allows the messages of one second at once, and not one more", () => {
    using _clock = new FakeClock();
    assertEquals(takeAll(new MessageRate(5), 6), 5);
  });

  it("saves nothing up beyond one second, however long a peer was quiet", () => {
    using clock = new FakeClock();
    const rate = new MessageRate(5);
    clock.advance(3_600_000);
    assertEquals(takeAll(rate, 20), 5);
  });

  it("allows one more after each share of a second", () => {
    using clock = new FakeClock();
    const rate = new MessageRate(5);
    assertEquals(takeAll(rate, 5), 5);
    clock.advance(200);
    assertEquals([rate.take(), rate.take()], [true, false]);
  });

  it("counts what came too soon as well: a peer that goes on too fast stays too fast", () => {
    using clock = new FakeClock();
    const rate = new MessageRate(5);
    assertEquals(takeAll(rate, 10), 5);
    clock.advance(1000);
    assertEquals(rate.take(), false);
    clock.advance(400);
    assertEquals(rate.take(), true);
  });

  it("does not count a frame that was given back", () => {
    using _clock = new FakeClock();
    const rate = new MessageRate(2);
    assertEquals(rate.take(), true);
    rate.giveBack();
    assertEquals(takeAll(rate, 3), 2);
  });

  it("gives nothing back beyond one second's messages", () => {
    using _clock = new FakeClock();
    const rate = new MessageRate(2);
    for (let count = 0; count < 10; count++) rate.giveBack();
    assertEquals(takeAll(rate, 10), 2);
  });
});

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
