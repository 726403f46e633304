import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient, MessageConnectionError, MessageRejectedError, MessageServer, plainText } from "../../mod.ts";
import type { MessageClientOptions } from "../../mod.ts";
import { type Dialled, dialling, upgraded, usable } from "../support/client.ts";
import { consoleErrors } from "../support/console.ts";
import { HI, textMessage, wireText } from "../support/messages.ts";
import { heard } from "../support/peers/listen.ts";
import { currentRuntime } from "../support/peers/process.ts";
import type { RawPeer } from "../support/peers/raw.ts";
import { soon } from "../support/peers/inbox.ts";
import { runtimeTest } from "../support/peers/skip.ts";

const HELLO = JSON.stringify({
  is_custom_message: true,
  message_type_name: "maim_hello",
  content: { version: 1, features: ["ping"] },
});

/** Reads frames up to a ping of the client; returns the pong that answers it. */
async function nextPong(peer: RawPeer): Promise<string> {
  for (;;) {
    const message = JSON.parse((await peer.frame({ opcode: 1 }))?.text ?? "");
    if (message.message_type_name === "maim_ping") {
      return JSON.stringify({ ...message, message_type_name: "maim_pong" });
    }
  }
}

/** A raw server that has agreed on pings. */
async function agreed(options: Partial<MessageClientOptions> = {}): Promise<Dialled> {
  const dialled = await dialling(options);
  dialled.peer.accept();
  dialled.peer.text(HELLO);
  await dialled.connected;
  return dialled;
}

/** Counts the drops of a client by reason. */
function countDrops(client: MessageClient): Record<string, number> {
  const counts: Record<string, number> = {};
  client.on("drop", ({ reason }) => void (counts[reason] = (counts[reason] ?? 0) + 1));
  return counts;
}

describe("MessageClient.close()", () => {
  it("reports what a server that has stopped reading did not get, however long the close takes", async () => {
    await using peers = await usable({ outbox: { doubt: 100 }, closeTimeout: 1000 });
    const drops = countDrops(peers.client);
    peers.peer.pause();
    for (let index = 0; index < 5; index++) peers.client.send(textMessage());
    await peers.client.close();
    assertEquals(drops, { unconfirmed: 5 });
  });

  it("reports nothing when a server of another library answers the close frame", async () => {
    await using peers = await usable();
    const drops = countDrops(peers.client);
    peers.peer.isPonging = true;
    for (let index = 0; index < 5; index++) peers.client.send(textMessage());
    const closed = peers.client.close();
    const frame = await peers.peer.frame({ opcode: 8 });
    assertEquals([frame?.code, frame?.reason], [1000, "client closed"]);
    peers.peer.close(1000, "client closed");
    await closed;
    assertEquals(drops, {});
  });

  it("does not wait for the answer to a ping that cannot be sent yet", async () => {
    await using peers = await upgraded({ closeTimeout: 20_000 });
    peers.peer.send(9, "");
    await peers.peer.frame({ opcode: 10 }); // the client has read the answer to its handshake
    const closed = peers.client.close();
    assertEquals((await peers.peer.frame({ opcode: 8 }))?.reason, "client closed");
    peers.peer.close(1000, "client closed");
    await closed;
  });

  it("reports nothing when a server of another library that has said nothing answers the close frame", async () => {
    await using peers = await upgraded({ closeTimeout: 2000 });
    await peers.connected;
    const drops = countDrops(peers.client);
    peers.peer.isPonging = true;
    for (let index = 0; index < 5; index++) peers.client.send(textMessage());
    const closed = peers.client.close();
    if (currentRuntime === "deno") (await peers.server.next()).respond(404); // Bun sends a ping
    await peers.peer.frame({ opcode: 8 });
    peers.peer.close(1000, "client closed");
    await closed;
    assertEquals(drops, {});
  });

  runtimeTest("deno", "reports what was sent to a server of this library whose hello was lost", async () => {
    await using peers = await upgraded({ closeTimeout: 2000 });
    await peers.connected;
    const drops = countDrops(peers.client);
    peers.client.send(textMessage());
    const closed = peers.client.close();
    (await peers.server.next()).respond(426, [["maim-hello", "1"]]);
    await closed;
    assertEquals(drops, { unconfirmed: 1 });
  });

  runtimeTest("deno", "reports what was sent if it does not find out what the server is", async () => {
    await using peers = await upgraded({ closeTimeout: 200 });
    await peers.connected;
    const drops = countDrops(peers.client);
    peers.client.send(textMessage());
    const closed = peers.client.close();
    const question = await peers.server.next();
    await peers.peer.frame({ opcode: 8 });
    peers.peer.close(1000, "client closed");
    await closed;
    assertEquals(drops, { unconfirmed: 1 });
    await question.closed; // the request was ended, too
  });

  it("does not take a crossing close frame of the server for an answer", async () => {
    await using peers = await usable();
    const drops = countDrops(peers.client);
    peers.client.send(textMessage());
    peers.peer.close(1000, "");
    await peers.client.close();
    assertEquals(drops, { unconfirmed: 1 });
  });

  it("waits until a server of this library has handled everything, and loses none of its answers", async () => {
    await using server = new MessageServer();
    const serverDrops: unknown[] = [];
    server.on("drop", (drop) => void serverDrops.push(drop));
    let handled = 0;
    server.on("message", (message, peer) => {
      handled++;
      peer.send(message);
    });
    const client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
    const drops = countDrops(client);
    let answers = 0;
    client.on("message", () => void answers++);
    await client.connect();
    for (let index = 0; index < 100; index++) client.send(textMessage());
    await client.close();
    assertEquals([handled, answers, drops, serverDrops], [100, 100, {}, []]);
  });

  it("reports what a server that turns it out has not handled: the runtime's answer to a close frame is no proof", async () => {
    await using server = new MessageServer({ limits: { messagesPerSecond: 30 } });
    let handled = 0;
    server.on("message", () => void handled++);
    const client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", reconnect: false });
    const drops = countDrops(client);
    await client.connect();
    for (let index = 0; index < 100; index++) client.send(textMessage());
    await client.close();
    assert((drops.unconfirmed ?? 0) >= 100 - handled, `${handled} handled, ${JSON.stringify(drops)}`);
  });

  it("reports what was sent to a server that closes the connection in a handler", async () => {
    await using server = new MessageServer();
    let handled = 0;
    server.on("message", (_message, peer) => {
      handled++;
      peer.close();
    });
    const client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", reconnect: false });
    const drops = countDrops(client);
    const status = heard(client, "status");
    await client.connect();
    for (let index = 0; index < 20; index++) client.send(textMessage());
    await status.next(({ state }) => state === "closed");
    assertEquals([handled, drops], [1, { unconfirmed: 20 }]); // the answer to the first did not come either
    await client.close();
  });

  it("does not say that the token was refused when a server that has let the client in closes with 1008", async () => {
    await using server = new MessageServer();
    server.on("message", (_message, peer) => peer.close(1008, "kicked"));
    const client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", reconnect: false });
    const drops = countDrops(client);
    const status = heard(client, "status");
    await client.connect();
    for (let index = 0; index < 20; index++) client.send(textMessage());
    await status.next(({ state }) => state === "closed");
    assertEquals(drops, { unconfirmed: 20 });
    await client.close();
  });

  it("does not call an answer that comes too late an error", async () => {
    const printed = await consoleErrors(async () => {
      await using peers = await agreed({ closeTimeout: 1000 });
      peers.client.on("message", () => void peers.client.send(textMessage("answer")));
      const closed = peers.client.close();
      peers.peer.text(HI);
      const ping = JSON.parse((await peers.peer.frame({ opcode: 1 }))?.text ?? "");
      peers.peer.text(JSON.stringify({ ...ping, message_type_name: "maim_pong" }));
      await peers.peer.frame({ opcode: 8 });
      peers.peer.close(1000, "client closed");
      await closed;
    });
    assertEquals(printed, []);
  });
});

describe("MessageClient window", () => {
  it("bounds what a server that never answers pings makes it remember, and gives that server up", async () => {
    await using peers = await agreed({
      outbox: { maxMessages: 10 },
      heartbeat: { interval: 60_000, timeout: 300 },
      reconnect: false,
    });
    const drops = countDrops(peers.client);
    const status = heard(peers.client, "status");
    const talk = setInterval(() => peers.peer.text(HI), 20);
    let accepted = 0;
    const error = assertThrows(() => {
      for (; accepted < 100_000; accepted++) peers.client.send(textMessage());
    }, MessageConnectionError);
    assertEquals([error.code, accepted], ["queue_full", 110]);
    const [closed] = await status.next(({ state }) => state === "closed");
    clearInterval(talk);
    assertEquals([closed.state, drops], ["closed", { unconfirmed: 100, closed: 10 }]);
  });

  it("does not give up a server whose pong waits behind much that the server sends", async () => {
    await using peers = await agreed({ heartbeat: { interval: 60_000, timeout: 200 }, reconnect: false });
    const received = heard(peers.client, "message");
    peers.client.send(textMessage());
    const big = wireText("x".repeat(65_536));
    const talk = setInterval(() => peers.peer.text(big), 20);
    for (let index = 0; index < 40; index++) await received.next(); // takes 800 ms
    clearInterval(talk);
    peers.peer.text(await nextPong(peers.peer));
    assertEquals(await soon(peers.client.flush({ confirmed: true })), "confirmed");
  });

  it("takes messages of 1, 5 and 20 MB back to back", async () => {
    await using server = new MessageServer();
    const received = heard(server, "message");
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
    await client.connect();
    for (const megabytes of [1, 5, 20]) client.send(textMessage("x".repeat(megabytes * 1_000_000)));
    for (const megabytes of [1, 5, 20]) {
      const [message] = await received.next(() => true, { timeoutMs: 20_000 });
      assertEquals(plainText(message).length, megabytes * 1_000_000);
    }
    assertEquals(await client.flush({ confirmed: true }), "confirmed");
  });
});

describe("MessageClient.flush({ confirmed: true })", () => {
  it("resolves with confirmed once the handlers of a server of this library were called", async () => {
    await using server = new MessageServer();
    let handled = 0;
    server.on("message", () => void handled++);
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
    await client.connect();
    for (let index = 0; index < 1000; index++) client.send(textMessage());
    assertEquals([await client.flush({ confirmed: true }), handled], ["confirmed", 1000]);
    assertEquals(await client.flush({ confirmed: true }), "confirmed");
    assertEquals(await client.flush(), "sent");
  });

  it("resolves with sent for a server that cannot confirm, and when the connection is lost", async () => {
    await using foreign = await usable();
    foreign.client.send(textMessage());
    assertEquals(await foreign.client.flush({ confirmed: true }), "sent");
    await using lost = await agreed({ reconnect: false });
    countDrops(lost.client);
    lost.client.send(textMessage());
    const flushed = lost.client.flush({ confirmed: true });
    await lost.peer.frame({ opcode: 1 });
    lost.peer.destroy();
    assertEquals(await soon(flushed), "sent");
  });

  it("waits only for what was sent before the call, and sends one ping at a time", async () => {
    await using peers = await agreed();
    const received = heard(peers.client, "message");
    peers.client.send(textMessage());
    const first = peers.client.flush({ confirmed: true });
    const pong = await nextPong(peers.peer);
    const later: Promise<unknown>[] = [];
    for (let index = 0; index < 30; index++) {
      peers.client.send(textMessage());
      later.push(peers.client.flush({ confirmed: true }));
      peers.peer.text(HI);
      await received.next(); // so that the next call comes in a later turn
    }
    peers.peer.text(pong);
    assertEquals(await soon(first), "confirmed");
    peers.peer.text(await nextPong(peers.peer));
    assertEquals(await soon(Promise.all(later)), Array(30).fill("confirmed"));
  });

  it("confirms what was sent before a late hello, although a protocol ping was not answered yet", async () => {
    await using peers = await dialling({ heartbeat: { interval: 60_000, timeout: 500 }, reconnect: false });
    peers.peer.accept();
    await peers.connected;
    peers.client.send(textMessage());
    if (currentRuntime === "bun") await peers.peer.frame({ opcode: 9 });
    peers.peer.text(HELLO);
    peers.peer.text(await nextPong(peers.peer));
    assertEquals(await soon(peers.client.flush({ confirmed: true })), "confirmed");
    assertEquals(peers.client.status.state, "open");
  });

  it("rejects with the signal's reason", async () => {
    await using peers = await agreed();
    countDrops(peers.client);
    peers.client.send(textMessage());
    const reason = await peers.client.flush({ confirmed: true, signal: AbortSignal.timeout(50) }).catch((error) =>
      error
    );
    assertEquals(reason.name, "TimeoutError");
  });
});

describe("MessageClient option otherPlatforms", () => {
  const other = textMessage("hi", "telegram");

  it("warns once for each platform", async () => {
    await using peers = await usable();
    const warnings: string[] = [];
    peers.client.on("warning", (_message, issues) => {
      for (const { rule, path, level } of issues) warnings.push(`${level} ${rule} ${path}`);
    });
    for (const message of [other, other, textMessage("hi", "discord"), textMessage()]) peers.client.send(message);
    const warning = "unanswered wrong_platform $.message_info.platform";
    assertEquals([warnings, peers.client.stats.sent], [[warning, warning], 4]);
  });

  it("prints the fix when nobody listens to 'warning'", async () => {
    const printed = await consoleErrors(async () => {
      await using peers = await usable();
      peers.client.send(other);
    });
    const warnings = printed.filter((line) => line.includes("wrong_platform"));
    assertEquals(warnings.length, 1);
    assert(warnings[0]?.includes("client.platform"), warnings[0]);
  });

  it("refuses, or allows", async () => {
    await using refusing = await usable({ otherPlatforms: "refuse" });
    assertThrows(() => refusing.client.send(other), MessageRejectedError, "wrong_platform");
    assertEquals(refusing.client.stats.sent, 0);
    await using allowing = await usable({ otherPlatforms: "allow" });
    allowing.client.on("warning", () => assert(false, "there is nothing to warn about"));
    allowing.client.send(other);
    assertThrows(() => new MessageClient("ws://x", { platform: "qq", otherPlatforms: "no" as "warn" }), TypeError);
  });
});
