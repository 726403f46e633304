import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { Refusals } from "../../server/refusals.ts";

const refusal = (address: string) => ({ address, cause: "token", code: 1008 }) as const;

describe("Refusals", () => {
  it("reports each address and each cause by itself", () => {
    const refusals = new Refusals();
    assertEquals(refusals.count(refusal("a")), { ...refusal("a"), omitted: 0 });
    assertEquals(refusals.count(refusal("b")), { ...refusal("b"), omitted: 0 });
    assertEquals(refusals.count({ ...refusal("a"), cause: "path" })?.omitted, 0);
    assertEquals(refusals.count(refusal("a")), null);
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
