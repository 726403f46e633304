import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { Heartbeat } from "../../client/heartbeat.ts";
import type { HeartbeatOptions } from "../../client.ts";
import { resolveOptions } from "../../client/settings.ts";
import { runtime } from "../../runtime/mod.ts";
import type { UploadProgress } from "../../client/upload.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { soon } from "../support/peers/inbox.ts";

const NOTHING: UploadProgress = { queued: 0, left: 0, step: 0 };

interface Watched {
  readonly heart: Heartbeat;
  readonly target: { heardAt: number };
  readonly asked: AbortSignal[];
  /** Milliseconds from the start until the server was given up. */
  readonly dead: Promise<number>;
  /** The same, for each time. */
  readonly times: readonly number[];
  readonly questions: Promise<void>[];
}

/**
 * A heartbeat whose questions the test answers. `uploads` are what it sees of the upload, one look after the other; it
 * sees the last of them for ever.
 */
function heartbeat(
  options: HeartbeatOptions,
  { answers = true, canAsk = true, uploads = [NOTHING] }: {
    answers?: boolean;
    canAsk?: boolean;
    uploads?: readonly UploadProgress[];
  } = {},
): Watched {
  let looks = 0;
  const asked: AbortSignal[] = [];
  const { promise: dead, resolve } = Promise.withResolvers<number>();
  const start = runtime.now();
  const times: number[] = [];
  const resolvers = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const target = {
    heardAt: runtime.now(),
    get upload() {
      return uploads[looks++] ?? uploads.at(-1) ?? NOTHING;
    },
    ask(signal: AbortSignal) {
      asked.push(signal);
      if (answers) target.heardAt = runtime.now();
      resolvers[asked.length - 1]?.resolve();
      return canAsk;
    },
    dead() {
      times.push(runtime.now() - start);
      resolve(runtime.now() - start);
    },
  };
  const heart = new Heartbeat(resolveOptions({ platform: "qq", heartbeat: options }).heartbeat!, target);
  return { heart, target, asked, dead, times, questions: resolvers.map(({ promise }) => promise) };
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
      target.heardAt = runtime.now();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(asked.length, 0);
    await soon(questions[0] ?? Promise.reject());
    heart.stop();
  });

  // Each upload is one look. 13,108 bytes take 100 ms at the slowest expected rate, 1 TB takes 88 days.
  const uploads: readonly (readonly [what: string, after: number, uploads: readonly UploadProgress[]])[] = [
    ["waits the time that the largest step of the upload takes", 40 + 140, [{ queued: 1e12, left: 0, step: 13_108 }]],
    ["waits as long as the bytes before the question move", 40 + 5 * 40, [
      { queued: 1e12, left: 0, step: 1 },
      ...[1, 2, 3, 4].map((looks) => ({ queued: 1e12, left: looks * 1e10, step: 1 })),
    ]],
    ["waits for the answer once the bytes before the question have left", 40 + 80, [
      { queued: 1e12, left: 0, step: 1e12 },
      { queued: 1e12, left: 1e12, step: 1e12 },
    ]],
    ["waits the time that the kernels' buffers take at the speed of the upload", 40 + 40 + 200 + 40, [
      { queued: 2 * 2 ** 20, left: 0, step: 1 },
      { queued: 2 * 2 ** 20, left: 2 * 2 ** 20, step: 1 }, // a fifth of the buffers in 40 ms
    ]],
    ["does not wait for bytes that were queued after the question", 40 + 40, [
      { queued: 10, left: 10, step: 10 },
      ...Array.from({ length: 100 }, (_, looks) => ({ queued: 1e12, left: 10 + (looks + 1) * 1e9, step: 1e12 })),
    ]],
    ["does not wait longer for a large frame that was queued after the question", 40 + 40, [
      { queued: 10, left: 0, step: 10 },
      { queued: 1e12, left: 0, step: 1e12 },
    ]],
  ];
  for (const [what, after, looks] of uploads) {
    it(`${what}, and then gives the server up`, () => {
      using clock = new FakeClock();
      const { heart, asked, times } = heartbeat({ interval: 40, timeout: 40 }, { answers: false, uploads: looks });
      heart.start();
      clock.advance(10_000);
      assertEquals(times.map(Math.round), [after]);
      assertEquals(asked.map((signal) => signal.aborted), [true]);
      heart.stop();
      assertEquals(clock.timers, 0);
    });
  }

  it("takes an answer that comes while the upload moves", async () => {
    const looked = Promise.withResolvers<void>();
    const moving = Array.from({ length: 100 }, (_, left) => ({
      queued: 1e8,
      get left() {
        if (left === 4) looked.resolve();
        return left;
      },
      step: 1,
    }));
    const { heart, target, asked, questions } = heartbeat({ interval: 20, timeout: 20 }, {
      answers: false,
      uploads: moving,
    });
    heart.start();
    await soon(looked.promise);
    target.heardAt = runtime.now();
    await soon(questions[1] ?? Promise.reject());
    assertEquals(asked.map((signal) => signal.aborted), [true, false]);
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

  it("is silent only while a question has had no answer for a second", () => {
    for (const answers of [false, true]) {
      using clock = new FakeClock();
      const { heart, target } = heartbeat({ interval: 5000, timeout: 5000 }, { answers });
      const start = target.heardAt;
      heart.start();
      clock.advance(4999);
      assertEquals(heart.silentSince, Infinity);
      clock.advance(1 + 999);
      assertEquals(heart.silentSince, Infinity);
      clock.advance(1);
      assertEquals(heart.silentSince, answers ? Infinity : start);
      heart.stop();
      assertEquals(heart.silentSince, Infinity);
    }
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

  it("asks again an interval after an answer, also if the timeout is longer", () => {
    using clock = new FakeClock();
    const { heart, asked } = heartbeat({ interval: 100, timeout: 10_000 }, { answers: true });
    heart.start();
    clock.advance(100);
    assertEquals(asked.length, 1);
    clock.advance(100);
    assertEquals(asked.length, 2);
    heart.stop();
  });

  it("ends when there is no way to ask", async () => {
    const { heart, asked, questions } = heartbeat({ interval: 5, timeout: 5 }, { canAsk: false });
    heart.start();
    await soon(questions[0] ?? Promise.reject());
    assertEquals([asked.length, asked[0]?.aborted], [1, true]);
    heart.stop();
  });
});
