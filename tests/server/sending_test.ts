import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageEncodeError } from "../../codec.ts";
import { createCustom, type MessageBase } from "../../schema.ts";
import { MessageConnectionError, MessageServer } from "../../server.ts";
import { textMessage, wireText } from "../support/messages.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { dial, nextText } from "../support/server.ts";

describe("MessageServer.send()", () => {
  it("sends compact JSON as one text frame", async () => {
    await using server = new MessageServer();
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    server.send({ message_info: { platform: "qq" }, message_segment: { type: "text", data: "你好" } });
    const message = await peer.message();
    assertEquals([message?.opcode, message?.text], [1, wireText("你好")]);
  });

  it("sends a custom message to its platform", async () => {
    await using server = new MessageServer();
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    server.send({ ...createCustom("poke", { n: 1 }, "qq"), timestamp: 5 });
    assertEquals(JSON.parse((await peer.message())?.text ?? ""), {
      platform: "qq",
      message_type_name: "poke",
      content: { n: 1 },
      timestamp: 5,
      is_custom_message: true,
    });
  });

  it("throws no_route naming the target and who is connected", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using _peer = await dial(server.listen({ port: 0 }), "qq");
    await events.next("open");
    const error = assertThrows(() => server.send(textMessage("x", "tg")), MessageConnectionError, '"tg"');
    assertEquals(error.code, "no_route");
    assertStringIncludes(error.message, '"qq"');
  });

  for (const platform of ["QQ", "qq ", "constructor", "__proto__"]) {
    it(`throws no_route when the platform is "${platform}" and only "qq" is connected`, async () => {
      await using server = new MessageServer();
      await using _peer = await dial(server.listen({ port: 0 }), "qq");
      assertEquals(
        assertThrows(() => server.send(textMessage("x", platform)), MessageConnectionError).code,
        "no_route",
      );
    });
  }

  it("throws no_route once the platform has left", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.close(1000);
    await events.next("close");
    assertEquals(assertThrows(() => server.send(textMessage("x")), MessageConnectionError).code, "no_route");
  });

  it("throws no_route when a custom message has no platform", async () => {
    await using server = new MessageServer();
    const { platform: _, ...custom } = createCustom("poke", 1, "qq");
    assertEquals(assertThrows(() => server.send(custom), MessageConnectionError).code, "no_route");
  });

  it("throws no_route when the server is closed", async () => {
    const server = new MessageServer();
    await server.close();
    assertEquals(assertThrows(() => server.send(textMessage("x")), MessageConnectionError).code, "no_route");
  });

  it("throws MessageEncodeError before anything is sent when the message is wrong", async () => {
    await using server = new MessageServer();
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    const wrong = { message_info: { platform: "qq" }, message_segment: { type: "text", data: 5 } };
    assertEquals(
      assertThrows(() => server.send(wrong as unknown as MessageBase), MessageEncodeError).path,
      "$.message_segment.data",
    );
    server.send(textMessage("next"));
    assertEquals(await nextText(peer), "next");
    assertEquals(server.stats().sent, 1);
  });

  it("throws TypeError when the custom name is the library's own", () => {
    assertThrows(() => new MessageServer().send(createCustom("maim_x", 1, "qq")), TypeError, "maim_");
  });
});

describe("MessageServer.sendCustom()", () => {
  it("sends name and content to the platform", async () => {
    await using server = new MessageServer();
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    server.sendCustom("qq", "poke", [1, null]);
    const { timestamp, ...rest } = JSON.parse((await peer.message())?.text ?? "");
    assertEquals(typeof timestamp, "number");
    assertEquals(rest, { platform: "qq", message_type_name: "poke", content: [1, null], is_custom_message: true });
  });

  for (const name of ["", "maim_ping", "maim_"]) {
    it(`throws TypeError when the name is "${name}"`, () => {
      assertThrows(() => new MessageServer().sendCustom("qq", name, 1), TypeError);
    });
  }

  it("throws no_route when nobody is connected", () => {
    const error = assertThrows(() => new MessageServer().sendCustom("qq", "poke", 1), MessageConnectionError);
    assertEquals(error.code, "no_route");
  });
});

describe("MessageServer.forward()", () => {
  const odd = [
    '{ "message_info" : {"platform":"qq", "x": 1.50e1, "message_id": 7},\t"message_segment": {"data":"\\u4f60\\/ \\ud83d\\ude00","type":"text"} }',
    '{"is_custom_message": true,\n "message_type_name":"poke","content":{"b":1,"a":[ ]} }',
  ];
  for (const text of odd) {
    it(`passes on byte for byte ${text.slice(0, 24)}`, async () => {
      await using server = new MessageServer();
      server.on("message", (message) => server.forward("tg", message));
      server.on("custom", (message) => server.forward("tg", message));
      const url = server.listen({ port: 0 });
      await using target = await dial(url, "tg");
      await using source = await dial(url, "qq");
      source.text(text);
      assertEquals((await target.message())?.text, text);
    });
  }

  it("encodes a message of one's own", async () => {
    await using server = new MessageServer();
    await using peer = await dial(server.listen({ port: 0 }), "tg");
    server.forward("tg", { message_info: { platform: "qq" }, message_segment: { type: "text", data: "own" } });
    assertEquals((await peer.message())?.text, wireText("own"));
  });

  it("throws no_route when nobody is connected", () => {
    const error = assertThrows(() => new MessageServer().forward("tg", textMessage("x")), MessageConnectionError);
    assertEquals(error.code, "no_route");
  });

  it("throws TypeError when the custom name is the library's own", () => {
    assertThrows(() => new MessageServer().forward("tg", createCustom("maim_x", 1, "qq")), TypeError, "maim_");
  });
});

describe("MessageServer.broadcast()", () => {
  it("sends to every connection, whatever its platform, and counts them", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using first = await dial(url, "qq");
    await using second = await dial(url, "tg");
    await using third = await RawPeer.connect(url);
    for (let index = 0; index < 3; index++) await events.next("open");
    assertEquals(server.broadcast(textMessage("all", "nobody")), 3);
    assertEquals(await Promise.all([first, second, third].map(nextText)), ["all", "all", "all"]);
    assertEquals(server.stats().sent, 3);
  });

  it("counts 0 when nobody is connected", () => {
    assertEquals(new MessageServer().broadcast(textMessage("x")), 0);
  });

  it("reads the message as often for three connections as for none", async () => {
    let reads = 0;
    const message = textMessage("x");
    message.message_info.additional_config = {
      get n() {
        return ++reads > 0;
      },
    };
    await using server = new MessageServer({ duplicates: "share" });
    const events = new ServerEvents(server);
    server.broadcast(message);
    const once = reads;
    const url = server.listen({ port: 0 });
    await using _first = await dial(url, "qq");
    await using _second = await dial(url, "qq");
    await using _third = await dial(url, "qq");
    for (let index = 0; index < 3; index++) await events.next("open");
    assertEquals(server.broadcast(message), 3);
    assertEquals(reads, 2 * once);
  });

  it("throws MessageEncodeError before anything is sent when the message is wrong", async () => {
    await using server = new MessageServer();
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    assertThrows(() => server.broadcast(createCustom("poke", cycle, "qq")), MessageEncodeError);
    server.broadcast(textMessage("next"));
    assertEquals(await nextText(peer), "next");
  });

  it("throws TypeError when the custom name is the library's own", () => {
    assertThrows(() => new MessageServer().broadcast(createCustom("maim_x", 1, "qq")), TypeError, "maim_");
  });
});
