import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { createCustom, MessageClient, MessageServer, type ServerDrop } from "../../mod.ts";
import { consoleErrors } from "../support/console.ts";
import { textMessage, wireText } from "../support/messages.ts";
import { heard } from "../support/peers/listen.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { dial, nextText } from "../support/server.ts";

/** Connects a raw client that has agreed on pings; its hello is read. */
async function agreed(url: string, platform = "qq"): Promise<RawPeer> {
  const peer = await RawPeer.connect(url, { headers: [["platform", platform], ["maim-hello", "1; ping"]] });
  assertEquals(JSON.parse((await peer.message())?.text ?? "").message_type_name, "maim_hello");
  return peer;
}

function ping(n: number): string {
  return JSON.stringify(createCustom("maim_ping", { n }, "qq"));
}

/** The number of the next pong. */
async function pong(peer: RawPeer): Promise<unknown> {
  const { message_type_name: name, content } = JSON.parse((await peer.message())?.text ?? "");
  return name === "maim_pong" ? content.n : name;
}

describe("MessageServer drop unconfirmed", () => {
  for (const how of ["server.send()", "peer.send()", "broadcast()"] as const) {
    it(`reports what ${how} wrote to a connection that was lost`, async () => {
      await using server = new MessageServer();
      const drops: ServerDrop[] = [];
      server.on("drop", (drop) => void drops.push(drop));
      const opened = heard(server, "open");
      const closed = heard(server, "close");
      await using raw = await dial(server.listen({ port: 0 }), "qq");
      const [peer] = await opened.next();
      const message = textMessage();
      if (how === "server.send()") server.send(message);
      else if (how === "peer.send()") peer.send(message);
      else assertEquals(server.broadcast(message), 1);
      raw.destroy();
      await closed.next();
      assertEquals(drops, [{ message, reason: "unconfirmed" }]);
      assertEquals(server.stats().dropped, 1);
    });
  }

  it("reports everything that a peer of this library has not confirmed, however it ends", async () => {
    for (const end of ["destroy", "close"] as const) {
      await using server = new MessageServer();
      const drops: ServerDrop[] = [];
      server.on("drop", (drop) => void drops.push(drop));
      const closed = heard(server, "close");
      await using raw = await agreed(server.listen({ port: 0 }));
      const [first, second] = [textMessage("first"), textMessage("second")];
      server.send(first);
      await raw.message();
      const question = JSON.parse((await raw.message())?.text ?? "");
      assertEquals(question.message_type_name, "maim_ping");
      server.send(second);
      raw.text(JSON.stringify({ ...question, message_type_name: "maim_pong" }));
      raw.text(wireText("the pong was read"));
      await raw.message();
      if (end === "destroy") raw.destroy();
      else raw.close(1000, "bye");
      await closed.next();
      assertEquals(drops, [{ message: second, reason: "unconfirmed" }]);
    }
  });

  it("reports nothing when a peer of another library says goodbye", async () => {
    await using server = new MessageServer();
    const drops: ServerDrop[] = [];
    server.on("drop", (drop) => void drops.push(drop));
    const closed = heard(server, "close");
    await using raw = await dial(server.listen({ port: 0 }), "qq");
    await heard(server, "open");
    server.send(textMessage());
    await raw.message();
    raw.close(1000, "bye");
    await closed.next();
    assertEquals(drops, []);
  });

  it("reports at once what was sent to a peer that the server turns out", async () => {
    await using server = new MessageServer();
    const drops: ServerDrop[] = [];
    server.on("drop", (drop) => void drops.push(drop));
    const opened = heard(server, "open");
    await using _raw = await agreed(server.listen({ port: 0 }));
    const [peer] = await opened.next();
    const message = textMessage();
    peer.send(message);
    peer.close();
    assertEquals(drops, [{ message, reason: "unconfirmed" }]);
  });

  it("lets no message of a drop handler overtake the one that is being sent to several connections", async () => {
    await using server = new MessageServer({ duplicates: "share", limits: { queuedBytes: 1000 } });
    const url = server.listen({ port: 0 });
    const opened = heard(server, "open");
    await using _slow = await dial(url, "qq");
    const [slow] = await opened.next();
    await using other = await dial(url, "qq");
    await opened.next();
    server.on("drop", ({ reason }) => {
      if (reason === "slow") server.send(textMessage("one is slow"));
    });
    while (slow.bufferedAmount < 1000) slow.send(textMessage("x".repeat(1_000_000)));
    server.send(textMessage("to both"));
    assertEquals([await nextText(other), await nextText(other)], ["to both", "one is slow"]);
  });

  it("prints one line a second for drops that nobody listens to", async () => {
    const printed = await consoleErrors(async () => {
      await using server = new MessageServer();
      const closed = heard(server, "close");
      await using raw = await dial(server.listen({ port: 0 }), "qq");
      for (let index = 0; index < 50; index++) server.send(textMessage());
      raw.destroy();
      await closed.next();
    });
    assertEquals(printed.length, 1);
    assert(printed[0]?.endsWith("(unconfirmed) and 49 more"), printed[0]);
  });
});

describe("MessageServer.close()", () => {
  it("waits until a client of this library has handled everything, and loses none of its messages", async () => {
    const server = new MessageServer();
    const drops: ServerDrop[] = [];
    server.on("drop", (drop) => void drops.push(drop));
    let received = 0;
    server.on("message", () => void received++);
    const opened = heard(server, "open");
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", reconnect: false });
    let handled = 0;
    client.on("message", (message) => {
      handled++;
      client.send(message);
    });
    const clientDrops: string[] = [];
    client.on("drop", ({ reason }) => void clientDrops.push(reason));
    await client.connect();
    await opened.next();
    for (let index = 0; index < 100; index++) server.send(textMessage());
    await server.close();
    assertEquals([handled, received, drops, clientDrops], [100, 100, [], []]);
  });

  it("reports what a client that is frozen has not confirmed, within closeTimeout", async () => {
    const server = new MessageServer({ closeTimeout: 500 });
    const drops: string[] = [];
    server.on("drop", ({ reason }) => void drops.push(reason));
    await using raw = await agreed(server.listen({ port: 0 }));
    raw.pause();
    for (let index = 0; index < 5; index++) server.send(textMessage());
    const start = performance.now();
    await server.close();
    const took = performance.now() - start;
    assertEquals(drops, Array(5).fill("unconfirmed"));
    assert(took < 3000, `close() took ${took} ms`);
  });

  it("reports what a frozen peer that was replaced has not confirmed, although Deno cannot end its socket", async () => {
    await using server = new MessageServer({ idleTimeout: 1500, closeTimeout: 200 });
    const dropped = heard(server, "drop");
    const url = server.listen({ port: 0 });
    await using frozen = await agreed(url);
    frozen.pause();
    for (let index = 0; index < 5; index++) server.send(textMessage());
    await using _newer = await agreed(url);
    for (let index = 0; index < 5; index++) {
      const [{ reason }] = await dropped.next();
      assertEquals(reason, "unconfirmed");
    }
  });
});

describe("MessageServer window", () => {
  it("takes as many bytes as limits.queuedBytes", async () => {
    await using server = new MessageServer({ limits: { queuedBytes: 200 * 2 ** 20 }, closeTimeout: 100 });
    await using raw = await agreed(server.listen({ port: 0 }));
    raw.pause();
    const message = textMessage("x".repeat(2 ** 20));
    for (let index = 0; index < 80; index++) server.send(message);
    const { dropped, peers } = server.stats();
    assertEquals([dropped, peers], [0, 1]);
    server.on("drop", () => {});
    raw.destroy();
  });
});

describe("MessageServer pings", () => {
  it("do not count against messagesPerSecond, not even at the limit", async () => {
    await using server = new MessageServer({ limits: { messagesPerSecond: 5 } });
    const received = heard(server, "message");
    await using raw = await agreed(server.listen({ port: 0 }));
    for (let n = 1; n <= 5; n++) raw.text(wireText("hi"));
    for (let n = 1; n <= 3; n++) {
      raw.text(ping(n));
      assertEquals(await pong(raw), n);
    }
    for (let n = 1; n <= 5; n++) await received.next();
    assertEquals([server.stats().limited, server.peers.length], [0, 1]);
  });

  it("are answered to a peer that a newer one replaces, so that nothing is reported falsely", async () => {
    await using server = new MessageServer();
    const received = heard(server, "message");
    const opened = heard(server, "open");
    const url = server.listen({ port: 0 });
    await using older = await agreed(url);
    await opened.next();
    await using _newer = await agreed(url);
    await opened.next();
    older.text(wireText("sent before the close frame was read"));
    older.text(ping(1));
    assertEquals(await pong(older), 1);
    await received.next();
  });

  it("have a pong for the newest only when they come too fast, and too many of them end the connection", async () => {
    await using server = new MessageServer();
    await using raw = await agreed(server.listen({ port: 0 }));
    for (let n = 1; n <= 30; n++) raw.text(ping(n));
    for (let n = 1; n <= 20; n++) assertEquals(await pong(raw), n);
    assertEquals(await pong(raw), 30);
    for (let n = 31; n <= 100; n++) raw.text(ping(n));
    const frame = await raw.frame({ opcode: 8 });
    assertEquals([frame?.code, server.stats().limited], [4429, 1]);
    raw.close(4429, "");
  });
});
