import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { Link, type LinkEnd } from "../../client/link.ts";
import { resolveOptions } from "../../client/settings.ts";
import { Rounds } from "../../session/rounds.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeDials, type FakeWebSocket } from "../support/fake_dial.ts";

/** A link that dials a fake socket, and its ends. */
async function linkOf(dials: FakeDials): Promise<{ link: Link; socket: FakeWebSocket; ends: LinkEnd[] }> {
  const { session } = resolveOptions({ platform: "qq" });
  const ends: LinkEnd[] = [];
  const sessionEvents = {
    rounds: new Rounds(),
    collected: () => {},
    wantsStreams: () => false,
    streamed: () => {},
    refused: () => {},
  };
  const options = { platform: "qq", canFindOut: false, headers: {}, ca: [], connectTimeout: 1000, session };
  const link = new Link("ws://127.0.0.1:1/ws", { ...options, sessionEvents }, {
    usable: () => {},
    wantsFrames: () => true,
    received: () => {},
    confirmed: () => {},
    findOut: () => {},
    ended: (end) => void ends.push(end),
  });
  return { link, socket: await dials.last(), ends };
}

describe("Link.close()", () => {
  it("starts one closing handshake: a second call neither repeats it nor prolongs it", async () => {
    using clock = new FakeClock();
    using dials = new FakeDials();
    const { link, socket, ends } = await linkOf(dials);
    socket.open();
    clock.advance(150);
    link.close(100);
    clock.advance(50);
    link.close(5000);
    assertEquals(socket.closes, 1);
    clock.advance(49);
    assertEquals(ends, []);
    clock.advance(1);
    assertEquals(ends.map(({ code, timeout }) => [code, timeout]), [[1006, 100]]);
    assertEquals(clock.timers, 0);
  });

  it("does nothing once the link has ended", async () => {
    using clock = new FakeClock();
    using dials = new FakeDials();
    const { link, socket, ends } = await linkOf(dials);
    socket.open();
    socket.end(1001, "bye");
    link.close(100);
    assertEquals([link.isEnded, socket.closes, clock.timers], [true, 0, 0]);
    clock.advance(1000);
    assertEquals(ends.map(({ code, reason }) => [code, reason]), [[1001, "bye"]]);
  });
});
