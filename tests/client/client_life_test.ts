import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import {
  MessageClient,
  type MessageClientOptions,
  MessageConnectionError,
  MessageServer,
  plainText,
} from "../../mod.ts";
import { FAST } from "../support/client.ts";
import { consoleErrors } from "../support/console.ts";
import { HI, textMessage } from "../support/messages.ts";
import { soon } from "../support/peers/inbox.ts";
import { heard } from "../support/peers/listen.ts";
import { RawServer } from "../support/peers/raw.ts";

/** A client whose failures nobody has to hear. */
function clientOf(url: string, options: Partial<MessageClientOptions> = {}): MessageClient {
  const client = new MessageClient(url, { platform: "qq", reconnect: FAST, closeTimeout: 300, ...options });
  client.on("drop", () => {});
  return client;
}

describe("MessageClient life", () => {
  it("close() ends while a server that refused is asked whether it speaks Socket.IO", async () => {
    await using server = await RawServer.listen();
    const client = clientOf(server.url);
    const connected = client.connect().catch((error: unknown) => error);
    (await server.next()).respond(404);
    await server.next(); // the question, which is never answered
    await soon(client.close(), "close()");
    assert((await connected) instanceof MessageConnectionError);
  });

  it("close() inside reconnect.delay is not undone", async () => {
    await using server = await RawServer.listen();
    const closed = Promise.withResolvers<void>();
    const delay = () => (client.close().then(closed.resolve, closed.reject), 0);
    const client = clientOf(server.url, { reconnect: { delay } });
    void client.connect().catch(() => {});
    const peer = await server.next();
    peer.accept();
    peer.text(HI);
    peer.end();
    await soon(closed.promise, "close()");
    assertEquals([client.status.state, server.accepted], ["closed", 1]);
  });

  it("flush() ends when the line falls with nothing waiting", async () => {
    await using server = await RawServer.listen();
    await using client = clientOf(server.url, { reconnect: { delay: () => 60_000 } });
    const connected = client.connect();
    const peer = await server.next();
    peer.accept();
    peer.text(HI);
    await connected;
    peer.pause();
    client.send(textMessage("x".repeat(20_000_000)));
    const flushed = client.flush();
    peer.destroy();
    await soon(flushed, "flush()");
  });

  it("a token that never comes ends the dial by connectTimeout, and the next dial asks again", async () => {
    let asked = 0;
    const token = () => (asked++, new Promise<string>(() => {}));
    await using client = clientOf("ws://127.0.0.1:1/ws", { token, connectTimeout: 30 });
    const status = heard(client, "status");
    void client.connect({ retry: true }).catch(() => {});
    const [waiting] = await status.next(({ state }) => state === "waiting");
    assert(waiting.state === "waiting");
    assertEquals(waiting.reason.code, "timeout");
    await status.next((each) => each.state === "connecting" && each.attempt === 1);
    await status.next(({ state }) => state === "waiting");
    assertEquals(asked, 2);
  });

  it("send() inside the handler of 'waiting' is kept for the next line", async () => {
    await using server = await RawServer.listen();
    await using client = clientOf(server.url);
    client.on("status", ({ state }) => {
      if (state === "waiting") client.send(textMessage("kept"));
    });
    const connected = client.connect();
    const first = await server.next();
    first.accept();
    first.text(HI);
    await connected;
    first.end();
    const second = await server.next();
    second.accept();
    second.text(HI);
    assertEquals(plainText(JSON.parse((await second.frame())?.text ?? "")), "kept");
  });

  it("an endless delay is no hot loop", async () => {
    await using client = clientOf("ws://127.0.0.1:1/ws", { reconnect: { delay: () => Infinity } });
    const status = heard(client, "status");
    let dials = 0;
    client.on("status", ({ state }) => void (dials += state === "connecting" ? 1 : 0));
    void client.connect({ retry: true }).catch(() => {});
    await status.next(({ state }) => state === "waiting");
    await assertRejects(() => status.next(({ state }) => state === "connecting" && dials > 1, { timeoutMs: 100 }));
  });

  it("an aborted connect() gives up what waits", async () => {
    await using server = await RawServer.listen();
    await using client = clientOf(server.url);
    const drops = heard(client, "drop");
    const controller = new AbortController();
    const connected = client.connect({ signal: controller.signal }).catch(() => {});
    client.send(textMessage("never"));
    controller.abort();
    await connected;
    const [{ reason }] = await drops.next();
    assertEquals([reason, client.stats.waiting], ["closed", 0]);
  });

  it("frames of a link that was given up reach nobody", async () => {
    await using server = await RawServer.listen();
    await using client = clientOf(server.url);
    const received = heard(client, "message");
    const controller = new AbortController();
    const connected = client.connect({ signal: controller.signal }).catch(() => {});
    const peer = await server.next();
    peer.accept();
    await assertRejects(() => received.next(undefined, { timeoutMs: 30 })); // upgraded, on probation
    controller.abort();
    await connected;
    peer.text(HI);
    await assertRejects(() => received.next(undefined, { timeoutMs: 100 }));
  });

  it("a signal aborted inside the handler of 'connecting' ends connect()", async () => {
    await using client = clientOf("ws://127.0.0.1:1/ws");
    const controller = new AbortController();
    client.on("status", ({ state }) => void (state === "connecting" && controller.abort(new Error("enough"))));
    await assertRejects(() => soon(client.connect({ signal: controller.signal }), "connect()"), Error, "enough");
  });

  it("tells every handler the states in the order they were entered", async () => {
    await using server = new MessageServer();
    const client = clientOf(server.listen({ port: 0 }));
    const states: string[] = [];
    client.on("status", ({ state }) => void (state === "open" && client.close()));
    client.on("status", ({ state }) => void states.push(state));
    await client.connect().catch(() => {});
    await client.close();
    assertEquals(states, ["connecting", "open", "closing", "closed"]);
  });

  it("reports what was sent when the server closes by itself during close()", async () => {
    await using server = await RawServer.listen();
    const client = clientOf(server.url);
    const drops = heard(client, "drop");
    const connected = client.connect();
    const peer = await server.next();
    peer.accept();
    peer.text(HI);
    await connected;
    client.send(textMessage("unread"));
    const closed = client.close();
    peer.close(1000, "服务器关闭");
    peer.end();
    await soon(closed, "close()");
    const [{ reason }] = await drops.next();
    assertEquals(reason, "unconfirmed");
  });

  it("outbox false keeps its bounds on a line that is slow", async () => {
    await using server = await RawServer.listen();
    await using client = clientOf(server.url, { outbox: false });
    const connected = client.connect();
    const peer = await server.next();
    peer.accept();
    peer.text(HI);
    await connected;
    peer.pause();
    const text = "x".repeat(100_000);
    const flood = () => {
      for (let sent = 0; sent < 5000; sent++) client.send(textMessage(text));
    };
    assertEquals(assertThrows(flood, MessageConnectionError).code, "queue_full");
    assertLess(client.stats.waitingBytes, 17 * 2 ** 20);
  });

  it("a handler that throws something without a text is heard all the same", async () => {
    await using server = await RawServer.listen();
    await using client = clientOf(server.url);
    const lines = await consoleErrors(async () => {
      const received = Promise.withResolvers<void>();
      client.on("message", () => {
        received.resolve();
        throw Object.create(null);
      });
      const connected = client.connect();
      const peer = await server.next();
      peer.accept();
      peer.text(HI);
      await connected;
      await soon(received.promise, "the message");
    });
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0] ?? "", "error without a listener");
  });
});

describe("MessageClient options that hold secrets", () => {
  for (const value of ["geheim\nx", "geheim\u0000", "geheim\u4e00"]) {
    it(`are refused without being shown when they are ${JSON.stringify(value)}`, () => {
      const make = () => new MessageClient("ws://127.0.0.1/ws", { platform: "qq", headers: { "x-key": value } });
      assertEquals(assertThrows(make, TypeError, "headers").message.includes("geheim"), false);
    });
  }

  it("are not in an error or its cause", async () => {
    await using client = clientOf("ws://user:geheim@127.0.0.1:1/ws?token=geheim", { token: "geheim" });
    const error = await assertRejects(() => client.connect(), MessageConnectionError);
    assertEquals(`${error} ${error.cause} ${error.stack}`.includes("geheim"), false);
  });

  it("must be strings when a function gives them", async () => {
    const token = () => Promise.resolve(undefined as unknown as string);
    await using client = clientOf("ws://127.0.0.1:1/ws", { token });
    const error = await assertRejects(() => client.connect(), MessageConnectionError);
    assertStringIncludes(String(error.cause), "token");
  });
});
