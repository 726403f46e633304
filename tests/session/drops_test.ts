import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { createCustom } from "../../mod.ts";
import { UnheardDrops } from "../../session/drops.ts";
import { Rounds } from "../../session/rounds.ts";
import { consoleErrors } from "../support/console.ts";
import { FakeClock } from "../support/fake_clock.ts";

const PREFIX = "@maim/message: drop without a listener: ";
const drop = (name: string) => ({ message: createCustom(name, null, "qq"), reason: "slow" });

describe("UnheardDrops", () => {
  it("prints one line for each second, with the first drop and the number of the others", async () => {
    using clock = new FakeClock();
    const lines = await consoleErrors(() => {
      const drops = new UnheardDrops(new Rounds());
      drops.add(drop("a"));
      clock.advance(100);
      for (const name of ["b", "c", "d"]) drops.add(drop(name));
      clock.advance(900);
      clock.advance(200);
      drops.add(drop("e"));
      drops.printNow();
      drops.printNow();
      assertEquals(clock.timers, 0);
    });
    assertEquals(lines, [
      `${PREFIX}custom message a (slow)`,
      `${PREFIX}custom message b (slow) and 2 more`,
      `${PREFIX}custom message e (slow)`,
    ]);
  });
});

describe("Rounds", () => {
  it("visits members until they need no more rounds, and leaves no timer", () => {
    using clock = new FakeClock();
    const rounds = new Rounds();
    const visits: string[] = [];
    const member = (name: string, most: number) => ({
      round: () => {
        visits.push(name);
        return visits.filter((each) => each === name).length < most;
      },
    });
    const [a, b] = [member("a", 1), member("b", 3)];
    rounds.add(a);
    rounds.add(b);
    rounds.add(b);
    clock.advance(200);
    rounds.remove(a);
    clock.advance(1000);
    assertEquals([visits, clock.timers], [["a", "b", "b", "b"], 0]);
  });
});
