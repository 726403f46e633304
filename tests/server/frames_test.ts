import { assert, assertEquals, assertMatch, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";

import { createCustom, type CustomMessage, plainText } from "../../schema.ts";
import { MessageConnectionError, MessageServer, type Peer } from "../../server.ts";
import { consoleErrors } from "../support/console.ts";
import { nestedText, textMessage, wireText } from "../support/messages.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { currentRuntime } from "../support/peers/process.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { closeOf, dial, statsOf } from "../support/server.ts";

describe("MessageServer event 'invalid'", () => {
  const lists = '"message_segment":{"type":"seglist","data":[{"type":"text","data":"a"},{"type":"text","data":1}]}';
  const cases:
    readonly (readonly [what: string, frame: string | Uint8Array, code: string, path: string, text?: string])[] = [
      ["bad JSON", "{", "invalid_json", "$"],
      ["empty", "", "invalid_json", "$"],
      ["after a byte order mark", `\ufeff${wireText("x")}`, "invalid_json", "$"],
      ["with NaN", '{"message_info":{"platform":"qq","time":NaN},"message_segment":{}}', "invalid_json", "$"],
      ["null", "null", "invalid_shape", "$"],
      ["an array", "[]", "invalid_shape", "$"],
      ["without a platform", wireText("x", ""), "invalid_shape", "$.message_info.platform"],
      [
        "with a wrong segment in a list",
        `{"message_info":{"platform":"qq"},${lists}}`,
        "invalid_shape",
        "$.message_segment.data[1].data",
      ],
      ["nested too deep", nestedText(33), "too_deep", "$.message_segment"],
      ["nested far too deep", nestedText(5000), "too_deep", "$.message_segment"],
      ["binary", Buffer.from(wireText("x")), "invalid_shape", "$", "binary"],
      ["of OneBot", '{"post_type":"meta_event","self_id":1}', "invalid_shape", "$.message_info", "OneBot"],
      [
        "of the API server",
        '{"ver":1,"msg_id":"a","type":"sys_std","payload":{}}',
        "invalid_shape",
        "$.message_info",
        "API-server",
      ],
      [
        "custom without a name",
        '{"is_custom_message":true,"message_type_name":""}',
        "invalid_shape",
        "$.message_type_name",
      ],
    ];
  for (const [what, frame, code, path, text = ""] of cases) {
    it(`names code and path when a frame is ${what}, and the next message is handled`, async () => {
      await using server = new MessageServer();
      const events = new ServerEvents(server);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      peer.send(typeof frame === "string" ? 1 : 2, frame);
      peer.text(wireText("next"));
      const [error, from] = await events.next("invalid");
      assertEquals([error.name, error.code, from.platform], ["MessageDecodeError", code, "qq"]);
      if (path === "$") assertEquals(error.path, path);
      else assertStringIncludes(error.path, path);
      assertStringIncludes(error.message, text);
      assertEquals(plainText((await events.next("message"))[0]), "next");
      assertEquals(events.names, ["open", "invalid", "message"]);
      assertEquals(server.stats(), statsOf({ peers: 1, received: 1, sent: 0, invalid: 1, foreign: 0 }));
    });
  }

  it("is not emitted when lists nest as deep as allowed", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(nestedText(32));
    await events.next("message");
  });

  it("keeps to 'decode.maxDepth'", async () => {
    await using server = new MessageServer({ decode: { maxDepth: 2 } });
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(nestedText(3));
    peer.text(nestedText(2));
    assertEquals((await events.next("invalid"))[0].code, "too_deep");
    await events.next("message");
  });

  it("is silent when nobody listens", async () => {
    await using server = new MessageServer();
    const handled = Promise.withResolvers<void>();
    server.on("message", () => handled.resolve());
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    const lines = await consoleErrors(async () => {
      peer.text("{");
      peer.text(wireText("next"));
      await withTimeout(handled.promise, 5000, () => "the next message");
    });
    assertEquals(lines, []);
  });
});

describe("MessageServer with 'decode.strict'", () => {
  for (
    const [what, opcode, frame, path] of [
      ["wrong", 1, wireText("x", ""), "$.message_info.platform"],
      ["not JSON", 1, "{", "$"],
      ["binary", 2, "x", "$"],
    ] as const
  ) {
    it(`closes with 1007 and the path in the reason when a frame is ${what}`, async () => {
      await using server = new MessageServer({ decode: { strict: true } });
      const events = new ServerEvents(server);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      peer.send(opcode, frame);
      const [code, reason] = await closeOf(peer);
      assertEquals(code, 1007);
      assertMatch(reason, new RegExp(`${path.replaceAll(/[$.]/g, "\\$&")}$`));
      assertEquals((await events.next("invalid"))[0].path, path);
    });
  }

  it("fits a long path into the reason", async () => {
    await using server = new MessageServer({ decode: { strict: true } });
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(nestedText(31).replace('"x"', "1"));
    const [code, reason] = await closeOf(peer);
    assertEquals(code, 1007);
    assert(Buffer.byteLength(reason) <= 123);
    assertStringIncludes(reason, "$.message_segment.data[0]");
  });
});

describe("MessageServer with 'decode.maxBytes'", () => {
  it("closes with 1009 when a message is larger", async () => {
    await using server = new MessageServer({ decode: { maxBytes: 1000 } });
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(wireText("x".repeat(1000)));
    assertEquals((await closeOf(peer))[0], 1009);
    await events.next("close");
    assertEquals(events.count("message"), 0);
    // Bun ends it by itself and shows us nothing of the message.
    assertEquals(events.count("invalid"), currentRuntime === "deno" ? 1 : 0);
    if (currentRuntime === "deno") assertEquals((await events.next("invalid"))[0].code, "too_large");
  });

  it("counts UTF-8 bytes, not characters", async () => {
    await using server = new MessageServer({ decode: { maxBytes: 1000 } });
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    const rest = Buffer.byteLength(wireText(""));
    peer.text(wireText("麦".repeat((999 - rest) / 3)));
    assertEquals(plainText((await events.next("message"))[0])[0], "麦");
    peer.text(wireText("麦".repeat((1003 - rest) / 3 + 1)));
    assertEquals((await closeOf(peer))[0], 1009);
  });

  it("takes a message of exactly that size", async () => {
    const text = wireText("x".repeat(500));
    await using server = new MessageServer({ decode: { maxBytes: text.length } });
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(text);
    await events.next("message");
  });

  it("takes a message of 20 MiB by default", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(wireText("x".repeat(20 * 1024 * 1024)));
    const [message] = await events.next("message", { timeoutMs: 20_000 });
    assertEquals(plainText(message).length, 20 * 1024 * 1024);
  });

  for (const maxBytes of [Infinity, 1e12, 1000.5]) {
    it(`works when it is ${maxBytes}`, async () => {
      await using server = new MessageServer({ decode: { maxBytes } });
      const events = new ServerEvents(server);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      peer.text(wireText("x"));
      await events.next("message");
    });
  }
});

describe("MessageServer reads", () => {
  it("fragments around a ping as one message", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    const bytes = Buffer.from(wireText("麦麦"));
    const middle = bytes.indexOf("麦") + 1; // within a character
    peer.send(1, bytes.subarray(0, middle), { fin: false });
    peer.send(9, "there?");
    peer.send(0, bytes.subarray(middle));
    assertEquals(plainText((await events.next("message"))[0]), "麦麦");
    assertEquals((await peer.frame({ opcode: 10 }))?.text, "there?");
  });

  it("messages in the order they came", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    for (let index = 0; index < 500; index++) peer.text(wireText(`${index}`));
    const got: string[] = [];
    for (let index = 0; index < 500; index++) got.push(plainText((await events.next("message"))[0]));
    assertEquals(got, got.map((_, index) => `${index}`));
  });

  it("invalid UTF-8 as the end of that connection only", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using bad = await dial(url, "qq");
    bad.send(1, Uint8Array.of(0x7b, 0xff, 0x7d));
    await events.next("close");
    await using good = await dial(url, "qq");
    good.text(wireText("next"));
    assertEquals(plainText((await events.next("message"))[0]), "next");
  });

  it("a message for another platform beside its own name, and counts it", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(wireText("x", "tg"));
    const [message, from] = await events.next("message");
    assertEquals([message.message_info.platform, from.platform], ["tg", "qq"]);
    assertEquals(server.stats().foreign, 1);
    assertThrows(() => server.send(textMessage("x", "tg")), MessageConnectionError);
  });
});

describe("MessageServer custom messages", () => {
  const poke = createCustom("poke", { n: 1 }, "qq");

  it("reach 'custom' and onCustom() with the whole envelope", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const got = Promise.withResolvers<[CustomMessage, Peer]>();
    server.onCustom("poke", (message, peer) => got.resolve([message, peer]));
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(JSON.stringify(poke));
    const [message, from] = await events.next("custom");
    assertEquals([message, from.platform], [poke, "qq"]);
    const [named, namedFrom] = await withTimeout(got.promise, 5000, () => "onCustom");
    assertStrictEquals(named, message);
    assertStrictEquals(namedFrom, from);
    assertEquals(server.stats().received, 1);
  });

  it("without a handler are harmless", async () => {
    await using server = new MessageServer();
    const seen: string[] = [];
    const handled = Promise.withResolvers<void>();
    server.onCustom("other", () => void seen.push("other"));
    server.on("error", () => void seen.push("error"));
    server.on("invalid", () => void seen.push("invalid"));
    server.on("message", () => handled.resolve());
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(JSON.stringify(poke));
    peer.text('{"is_custom_message":true,"message_type_name":"constructor","content":1,"platform":null}');
    peer.text(wireText("next"));
    await withTimeout(handled.promise, 5000, () => "the next message");
    assertEquals(seen, []);
  });
});
