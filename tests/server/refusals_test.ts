import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { Refusals } from "../../server/refusals.ts";
import { FakeClock } from "../support/fake_clock.ts";

const refusal = (address: string) => ({ address, cause: "token", code: 1008 }) as const;

describe("Refusals", () => {
  it("reports each address and each cause by itself", () => {
    const refusals = new Refusals();
    assertEquals(refusals.count(refusal("a")), { ...refusal("a"), omitted: 0 });
    assertEquals(refusals.count(refusal("b")), { ...refusal("b"), omitted: 0 });
    assertEquals(refusals.count({ ...refusal("a"), cause: "path" })?.omitted, 0);
    assertEquals(refusals.count(refusal("a")), null);
  });

  it("reports an address again after a second, and says how many refusals it has left out", () => {
    using clock = new FakeClock();
    const refusals = new Refusals();
    const omitted = () => refusals.count(refusal("a"))?.omitted;
    assertEquals([omitted(), omitted(), omitted()], [0, undefined, undefined]);
    clock.advance(999);
    assertEquals(omitted(), undefined);
    clock.advance(1);
    assertEquals([omitted(), omitted()], [3, undefined]);
    clock.advance(1000);
    assertEquals(omitted(), 1);
  });

  it("reports 1000 other addresses in the next second, although one of the first is reported again", () => {
    using clock = new FakeClock();
    const refusals = new Refusals();
    const report = (address: number) => refusals.count(refusal(`${address}`)) !== null;
    const reported = (from: number) => Array.from({ length: 2000 }, (_, index) => report(from + index));
    assertEquals(reported(0).filter(Boolean).length, 1000);
    clock.advance(1000);
    assertEquals([report(5), reported(2000).filter(Boolean).length], [true, 999]);
  });

  it("reports at most 1000 addresses a second, and goes on after a second", async () => {
    const refusals = new Refusals();
    const report = (address: number) => refusals.count(refusal(`${address}`)) !== null;
    const since = performance.now();
    let reported = 0;
    for (let address = 0; address < 20_000; address++) if (report(address)) reported++;
    if (performance.now() - since < 1000) assertEquals(reported, 1000);
    let waited = 0;
    while (!report(20_000)) {
      waited++;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertEquals([waited > 0, performance.now() - since >= 1000], [true, true]);
    assertEquals(report(20_000), false);
  });
});
