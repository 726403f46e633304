import { assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { createCustom, MessageServer, plainText, type ServerLimits } from "../../mod.ts";
import { HI, textMessage } from "../support/messages.ts";
import { heard } from "../support/peers/listen.ts";
import { runtimeCommand, type RuntimeName, spawnLines } from "../support/peers/process.ts";
import { SERVER_PROGRAM } from "../support/peers/program.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { runtimeTest } from "../support/peers/skip.ts";
import { dial } from "../support/server.ts";

/** A server with limits, and its URL. */
function serverWith(limits: ServerLimits, tokens?: string[]): { server: MessageServer; url: string } {
  const server = new MessageServer({ limits, closeTimeout: 300, ...(tokens === undefined ? {} : { tokens }) });
  return { server, url: server.listen({ port: 0 }) };
}

describe("MessageServer limits", () => {
  for (const name of ["connections", "connectionsPerAddress"] as const) {
    it(`refuses more than limits.${name} with 503 and says so, until one leaves`, async () => {
      const { server, url } = serverWith({ [name]: 2 });
      await using _closing = server;
      const reached = heard(server, "limit");
      const closed = heard(server, "close");
      await using first = await RawPeer.connect(url, { headers: [["platform", "a"]] });
      await using _second = await RawPeer.connect(url, { headers: [["platform", "b"]] });
      await using third = await RawPeer.connect(url, { headers: [["platform", "c"]] });
      assertEquals(third.response.status, 503);
      assertEquals((await reached.next())[0].limit, name);
      first.destroy();
      await closed.next();
      await using fourth = await RawPeer.connect(url, { headers: [["platform", "c"]] });
      assertEquals([fourth.response.status, server.stats().limited], [101, 1]);
    });
  }

  it("closes a peer over limits.messagesPerSecond with 4429, and hears no more of it", async () => {
    const { server, url } = serverWith({ messagesPerSecond: 5 });
    await using _closing = server;
    const reached = heard(server, "limit");
    let received = 0;
    server.on("message", () => void received++);
    await using peer = await RawPeer.connect(url);
    for (let index = 0; index < 50; index++) peer.text(HI);
    const close = await peer.frame({ opcode: 8 });
    assertEquals([close?.code, close?.reason], [4429, "too many messages"]);
    assertEquals((await reached.next())[0].limit, "messagesPerSecond");
    assertEquals(received, 5);
  });

  it("lets a peer send limits.messagesPerSecond again after a second", async () => {
    const { server, url } = serverWith({ messagesPerSecond: 100 });
    await using _closing = server;
    const received = heard(server, "message");
    await using peer = await RawPeer.connect(url);
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 40; index++) peer.text(HI);
      for (let index = 0; index < 40; index++) await received.next();
      await new Promise((resolve) => setTimeout(resolve, 400)); // what the rate is measured by
    }
    assertEquals(server.peers.length, 1);
  });

  it("drops what a peer that does not read would make it queue, frees its platform, and serves the others", async () => {
    const { server, url } = serverWith({ queuedBytes: 2 ** 20 });
    await using _closing = server;
    const drops = heard(server, "drop");
    const reached = heard(server, "limit");
    await using stuck = await RawPeer.connect(url, { headers: [["platform", "stuck"]] });
    await using healthy = await RawPeer.connect(url, { headers: [["platform", "qq"]] });
    stuck.pause();
    const big = textMessage("x".repeat(1_000_000), "stuck");
    let isRouted = true;
    let sent = 0;
    while (isRouted && sent < 200) {
      try {
        server.send(big);
        sent++;
        // What the kernel takes must have its chance, as between messages of real life.
        await new Promise((resolve) => setTimeout(resolve, 1));
      } catch {
        isRouted = false;
      }
    }
    assertEquals(isRouted, false);
    // What was sent before may have arrived; only the last message was not even queued.
    const reasons: string[] = [];
    while (reasons.at(-1) !== "slow") {
      const [{ message, reason }, peer] = await drops.next();
      assertEquals([message, peer.platform], [big, "stuck"]);
      reasons.push(reason);
    }
    assertEquals(reasons, [...Array<string>(sent - 1).fill("unconfirmed"), "slow"]);
    assertEquals((await reached.next())[0], { limit: "queuedBytes", address: "127.0.0.1", platform: "stuck" });
    server.send(textMessage("still here"));
    assertEquals(plainText(JSON.parse((await healthy.message())?.text ?? "")), "still here");
    assertEquals(server.peers.map(({ platform }) => platform), ["qq"]);
    stuck.destroy();
    await stuck.closed;
  });

  it("tells of a slow peer once, though the handler of 'drop' tries to tell that peer", async () => {
    const { server, url } = serverWith({ queuedBytes: 2 ** 20 });
    await using _closing = server;
    const errors = heard(server, "error");
    let drops = 0;
    server.on("drop", ({ reason }, peer) => {
      if (reason === "slow") drops++;
      peer.send(textMessage("you are slow"));
    });
    const opened = heard(server, "open");
    await using stuck = await RawPeer.connect(url, { headers: [["platform", "stuck"]] });
    const [peer] = await opened.next();
    stuck.pause();
    const big = textMessage("x".repeat(1_000_000), "stuck");
    for (let sent = 0; sent < 200 && drops === 0; sent++) peer.send(big);
    const [error] = await errors.next();
    assertEquals([drops, (error as { code?: string }).code], [1, "closed"]);
    stuck.destroy();
    await stuck.closed;
  });

  it("books no place for a slow peer whose socket ended in a handler of 'drop'", async () => {
    const server = new MessageServer({ duplicates: "share", limits: { queuedBytes: 2 ** 20 } });
    await using _closing = server;
    const url = server.listen({ port: 0 });
    let reached = 0;
    server.on("limit", () => void reached++);
    const big = textMessage("x".repeat(1_000_000));
    let drops = 0;
    server.on("drop", () => {
      if (drops++ === 0) server.send(big); // gives up the second peer while the first one is being given up
    });
    const opened = heard(server, "open");
    const closed = heard(server, "close");
    const stuck = [await dial(url, "qq"), await dial(url, "qq")];
    for (const raw of stuck) {
      await opened.next();
      raw.pause();
    }
    for (let sent = 0; sent < 200 && server.peers.length > 0; sent++) server.send(big);
    for (const raw of stuck) {
      raw.destroy();
      await closed.next();
    }
    const { connections, turnedOut } = server.stats();
    assertEquals([connections, turnedOut, reached], [0, 0, 2]);
  });

  for (const how of ["reads on", "is told goodbye"]) {
    it(`keeps what a peer that has stopped reading is sent, and delivers it in order when it ${how}`, async () => {
      await using server = new MessageServer();
      const url = server.listen({ port: 0 });
      const opened = heard(server, "open");
      await using peer = await RawPeer.connect(url, { headers: [["platform", "qq"]] });
      const [{ id }] = await opened.next();
      peer.pause();
      // More than the kernels of both sides take; every tenth is tiny.
      const lengths = Array.from({ length: 300 }, (_, index) => index % 10 === 0 ? 1 : 100_000);
      lengths.forEach((length, index) => server.send(textMessage(`${index} ${"字".repeat(length / 2)}`)));
      const { queuedBytes } = server.stats();
      assertLess(1_000_000, queuedBytes);
      assertEquals(server.peers.find((other) => other.id === id)?.bufferedAmount, queuedBytes);
      const closing = how === "reads on" ? undefined : server.close();
      peer.resume();
      for (let index = 0; index < lengths.length; index++) {
        const text = plainText(JSON.parse((await peer.message())?.text ?? ""));
        assertEquals([Number.parseInt(text), text.indexOf("字")], [
          index,
          lengths[index] === 1 ? -1 : `${index} `.length,
        ]);
      }
      if (closing !== undefined) assertEquals((await peer.frame({ opcode: 8 }))?.code, 1000);
      else assertEquals([server.stats().queuedBytes, server.stats().dropped], [0, 0]);
      await closing;
    });
  }

  it("gives up a peer that floods it with pings, without a drop", async () => {
    const { server, url } = serverWith({ queuedBytes: 100_000 });
    await using _closing = server;
    const reached = heard(server, "limit");
    await using stuck = await RawPeer.connect(url, { headers: [["platform", "stuck"], ["maim-hello", "1; ping"]] });
    stuck.pause();
    const ping = JSON.stringify(createCustom("maim_ping", { n: 1 }, "stuck"));
    for (let sent = 0; sent < 300_000 && server.stats().limited === 0; sent += 1000) {
      for (let index = 0; index < 1000; index++) stuck.text(ping);
      await stuck.flushed({ timeoutMs: 10_000 }).catch(() => {}); // it may be dropped meanwhile
    }
    assertEquals((await reached.next())[0].limit, "messagesPerSecond");
    assertEquals([server.stats().dropped, server.peers.length], [0, 0]);
    stuck.destroy();
    await stuck.closed;
  });

  it("queues one message of any size when nothing else is", async () => {
    const { server, url } = serverWith({ queuedBytes: 1000 });
    await using _closing = server;
    const opened = heard(server, "open");
    await using peer = await RawPeer.connect(url, { headers: [["platform", "qq"]] });
    await opened.next();
    server.send(textMessage("x".repeat(3_000_000)));
    assertLess(3_000_000, (await peer.message())?.text.length ?? 0);
    assertEquals(server.stats().dropped, 0);
  });

  it("blocks an address with HTTP 429 after limits.wrongTokens, the right token included, for a second", async () => {
    const { server, url } = serverWith({ wrongTokens: 3 }, ["right"]);
    await using _closing = server;
    const reached = heard(server, "limit");
    for (let index = 0; index < 3; index++) {
      await using wrong = await RawPeer.connect(url, { headers: [["authorization", "wrong"]] });
      assertEquals(wrong.response.status, 101);
    }
    assertEquals((await reached.next())[0].limit, "wrongTokens");
    await using blocked = await RawPeer.connect(url, { headers: [["authorization", "right"]] });
    assertEquals(blocked.response.status, 429);
    const free = performance.now() + 5000;
    let status = 429;
    while (status === 429 && performance.now() < free) {
      await using peer = await RawPeer.connect(url, { headers: [["authorization", "right"]] });
      status = peer.response.status;
    }
    assertEquals(status, 101);
    assertEquals(server.stats().unauthorized, 3);
  });

  for (const name of ["connections", "connectionsPerAddress", "messagesPerSecond", "queuedBytes", "wrongTokens"]) {
    it(`new MessageServer() names limits.${name} when it is out of range`, () => {
      assertThrows(() => new MessageServer({ limits: { [name]: 0 } }), RangeError, `limits.${name}`);
      assertThrows(() => new MessageServer({ limits: { [name]: "1" as unknown as number } }), TypeError, name);
    });
  }
});

describe("server.ts --metrics", () => {
  for (const runtime of ["deno", "bun"] as readonly RuntimeName[]) {
    runtimeTest(runtime, `serves figures and health on ${runtime}, and no content`, async () => {
      const args = ["--port", "0", "--metrics", "0", "--token", "hunter2", "--echo"];
      await using program = spawnLines(...runtimeCommand(runtime, SERVER_PROGRAM, args));
      const url = await program.line(/^ws:/, { timeoutMs: 60_000 });
      const metrics = (await program.line(/^metrics: /)).slice("metrics: ".length);
      await using peer = await RawPeer.connect(url, { headers: [["platform", "qq"], ["authorization", "hunter2"]] });
      peer.text(JSON.stringify(textMessage("private")));
      await peer.message();
      const text = await (await fetch(metrics)).text();
      assertStringIncludes(text, "# TYPE maim_peers gauge\nmaim_peers 1\n");
      assertStringIncludes(text, "maim_received_total 1\n");
      assertStringIncludes(text, "maim_sent_total 1\n");
      assertEquals([text.includes("private"), text.includes("hunter2"), text.includes("qq")], [false, false, false]);
      assertEquals(await (await fetch(new URL("/health", metrics))).text(), "ok\n");
      const other = await fetch(new URL("/ws", metrics));
      assertEquals([other.status, (await other.text()).length > 0], [404, true]);
    });
  }
});
