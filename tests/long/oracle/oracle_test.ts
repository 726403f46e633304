import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { currentRuntime } from "../../support/peers/process.ts";
import { runOracle } from "./campaign.ts";
import { Ledger, newCounts } from "./ledger.ts";
import { drawScenario } from "./scenario.ts";

/** What a ledger finds wrong, of one message that a client has sent. */
function verdictOf(write: (ledger: Ledger) => void, mayResend: boolean = false): string[] {
  const ledger = new Ledger();
  ledger.sent("c.1", null);
  ledger.sent("c.2", null);
  ledger.handled("c.2", "s1#1");
  write(ledger);
  ledger.judge(newCounts(), { mayResend, isAllowed: () => false, isDiscarded: () => false });
  return ledger.violations.map((text) => text.split(":")[0] ?? "");
}

describe("Oracle over real sockets", () => {
  it("finds what breaks the promise", () => {
    assertEquals(verdictOf(() => {}), ["silent"]);
    assertEquals(verdictOf((ledger) => ledger.dropped("c.1", "unconfirmed")), []);
    assertEquals(verdictOf((ledger) => ledger.thrown("c.1", "")), []);
    assertEquals(verdictOf((ledger) => ledger.handled("c.1", "s1#1")), ["order"]);
    assertEquals(verdictOf((ledger) => ledger.handled("c.1", "s1#2")), []);
    const twice = (ledger: Ledger) => ["s1#2", "s1#3"].forEach((way) => ledger.handled("c.1", way));
    assertEquals(verdictOf(twice), ["duplicate"]);
    assertEquals(verdictOf(twice, true), []);
    const untrue = (ledger: Ledger) => (ledger.handled("c.1", "s1#2"), ledger.dropped("c.1", "closed"));
    assertEquals(verdictOf(untrue), ["truth"]);
    const confirmed = (ledger: Ledger) => (ledger.confirmed(), ledger.dropped("c.1", "unconfirmed"));
    assertEquals(verdictOf(confirmed), ["confirmed"]);
    assertEquals(verdictOf((ledger) => ledger.handled("c.3", "s1#1")).length, 2);
  });

  it("draws the same scenario from the same seed", () => {
    assertEquals(drawScenario(7, "deno"), drawScenario(7, "deno"));
    assert(JSON.stringify(drawScenario(7, "deno")) !== JSON.stringify(drawScenario(8, "deno")));
  });

  it("nothing is lost silently between our own peers, whatever happens to line and server", async () => {
    const { counts, failures } = await runOracle({ server: currentRuntime, from: 1, runs: 24, width: 6 });
    const told = failures.map(({ scenario: { seed }, violations }) => `seed ${seed}: ${violations}`);
    assertEquals(told, [], `deno task faults --oracle --runtime=${currentRuntime} --seed=N repeats it`);
    assert(counts.handled > 500 && counts.needed > 0 && Object.keys(counts.faults).length > 10, JSON.stringify(counts));
  });
});
