import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient, type MessageClientOptions, MessageConnectionError } from "../../mod.ts";
import { runtime } from "../../runtime/mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeDials, type FakeWebSocket } from "../support/fake_dial.ts";
import { textMessage } from "../support/messages.ts";

const ADDRESS = "ws://127.0.0.1:1/ws";
/** Milliseconds after which an upgraded link counts as accepted. */
const PROBATION = 150;

/** Accepts the last dial. */
async function accept(dials: FakeDials, clock: FakeClock): Promise<FakeWebSocket> {
  const socket = await dials.last();
  socket.open();
  clock.advance(PROBATION);
  return socket;
}

async function sendStreamCode(client: MessageClient): Promise<string> {
  return (await assertRejects(() => client.sendStream(textMessage()), MessageConnectionError)).code;
}

describe("MessageClient on a clock that stands still", () => {
  it("counts attempts from 1 again only after a connection that lasted stableAfter", async () => {
    using clock = new FakeClock();
    using dials = new FakeDials();
    const reconnect = { minDelay: 1000, jitter: 0, stableAfter: 5000 };
    await using client = new MessageClient(ADDRESS, { platform: "qq", reconnect, heartbeat: false });
    const attempts: number[] = [];
    client.on("status", (status) => void (status.state === "waiting" && attempts.push(status.attempt)));
    const connected = client.connect();
    for (const [lasts, delay] of [[10, 1000], [4999, 2000], [4999, 4000], [5000, 1000]] as const) {
      const socket = await accept(dials, clock);
      assertEquals(client.status.state, "open");
      clock.advance(lasts);
      socket.end();
      clock.advance(delay);
    }
    await connected;
    assertEquals(attempts, [1, 2, 3, 1]);
  });

  it("sends streams in no state but open", async () => {
    using clock = new FakeClock();
    using dials = new FakeDials();
    const client = new MessageClient(ADDRESS, { platform: "qq", reconnect: { minDelay: 1000, jitter: 0 } });
    const codes: [string, string][] = [];
    const tryOut = async () => codes.push([client.status.state, await sendStreamCode(client)]);
    await tryOut();
    const connected = client.connect();
    await dials.last();
    await tryOut();
    const socket = await accept(dials, clock);
    await connected;
    socket.end();
    await tryOut();
    clock.advance(1000);
    const last = await accept(dials, clock);
    const closed = client.close();
    await tryOut();
    last.end();
    await closed;
    await tryOut();
    assertEquals(codes, [
      ["idle", "not_open"],
      ["connecting", "not_open"],
      ["waiting", "not_open"],
      ["closing", "closed"],
      ["closed", "closed"],
    ]);
  });
});

describe("MessageClient with a server that has said nothing", () => {
  const cases: readonly (readonly [canPing: boolean, heartbeat: MessageClientOptions["heartbeat"], waits: boolean])[] =
    [
      [false, { probe: true }, true],
      [true, { probe: false }, true],
      [false, { probe: false }, false],
      [true, false, false],
    ];
  for (const [canPing, heartbeat, waits] of cases) {
    const name = `${canPing ? "can" : "cannot"} ping, heartbeat ${JSON.stringify(heartbeat)}`;
    it(`${waits ? "keeps messages beyond the window" : "goes on sending"}: ${name}`, async () => {
      using clock = new FakeClock();
      using dials = new FakeDials();
      const target = runtime as { canPing: boolean };
      const original = runtime.canPing;
      target.canPing = canPing;
      try {
        const client = new MessageClient(ADDRESS, {
          platform: "qq",
          outbox: { maxMessages: 10 },
          reconnect: false,
          ...(heartbeat === undefined ? {} : { heartbeat }),
        });
        client.on("drop", () => {});
        const connected = client.connect();
        const socket = await accept(dials, clock);
        await connected;
        // The window is 100 messages.
        for (let count = 0; count < 105; count++) client.send(textMessage());
        assertEquals([client.stats.sent, client.stats.waiting], waits ? [100, 5] : [105, 0]);
        socket.end();
        await client.close();
        assertEquals(client.status.state, "closed");
      } finally {
        target.canPing = original;
      }
    });
  }
});
