import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageEncodeError } from "../../codec.ts";
import { createCustom, type MessageBase } from "../../schema.ts";
import { MessageConnectionError, MessageServer, type Peer } from "../../server.ts";
import { textMessage, wireText } from "../support/messages.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import type { RawPeer } from "../support/peers/raw.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { closeOf, dial, nextText, statsOf } from "../support/server.ts";

describe("Peer", () => {
  /** A server, the raw client and its peer. */
  async function withServerPeer(
    run: (peer: Peer, raw: RawPeer, server: MessageServer, events: ServerEvents) => Promise<void>,
  ): Promise<void> {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using raw = await dial(server.listen({ port: 0 }), "qq");
    const [peer] = await events.next("open");
    await run(peer, raw, server, events);
  }

  it("send() sends to its connection, whatever the platform of the message", async () => {
    await withServerPeer(async (peer, raw) => {
      peer.send(textMessage("to qq", "tg"));
      assertEquals(await nextText(raw), "to qq");
    });
  });

  it("send() throws MessageEncodeError when the message is wrong", async () => {
    await withServerPeer((peer) => {
      assertThrows(() => peer.send({} as MessageBase), MessageEncodeError);
      return Promise.resolve();
    });
  });

  it("send() throws 'closed' when the connection is ending or gone", async () => {
    await withServerPeer(async (peer, raw, _server, events) => {
      peer.close();
      assertEquals(assertThrows(() => peer.send(textMessage("x")), MessageConnectionError).code, "closed");
      await closeOf(raw);
      await events.next("close");
      assertEquals(assertThrows(() => peer.send(textMessage("x")), MessageConnectionError).code, "closed");
    });
  });

  it("sendCustom() names its own platform", async () => {
    await withServerPeer(async (peer, raw) => {
      peer.sendCustom("poke", 1);
      const { platform, message_type_name } = JSON.parse((await raw.message())?.text ?? "");
      assertEquals([platform, message_type_name], ["qq", "poke"]);
    });
  });

  for (const name of ["", "maim_ping"]) {
    it(`sendCustom() throws TypeError when the name is "${name}"`, async () => {
      await withServerPeer((peer) => {
        assertThrows(() => peer.sendCustom(name, 1), TypeError);
        return Promise.resolve();
      });
    });
  }

  const ends:
    readonly (readonly [what: string, args: [code?: number, reason?: string], code: number, reason: string])[] = [
      ["1000 and no reason by default", [], 1000, ""],
      ["the code", [4000], 4000, ""],
      ["1011 and a reason", [1011, "坏了"], 1011, "坏了"],
      ["a reason of 123 bytes", [3000, "麦".repeat(41)], 3000, "麦".repeat(41)],
    ];
  for (const [what, args, code, reason] of ends) {
    it(`close() sends ${what}`, async () => {
      await withServerPeer(async (peer, raw, server, events) => {
        peer.close(...args);
        assertEquals(server.peers, []);
        assertEquals(await closeOf(raw), [code, reason]);
        assertEquals((await events.next("close"))[1], { code, reason });
      });
    });
  }

  for (const code of [0, 999, 1000.5, 1004, 1005, 1006, 1015, 2999, 5000, NaN]) {
    it(`close() throws RangeError that names the code when it is ${code}`, async () => {
      await withServerPeer((peer, _raw, server) => {
        assertThrows(() => peer.close(code), RangeError, `${code}`);
        assertEquals(server.peers.length, 1);
        return Promise.resolve();
      });
    });
  }

  it("close() throws RangeError when the reason takes 124 bytes", async () => {
    await withServerPeer((peer, _raw, server) => {
      assertThrows(() => peer.close(1000, `${"麦".repeat(41)}x`), RangeError, "reason");
      assertEquals(server.peers.length, 1);
      return Promise.resolve();
    });
  });

  it("close() is harmless when called twice", async () => {
    await withServerPeer(async (peer, raw, _server, events) => {
      peer.close(4001, "first");
      peer.close(4002, "second");
      assertEquals(await closeOf(raw), [4001, "first"]);
      await events.next("close");
      peer.close(4003);
    });
  });

  it("close() inside an 'open' handler takes it out of routing and tells 'close'", async () => {
    await using server = new MessageServer();
    server.on("open", (peer) => peer.close(4003, "not today"));
    const events = new ServerEvents(server);
    await using raw = await dial(server.listen({ port: 0 }), "qq");
    assertEquals(await closeOf(raw), [4003, "not today"]);
    assertEquals((await events.next("close"))[1], { code: 4003, reason: "not today" });
    assertEquals(server.stats().peers, 0);
    assertThrows(() => server.send(textMessage("x")), MessageConnectionError);
  });

  it("counts ids from 1 and never reuses one", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    for (const id of [1, 2, 3]) {
      await using _raw = await dial(url, "qq");
      assertEquals((await events.next("open"))[0].id, id);
    }
  });

  it("bufferedAmount grows while the client does not read, and falls when it does", async () => {
    await withServerPeer(async (peer, raw) => {
      assertEquals(peer.bufferedAmount, 0);
      raw.pause();
      peer.send(textMessage("x".repeat(30_000_000)));
      assert(peer.bufferedAmount > 1_000_000);
      raw.resume();
      await raw.message({ timeoutMs: 20_000 });
    });
  });
});

describe("MessageServer event 'close'", () => {
  const ends: readonly (readonly [what: string, act: (raw: RawPeer) => void, code: number, reason: string])[] = [
    ["code and reason of a close frame", (raw) => raw.close(4000, "bye 麦"), 4000, "bye 麦"],
    ["1005 when the close frame is empty", (raw) => raw.close(), 1005, ""],
    ["1006 when the line is cut", (raw) => raw.destroy(), 1006, ""],
    ["1006 when the line is reset", (raw) => raw.reset(), 1006, ""],
  ];
  for (const [what, act, code, reason] of ends) {
    it(`tells ${what}`, async () => {
      await using server = new MessageServer();
      const events = new ServerEvents(server);
      await using raw = await dial(server.listen({ port: 0 }), "qq");
      await events.next("open");
      act(raw);
      const [peer, end] = await events.next("close");
      assertEquals([peer.id, end.code], [1, code]);
      if (code !== 1006) assertEquals(end.reason, reason); // Bun says in words why a line fell
      assertEquals([server.peers.length, server.stats().peers], [0, 0]);
    });
  }

  it("is told once when a dead peer has not answered within 'idleTimeout'", async () => {
    await using server = new MessageServer({ idleTimeout: 500, closeTimeout: 100 });
    const events = new ServerEvents(server);
    await using raw = await dial(server.listen({ port: 0 }), "qq"); // answers no ping
    await events.next("open");
    // Bun rounds up to 8 s and looks every 4 s.
    await events.next("close", { timeoutMs: 20_000 });
    assertEquals(server.peers, []);
    await withTimeout(raw.closed, 5000, () => "the dead connection to be dropped");
    await server.close();
    assertEquals(events.names, ["open", "close"]);
  });
});

describe("MessageServer.peers", () => {
  it("lists the oldest first", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    assertEquals(server.peers, []);
    await using _first = await dial(url, "tg");
    await events.next("open");
    await using _second = await dial(url, "qq");
    await events.next("open");
    assertEquals(server.peers.map(({ id, platform }) => [id, platform]), [[1, "tg"], [2, "qq"]]);
  });
});

describe("MessageServer.stats()", () => {
  it("counts what came and went", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    assertEquals(server.stats(), statsOf({ peers: 0, received: 0, sent: 0, invalid: 0, foreign: 0 }));
    await using raw = await dial(server.listen({ port: 0 }), "qq");
    for (const text of [wireText("a"), wireText("b", "tg"), JSON.stringify(createCustom("c", 1, "qq")), "{"]) {
      raw.text(text);
    }
    await events.next("invalid");
    server.send(textMessage("x"));
    server.forward("qq", textMessage("x", "tg"));
    server.broadcast(textMessage("x"));
    for (let count = 0; count < 3; count++) await raw.message();
    assertEquals(server.stats(), statsOf({ peers: 1, received: 3, sent: 3, invalid: 1, foreign: 1 }));
  });

  it("counts what a peer was sent by itself", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using raw = await dial(server.listen({ port: 0 }), "qq");
    const [peer] = await events.next("open");
    peer.send(textMessage("x"));
    await raw.message();
    assertEquals(server.stats().sent, 1);
  });
});
