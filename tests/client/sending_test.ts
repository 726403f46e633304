import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import {
  createCustom,
  MessageClient,
  MessageConnectionError,
  MessageEncodeError,
  MessageServer,
  plainText,
} from "../../mod.ts";
import { connectionError, FAST, upgraded } from "../support/client.ts";
import { HI, textMessage } from "../support/messages.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { heard, heardCustom } from "../support/peers/listen.ts";
import { type RawPeer, RawServer } from "../support/peers/raw.ts";

describe("MessageClient.send()", () => {
  it("throws not_open before connect()", () => {
    const client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
    assertEquals(assertThrows(() => client.send(textMessage()), MessageConnectionError).code, "not_open");
  });

  it("throws closed after close()", async () => {
    const client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
    await client.close();
    assertEquals(assertThrows(() => client.send(textMessage()), MessageConnectionError).code, "closed");
  });

  it("throws MessageEncodeError and sends nothing when the message is wrong", async () => {
    await using peers = await upgraded();
    await peers.connected;
    const wrong = { ...textMessage(), message_segment: { type: "text", data: 1 } };
    assertEquals(assertThrows(() => peers.client.send(wrong), MessageEncodeError).path, "$.message_segment.data");
    peers.client.send(textMessage("right"));
    assertStringIncludes((await peers.peer.frame())?.text ?? "", "right");
  });

  it("refuses names that belong to the library", async () => {
    await using peers = await upgraded();
    await peers.connected;
    assertThrows(() => peers.client.sendCustom("maim_ping", 1), TypeError, "maim_");
    assertThrows(() => peers.client.send(createCustom("maim_x", 1, "qq")), TypeError, "maim_");
  });

  it("keeps the order of a thousand messages", async () => {
    await using server = new MessageServer();
    const received = heard(server, "message");
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
    await client.connect();
    for (let index = 0; index < 1000; index++) client.sendText(`${index}`, { user: "10001" });
    for (let index = 0; index < 1000; index++) assertEquals(plainText((await received.next())[0]), `${index}`);
  });

  it("sendText() fills user and group, and gives the message back", async () => {
    await using peers = await upgraded();
    await peers.connected;
    const sent = peers.client.sendText("你好", { user: { user_id: "1", user_nickname: "张三" }, group: "9" });
    assertEquals(JSON.parse((await peers.peer.frame())?.text ?? ""), sent);
    assertEquals(sent.message_info.group_info, { platform: "qq", group_id: "9", group_name: "9" });
  });
});

describe("MessageClient frames", () => {
  for (
    const [name, send, path] of [
      ["invalid JSON", (peer: RawPeer) => peer.text("{"), "$"],
      ["a wrong shape", (peer: RawPeer) => peer.text('{"message_info":{}}'), "$.message_info.platform"],
      ["a binary frame", (peer: RawPeer) => peer.send(2, new Uint8Array([1, 2])), "$"],
      [
        "a maim_ message without an agreement",
        (peer: RawPeer) => peer.text('{"is_custom_message":true,"message_type_name":"maim_ping","content":1}'),
        "$.message_type_name",
      ],
    ] as const
  ) {
    it(`tells of ${name} as invalid and goes on`, async () => {
      await using peers = await upgraded();
      const invalid = heard(peers.client, "invalid");
      const received = heard(peers.client, "message");
      await peers.connected;
      send(peers.peer);
      peers.peer.text(HI);
      const [error] = await invalid.next();
      assertEquals(error.path, path);
      await received.next();
    });
  }

  it("tells of a frame over decode.maxBytes as too_large", async () => {
    await using peers = await upgraded({ decode: { maxBytes: 100 } });
    const invalid = heard(peers.client, "invalid");
    peers.peer.text(" ".repeat(100) + HI);
    const [error] = await invalid.next();
    assertEquals(error.code, "too_large");
  });

  it("answers maim_ping once ping was agreed on, and nobody hears of it", async () => {
    await using peers = await upgraded();
    const custom = heard(peers.client, "custom");
    const own = (name: string, content: unknown) => peers.peer.text(JSON.stringify(createCustom(name, content, "qq")));
    own("maim_hello", { version: 1, features: ["ping"] });
    await peers.connected;
    own("maim_ping", { n: 7 });
    const pong = JSON.parse((await peers.peer.frame())?.text ?? "");
    assertEquals([pong.message_type_name, pong.content], ["maim_pong", { n: 7 }]);
    own("other", 1);
    const [first] = await custom.next();
    assertEquals(first.message_type_name, "other");
  });

  it("hands custom messages to custom and to the handlers of their name", async () => {
    await using peers = await upgraded();
    const all = heard(peers.client, "custom");
    const pokes = heardCustom(peers.client, "poke");
    for (const name of ["other", "poke"]) peers.peer.text(JSON.stringify(createCustom(name, { name }, "qq")));
    assertEquals((await pokes.next())[0].content, { name: "poke" });
    assertEquals((await all.next())[0].content, { name: "other" });
  });

  it("turns a handler that throws into an error event, and handles the next message", async () => {
    await using peers = await upgraded();
    const errors = heard(peers.client, "error");
    peers.client.on("message", () => {
      throw new Error("bug");
    });
    peers.client.on("message", () => Promise.reject(new Error("async bug")));
    const received = heard(peers.client, "message");
    peers.peer.text(HI);
    peers.peer.text(HI);
    await received.next();
    await received.next();
    assertEquals(String((await errors.next())[0]), "Error: bug");
    await errors.next((error) => String(error) === "Error: async bug");
  });
});

describe("MessageClient.close()", () => {
  it("is a close frame with 1000, answered, in state open", async () => {
    await using peers = await upgraded();
    const status = heard(peers.client, "status");
    await peers.connected;
    const closed = peers.client.close();
    assertEquals((await peers.peer.frame({ opcode: 8 }))?.code, 1000);
    peers.peer.close(1000);
    peers.peer.end();
    await closed;
    await status.next(({ state }) => state === "closing");
    await status.next(({ state }) => state === "closed");
  });

  it("ends within closeTimeout when the server never answers", async () => {
    await using peers = await upgraded({ closeTimeout: 100 });
    await peers.connected;
    await withTimeout(peers.client.close(), 3000, () => "close()");
    assertEquals(peers.client.status, { state: "closed" });
  });

  it("rejects connect() with closed during the handshake", async () => {
    await using server = await RawServer.listen();
    await using client = new MessageClient(server.url, { platform: "qq", closeTimeout: 100 });
    const connected = client.connect().catch((error: unknown) => error);
    await using _peer = await server.next();
    await client.close();
    assertEquals(connectionError(await connected).code, "closed");
  });

  it("rejects connect() with closed during the wait for the next dial", async () => {
    await using client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
    const status = heard(client, "status");
    const connected = client.connect({ retry: true }).catch((error: unknown) => error);
    await status.next(({ state }) => state === "waiting");
    await client.close();
    assertEquals(connectionError(await connected).code, "closed");
  });

  it("is harmless before connect() and when called twice", async () => {
    const client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
    await Promise.all([client.close(), client.close()]);
    await client.close();
    assertEquals(client.status, { state: "closed" });
  });

  it("lets nothing open the client again", async () => {
    await using peers = await upgraded({ reconnect: FAST });
    await peers.connected;
    const closed = peers.client.close();
    peers.peer.end();
    await closed;
    assertEquals((await assertRejects(() => peers.client.connect(), MessageConnectionError)).code, "closed");
    assertEquals(peers.server.accepted, 1);
  });
});
