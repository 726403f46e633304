import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";

import { Places } from "../../server/places.ts";

interface Caller {
  readonly address: string;
}

const caller = (address = "a"): Caller => ({ address });

/** Lets a caller in, if there is a place for it. */
function letIn(places: Places<Caller>, holder: Caller): boolean {
  if (places.limitFor(holder.address) !== null) return false;
  places.take(holder.address);
  return true;
}

describe("Places", () => {
  it("gives the place of a caller that was turned out to another one", () => {
    const places = new Places<Caller>({ connections: 1, connectionsPerAddress: 1, turnedOut: 1 });
    const [first, second] = [caller(), caller()];
    assertEquals([letIn(places, first), letIn(places, second)], [true, false]);
    places.turnOut(first);
    places.turnOut(first); // a second time changes nothing
    assertEquals([places.turnedOut, letIn(places, second), letIn(places, caller())], [1, true, false]);
  });

  it("keeps the place of a caller that was turned out while there is no room, until another is gone", () => {
    const places = new Places<Caller>({ connections: 1, connectionsPerAddress: Infinity, turnedOut: 1 });
    const [first, second, third] = [caller(), caller(), caller()];
    letIn(places, first);
    places.turnOut(first);
    letIn(places, second);
    places.turnOut(second);
    assertEquals([places.turnedOut, places.canTurnOut, letIn(places, third)], [2, false, false]);
    places.remove(first);
    assertEquals([places.turnedOut, places.canTurnOut, letIn(places, third)], [1, false, true]);
  });

  it("counts a caller that was turned out and waits for room against its address", () => {
    const places = new Places<Caller>({ connections: 9, connectionsPerAddress: 1, turnedOut: 1 });
    places.addTurnedOut(caller("other"));
    const first = caller();
    letIn(places, first);
    places.turnOut(first);
    assertEquals([places.limitFor("a"), places.limitFor("b")], ["connectionsPerAddress", null]);
    places.remove(first);
    assertEquals([places.limitFor("a"), places.turnedOut], [null, 1]);
  });

  it("never books more than connections + turnedOut, and is empty at the end", () => {
    const limits = { connections: 3, connectionsPerAddress: 2, turnedOut: 2 };
    const steps = fc.array(fc.tuple(fc.constantFrom("in", "wrong", "out", "gone"), fc.nat(7)), { maxLength: 200 });
    fc.assert(fc.property(steps, (steps) => {
      const places = new Places<Caller>(limits);
      const open: Caller[] = []; // sockets that exist
      const good = new Set<Caller>(); // those of callers that were not turned out
      for (const [step, index] of steps) {
        const holder = open[index % Math.max(1, open.length)];
        const next = caller("ab"[index % 2]);
        if (step === "in" && letIn(places, next)) {
          open.push(next);
          good.add(next);
        } else if (step === "wrong" && places.canTurnOut) {
          places.addTurnedOut(next);
          open.push(next);
        } else if (step === "out" && holder !== undefined) {
          places.turnOut(holder);
          good.delete(holder);
        } else if (step === "gone" && holder !== undefined) {
          places.remove(holder);
          open.splice(open.indexOf(holder), 1);
          good.delete(holder);
        }
        assertEquals(places.turnedOut, open.length - good.size);
        assertEquals(open.length <= limits.connections + limits.turnedOut, true, `${open.length} sockets`);
        // Callers with the right token are kept out only by those that were let in, as long as there is room.
        if (places.canTurnOut) assertEquals(places.limitFor("c") === null, good.size < limits.connections);
      }
      for (const holder of open) places.remove(holder);
      for (let index = 0; index < limits.connections; index++) assertEquals(letIn(places, caller(`${index}`)), true);
      assertEquals([letIn(places, caller("c")), places.turnedOut], [false, 0]);
    }));
  });
});
