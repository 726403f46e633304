import { assert, assertEquals, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient } from "../../client.ts";
import { plainText } from "../../schema.ts";
import { MessageServer } from "../../server.ts";
import { textMessage, wireText } from "../support/messages.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { NativePeer } from "../support/peers/native_peer.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { closeOf, CLOSING, dial } from "../support/server.ts";

/** Whether somebody listens there. */
async function isFree(url: string): Promise<boolean> {
  const server = new MessageServer();
  try {
    server.listen({ port: Number(new URL(url).port) });
    return true;
  } catch {
    return false;
  } finally {
    await server.close();
  }
}

describe("MessageServer.close()", () => {
  it("tells everybody 1000 and the reason, and frees the port", async () => {
    const server = new MessageServer({ duplicates: "share" });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using first = await NativePeer.connect(url, { headers: { platform: "qq" } });
    await using second = await NativePeer.connect(url, { headers: { platform: "qq" } });
    await using third = await NativePeer.connect(url);
    for (let index = 0; index < 3; index++) await events.next("open");
    await server.close();
    const ends = await Promise.all([first, second, third].map((peer) => peer.end()));
    assertEquals(ends, ends.map(() => ({ code: 1000, reason: CLOSING })));
    assertEquals([events.count("close"), server.peers.length, server.stats().peers], [3, 0, 0]);
    assert(await isFree(url));
  });

  it("tells 1000 to a client that sends a thousand messages at that moment", async () => {
    const server = new MessageServer();
    const url = server.listen({ port: 0 });
    const begun = Promise.withResolvers<void>();
    server.on("message", () => begun.resolve());
    await using peer = await NativePeer.connect(url, {
      onOpen: (socket) => {
        for (let index = 0; index < 1000; index++) socket.send(wireText(`${index}`));
      },
    });
    await withTimeout(begun.promise, 5000, () => "the first message");
    await server.close();
    assertEquals(await peer.end(), { code: 1000, reason: CLOSING });
  });

  it("tells 1000 to a client that answers every message at once", async () => {
    const server = new MessageServer();
    const url = server.listen({ port: 0 });
    let count = 0;
    const enough = Promise.withResolvers<void>();
    server.on("message", (message, peer) => {
      if (++count === 100) enough.resolve();
      if (server.peers.includes(peer)) peer.send(message);
    });
    await using peer = await NativePeer.connect(url, {
      onOpen: (socket) => socket.send(wireText("ball")),
      onText: (text, socket) => socket.send(text),
    });
    await withTimeout(enough.promise, 5000, () => "a hundred messages");
    await server.close();
    assertEquals(await peer.end(), { code: 1000, reason: CLOSING });
  });

  it("delivers what was sent before it", async () => {
    const server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await NativePeer.connect(server.listen({ port: 0 }), { headers: { platform: "qq" } });
    await events.next("open");
    for (let index = 0; index < 4; index++) server.send(textMessage(`${index}`.repeat(5_000_000)));
    await server.close();
    for (const text of ["0", "1", "2", "3"]) {
      const got = plainText(JSON.parse(await peer.text({ timeoutMs: 20_000 }) ?? "null"));
      assertEquals([got[0], got.length], [text, 5_000_000]);
    }
    assertEquals(await peer.end(), { code: 1000, reason: CLOSING });
  });

  it("is bounded by 'closeTimeout' when a peer never answers the close", async () => {
    const server = new MessageServer({ closeTimeout: 200 });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using mute = await dial(url, "qq");
    await events.next("open");
    const begin = performance.now();
    await withTimeout(server.close(), 5000, () => "the server to close");
    // Deno's own shutdown adds up to one second for a socket it can not drop.
    assertLess(performance.now() - begin, 2500);
    assertEquals((await mute.frame())?.code, 1000);
    assert(await isFree(url));
    mute.destroy();
    await events.next("close");
  });

  it("is bounded by 'closeTimeout' when a peer does not read", async () => {
    const server = new MessageServer({ closeTimeout: 200 });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using stuck = await dial(url, "qq");
    await events.next("open");
    stuck.pause();
    server.send(textMessage("x".repeat(30_000_000)));
    await withTimeout(server.close(), 5000, () => "the server to close");
    assert(await isFree(url));
    stuck.destroy();
    await events.next("close");
  });

  for (const closeTimeout of [Infinity, 2 ** 31]) {
    it(`waits for the answer when 'closeTimeout' is ${closeTimeout}`, async () => {
      const server = new MessageServer({ closeTimeout });
      const events = new ServerEvents(server);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      await events.next("open");
      const closing = server.close();
      assertEquals(await closeOf(peer), [1000, CLOSING]);
      await withTimeout(closing, 5000, () => "the server to close");
    });
  }

  it("answers 503 or nothing to who calls meanwhile", async () => {
    const server = new MessageServer({ closeTimeout: 3000 });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using mute = await dial(url, "qq");
    await events.next("open");
    const closing = server.close();
    const status = await RawPeer.connect(url).then(async (late) => {
      await late[Symbol.asyncDispose]();
      return late.response.status;
    }, () => "refused");
    assert(status === 503 || status === "refused", `${status}`);
    mute.destroy();
    await closing;
  });

  it("lets nobody in whose 'authorize' ends meanwhile", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<boolean>();
    const server = new MessageServer({
      authorize: () => {
        asked.resolve();
        return answer.promise;
      },
    });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    const connecting = RawPeer.connect(url).then(async (late) => {
      await late[Symbol.asyncDispose]();
      return late.response.status;
    }, () => "refused");
    await withTimeout(asked.promise, 5000, () => "the question");
    const closing = server.close();
    answer.resolve(true);
    const status = await connecting;
    assert(status === 503 || status === "refused", `${status}`);
    await closing;
    assertEquals(events.names, []);
  });

  it("returns the same promise when called again, also from a 'close' handler", async () => {
    const server = new MessageServer();
    const events = new ServerEvents(server);
    const again: Promise<void>[] = [];
    server.on("close", () => void again.push(server.close()));
    await using _peer = await NativePeer.connect(server.listen({ port: 0 }));
    await events.next("open");
    const first = server.close();
    assertStrictEquals(server.close(), first);
    await first;
    assertStrictEquals(again[0], first);
  });

  it("is at once when nobody ever listened", async () => {
    const server = new MessageServer();
    await withTimeout(server.close(), 1000, () => "the server to close");
  });

  it("is what the end of an 'await using' scope calls", async () => {
    let url: string;
    {
      await using server = new MessageServer();
      url = server.listen({ port: 0 });
    }
    await assertRejects(() => RawPeer.connect(url));
  });

  it("leaves MessageClient waiting to dial again", async () => {
    const server = new MessageServer();
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
    await client.connect();
    const waiting = Promise.withResolvers<number | undefined>();
    client.on("status", (status) => {
      if (status.state === "waiting") waiting.resolve(status.reason.closeCode);
    });
    await server.close();
    assertEquals(await withTimeout(waiting.promise, 5000, () => "the client to notice"), 1000);
  });
});
