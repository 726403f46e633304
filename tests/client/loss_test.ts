import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { countLoss } from "../support/peers/loss.ts";
import { currentRuntime } from "../support/peers/process.ts";

describe("Loss count", () => {
  for (const inDoubt of ["report", "resend"] as const) {
    it(`every number is received, reported or thrown when a ${currentRuntime} server is killed, with ${inDoubt}`, async () => {
      const result = await countLoss({ server: currentRuntime, inDoubt, messages: 1000, kills: 2, rate: 500 });
      assertEquals(result.silent, 0, JSON.stringify(result));
      if (inDoubt === "report") assertEquals([result.duplicates, result.disordered], [0, 0], JSON.stringify(result));
    });
  }
});
