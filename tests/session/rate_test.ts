import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { Rate } from "../../session/rate.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** Counts how many of so many messages are within the rate. */
function takeAll(rate: Rate, count: number): number {
  let taken = 0;
  for (let index = 0; index < count; index++) if (rate.take()) taken++;
  return taken;
}

describe("Rate", () => {
  it("allows the messages of one second at once, and not one more", () => {
    using _clock = new FakeClock();
    assertEquals(takeAll(new Rate(5), 6), 5);
  });

  it("saves nothing up beyond one second, however long a peer was quiet", () => {
    using clock = new FakeClock();
    const rate = new Rate(5);
    clock.advance(3_600_000);
    assertEquals(takeAll(rate, 20), 5);
  });

  it("allows one more after each share of a second", () => {
    using clock = new FakeClock();
    const rate = new Rate(5);
    assertEquals(takeAll(rate, 5), 5);
    clock.advance(200);
    assertEquals([rate.take(), rate.take()], [true, false]);
  });

  it("does not count what it refuses", () => {
    using clock = new FakeClock();
    const rate = new Rate(5);
    assertEquals(takeAll(rate, 10), 5);
    clock.advance(200);
    assertEquals(takeAll(rate, 2), 1);
  });
});
