import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Keepalive } from "../../maibot/fake/keepalive.ts";

/** A keepalive of short times, and what it has done. */
function start(onPing: (keepalive: () => Keepalive) => void = () => {}): {
  readonly keepalive: Keepalive;
  readonly given: Promise<void>;
  pings: number;
} {
  const { promise: given, resolve } = Promise.withResolvers<void>();
  const state = { pings: 0, given };
  const keepalive: Keepalive = new Keepalive({ interval: 10, timeout: 15 }, () => {
    state.pings++;
    result.pings = state.pings;
    onPing(() => keepalive);
  }, resolve);
  const result = { ...state, keepalive };
  return result;
}

describe("the keepalive of a FakeMaiBot", () => {
  it("gives up a connection that answers no ping", async () => {
    const started = start();
    await started.given; // its timers have ended, which the sanitizer sees
    assertEquals(started.pings >= 1, true);
  });

  it("goes on as long as pongs come", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started = start((keepalive) => {
      keepalive().pong();
      if (started.pings === 5) resolve();
    });
    const end = await Promise.race([promise.then(() => "lives"), started.given.then(() => "given up")]);
    started.keepalive.stop();
    assertEquals(end, "lives");
  });

  it("gives up when the pongs stop", async () => {
    const started = start((keepalive) => {
      if (started.pings <= 2) keepalive().pong();
    });
    await started.given;
    assertEquals(started.pings >= 3, true);
  });

  it("does nothing once it is stopped", () => {
    start().keepalive.stop(); // a timer that is left fails the test
  });
});
