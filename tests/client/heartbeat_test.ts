import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { Heartbeat } from "../../client/heartbeat.ts";
import type { HeartbeatOptions } from "../../client.ts";
import { resolveOptions } from "../../client/settings.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { soon } from "../support/peers/inbox.ts";

/** A heartbeat whose questions the test answers. */
function heartbeat(
  options: HeartbeatOptions,
  { answers = true, canAsk = true, bufferedAmount = 0 } = {},
): { heart: Heartbeat; asked: AbortSignal[]; dead: Promise<number>; questions: Promise<void>[] } {
  const asked: AbortSignal[] = [];
  const { promise: dead, resolve } = Promise.withResolvers<number>();
  const start = performance.now();
  const resolvers = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const heart: Heartbeat = new Heartbeat(resolveOptions({ platform: "qq", heartbeat: options }).heartbeat!, {
    bufferedAmount,
    ask(signal) {
      asked.push(signal);
      if (answers) heart.received();
      resolvers[asked.length - 1]?.resolve();
      return canAsk;
    },
    dead: () => resolve(performance.now() - start),
  });
  return { heart, asked, dead, questions: resolvers.map(({ promise }) => promise) };
}

describe("Heartbeat", () => {
  it("gives the server up when it does not answer within timeout", async () => {
    const { heart, asked, dead } = heartbeat({ interval: 20, timeout: 30 }, { answers: false });
    heart.start();
    const took = await soon(dead);
    assert(took >= 45, `gave up after ${took} ms`);
    assertEquals(asked.length, 1);
    heart.stop();
  });

  it("goes on asking a server that answers", async () => {
    const { heart, questions } = heartbeat({ interval: 10, timeout: 10 });
    heart.start();
    await soon(Promise.all(questions));
    heart.stop();
  });

  it("does not ask while there are signs of life", async () => {
    const { heart, asked, questions } = heartbeat({ interval: 500, timeout: 10 });
    heart.start();
    const end = performance.now() + 700;
    while (performance.now() < end) {
      heart.received();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(asked.length, 0);
    await soon(questions[0] ?? Promise.reject());
    heart.stop();
  });

  it("waits longer while an upload is still leaving", async () => {
    // 13 kB at the slowest plausible rate are 100 ms more.
    const { heart, dead } = heartbeat({ interval: 10, timeout: 10 }, { answers: false, bufferedAmount: 13_108 });
    heart.start();
    const took = await soon(dead);
    assert(took >= 110, `gave up after ${took} ms`);
    heart.stop();
  });

  it("is silent since the last sign of life, once an answer is overdue", async () => {
    const { heart, dead } = heartbeat({ interval: 10, timeout: 20 }, { answers: false });
    heart.start();
    assertEquals(heart.silentSince, Infinity);
    await soon(dead);
    assert(heart.silentSince < performance.now() - 20);
    heart.stop();
  });

  it("never calls back once stopped, and takes its question back", async () => {
    const { heart, asked, questions } = heartbeat({ interval: 5, timeout: 1000 }, { answers: false });
    heart.start();
    await soon(questions[0] ?? Promise.reject());
    heart.stop();
    assertEquals(asked[0]?.aborted, true);
    assertEquals(heart.silentSince, Infinity);
  });

  it("takes a question back once its time is over, answered or not", () => {
    for (const answers of [true, false]) {
      using clock = new FakeClock();
      const { heart, asked } = heartbeat({ interval: 100, timeout: 30 }, { answers });
      heart.start();
      clock.advance(129);
      assertEquals(asked.map(({ aborted }) => aborted), [false]);
      clock.advance(1);
      assertEquals(asked.map(({ aborted }) => aborted), [true]);
      heart.stop();
      assertEquals(clock.timers, 0);
    }
  });

  it("ends when there is no way to ask", async () => {
    const { heart, asked, questions } = heartbeat({ interval: 5, timeout: 5 }, { canAsk: false });
    heart.start();
    await soon(questions[0] ?? Promise.reject());
    assertEquals([asked.length, asked[0]?.aborted], [1, true]);
    heart.stop();
  });
});
