import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageServer, type MessageServerOptions } from "../../server.ts";
import { HI, textMessage } from "../support/messages.ts";
import { heard } from "../support/peers/listen.ts";
import type { RawPeer } from "../support/peers/raw.ts";
import { runtimeTest } from "../support/peers/skip.ts";
import { DENIED, dial } from "../support/server.ts";

/** Callers that ignore close frames and hold their sockets until the end of the scope. */
class Holders implements AsyncDisposable {
  readonly #peers: RawPeer[] = [];

  /** Connects one more caller. */
  async dial(url: string, platform: string, token?: string): Promise<RawPeer> {
    const peer = await dial(url, platform, token);
    this.#peers.push(peer);
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.destroy();
    await Promise.all(this.#peers.map((peer) => peer.closed));
  }
}

/** The code of the close frame that a caller gets and does not answer. */
async function codeFor(peer: RawPeer): Promise<number | null | undefined> {
  return (await peer.frame({ opcode: 8 }))?.code;
}

/** The ways in which a server turns out a caller that it has let in. */
const WAYS: readonly (readonly [
  way: string,
  options: MessageServerOptions,
  turnOut: (peer: RawPeer, server: MessageServer) => void,
  code: number,
])[] = [
  ["by limits.messagesPerSecond", { limits: { messagesPerSecond: 1 } }, (peer) => {
    for (let index = 0; index < 5; index++) peer.text(HI);
  }, 4429],
  ["by peer.close()", {}, (_peer, server) => server.peers[0]?.close(4000), 4000],
  ["by decode.strict", { decode: { strict: true } }, (peer) => peer.text("{"), 1007],
];

describe("Callers that were turned out and hold their socket", () => {
  it("keep no caller with the right token out, if their token is wrong", async () => {
    await using server = new MessageServer({ tokens: ["right"], limits: { connections: 2 }, closeTimeout: 300 });
    const url = server.listen({ port: 0 });
    await using holders = new Holders();
    for (let index = 0; index < 20; index++) {
      assertEquals(await codeFor(await holders.dial(url, "qq", "wrong")), 1008);
    }
    const [first, second, third] = [
      await holders.dial(url, "a", "right"),
      await holders.dial(url, "b", "right"),
      await holders.dial(url, "c", "right"),
    ];
    assertEquals([first.response.status, second.response.status, third.response.status], [101, 101, 503]);
    assertEquals([server.stats().peers, server.stats().unauthorized], [2, 20]);
  });

  for (const [way, options, turnOut, code] of WAYS) {
    it(`keep nobody out, if they were turned out ${way}`, async () => {
      const limits = { ...options.limits, connections: 1, connectionsPerAddress: 1 };
      await using server = new MessageServer({ ...options, limits, closeTimeout: 300 });
      const opened = heard(server, "open");
      const url = server.listen({ port: 0 });
      await using holders = new Holders();
      for (let round = 0; round < 3; round++) {
        const peer = await holders.dial(url, `qq${round}`);
        await opened.next();
        turnOut(peer, server);
        assertEquals(await codeFor(peer), code);
        assertEquals(server.stats().peers, 0);
      }
    });
  }

  it("keep nobody out, if they are duplicates", async () => {
    const limits = { connections: 2 };
    await using server = new MessageServer({ duplicates: "reject", limits, closeTimeout: 300 });
    const url = server.listen({ port: 0 });
    await using holders = new Holders();
    await holders.dial(url, "qq");
    for (let round = 0; round < 3; round++) assertEquals(await codeFor(await holders.dial(url, "qq")), 4409);
    assertEquals((await holders.dial(url, "tg")).response.status, 101);
  });

  it("keep nobody out, if they do not read", async () => {
    const limits = { connections: 1, queuedBytes: 2 ** 20 };
    await using server = new MessageServer({ limits, closeTimeout: 300 });
    server.on("drop", () => {});
    const opened = heard(server, "open");
    const url = server.listen({ port: 0 });
    await using holders = new Holders();
    (await holders.dial(url, "stuck")).pause();
    const [peer] = await opened.next();
    const reached = heard(server, "limit");
    while (server.peers.length > 0) peer.send(textMessage("x".repeat(1_000_000)));
    assertEquals((await reached.next())[0].limit, "queuedBytes");
    assertEquals((await holders.dial(url, "qq")).response.status, 101);
    assertEquals(server.stats().peers, 1);
  });

  // Bun drops a socket that it closes, so that nobody can hold one.
  runtimeTest("deno", "get HTTP 401 beyond limits.turnedOut; the right token is still let in", async () => {
    const limits = { connections: 1, turnedOut: 3 };
    await using server = new MessageServer({ tokens: ["right"], limits, closeTimeout: 300 });
    const reached = heard(server, "limit");
    const url = server.listen({ port: 0 });
    await using holders = new Holders();
    const held: RawPeer[] = [];
    for (let index = 0; index < 3; index++) held.push(await holders.dial(url, "qq", "wrong"));
    await using refused = await dial(url, "qq", "wrong");
    assertEquals([refused.response.status, refused.response.body], [401, `${DENIED}\n`]);
    assertEquals(await reached.next(), [{ limit: "turnedOut", address: "127.0.0.1" }]);
    assertEquals((await holders.dial(url, "qq", "right")).response.status, 101);
    const { peers, connections, turnedOut, unauthorized, limited } = server.stats();
    assertEquals({ peers, connections, turnedOut, unauthorized, limited }, {
      ...{ peers: 1, connections: 4, turnedOut: 3, unauthorized: 4, limited: 1 },
    });
  });

  runtimeTest("deno", "keep their place when limits.turnedOut is full, until another socket is gone", async () => {
    const limits = { connections: 1, turnedOut: 1, messagesPerSecond: 1 };
    await using server = new MessageServer({ limits, closeTimeout: 300 });
    const url = server.listen({ port: 0 });
    await using holders = new Holders();
    const held: RawPeer[] = [];
    for (let index = 0; index < 2; index++) {
      const peer = await holders.dial(url, "qq");
      for (let sent = 0; sent < 5; sent++) peer.text(HI);
      assertEquals(await codeFor(peer), 4429);
      held.push(peer);
    }
    assertEquals((await holders.dial(url, "qq")).response.status, 503);
    assertEquals([server.stats().connections, server.stats().turnedOut], [2, 2]);
    const closed = heard(server, "close");
    held[0]?.destroy();
    await closed.next();
    assertEquals((await holders.dial(url, "qq")).response.status, 101);
  });

  it("are bounded by a limit that new MessageServer() checks", () => {
    assertThrows(() => new MessageServer({ limits: { turnedOut: 0 } }), RangeError, "limits.turnedOut");
    assertThrows(
      () => new MessageServer({ limits: { turnedOut: "1" as unknown as number } }),
      TypeError,
      "limits.turnedOut",
    );
  });
});
