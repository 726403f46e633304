import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";

import { runOracle } from "../long/oracle/campaign.ts";
import { currentRuntime } from "../support/peers/process.ts";
import { peerTest } from "../support/peers/python.ts";

describe("Oracle over real sockets, with a Python server", () => {
  peerTest("only what a half-open line has swallowed is lost silently", async () => {
    const { counts, failures } = await runOracle({ server: "python", from: 10, runs: 12, width: 4 });
    const told = failures.map(({ scenario: { seed }, violations }) => `seed ${seed}: ${violations}`);
    assertEquals(told, [], `deno task faults --oracle --server=python --runtime=${currentRuntime} --seed=N repeats it`);
    assert(counts.handled > 100 && counts.needed > 0, JSON.stringify(counts));
  });
});
