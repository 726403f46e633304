import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { Heartbeat } from "../../client/heartbeat.ts";
import type { HeartbeatOptions } from "../../client.ts";
import { resolveOptions } from "../../client/settings.ts";
import { soon } from "../support/peers/inbox.ts";

/** A heartbeat whose questions the test answers. */
function heartbeat(
  options: HeartbeatOptions,
  { answers = true, canAsk = true, bufferedAmount = 0 } = {},
): {
  heart: Heartbeat;
  target: { heardAt: number };
  asked: AbortSignal[];
  dead: Promise<number>;
  questions: Promise<void>[];
} {
  const asked: AbortSignal[] = [];
  const { promise: dead, resolve } = Promise.withResolvers<number>();
  const start = performance.now();
  const resolvers = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const target = {
    bufferedAmount,
    heardAt: performance.now(),
    ask(signal: AbortSignal) {
      asked.push(signal);
      if (answers) target.heardAt = performance.now();
      resolvers[asked.length - 1]?.resolve();
      return canAsk;
    },
    dead: () => resolve(performance.now() - start),
  };
  const heart = new Heartbeat(resolveOptions({ platform: "qq", heartbeat: options }).heartbeat!, target);
  return { heart, target, asked, dead, questions: resolvers.map(({ promise }) => promise) };
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
    const { heart, target, asked, questions } = heartbeat({ interval: 500, timeout: 10 });
    heart.start();
    const end = performance.now() + 700;
    while (performance.now() < end) {
      target.heardAt = performance.now();
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

  it("ends when there is no way to ask", async () => {
    const { heart, asked, questions } = heartbeat({ interval: 5, timeout: 5 }, { canAsk: false });
    heart.start();
    await soon(questions[0] ?? Promise.reject());
    assertEquals([asked.length, asked[0]?.aborted], [1, true]);
    heart.stop();
  });
});
