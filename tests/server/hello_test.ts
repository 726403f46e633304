import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { createCustom } from "../../schema.ts";
import { MessageServer, type MessageServerOptions } from "../../server.ts";
import { textMessage } from "../support/messages.ts";
import type { Header } from "../support/peers/handshake.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { nextText } from "../support/server.ts";

describe("MessageServer hello", () => {
  const hello: Header[] = [["platform", "qq"], ["maim-hello", "1; chunks, ping, telepathy"]];

  it("is the first frame with the features both have", async () => {
    await using server = new MessageServer();
    server.on("open", (peer) => peer.send(textMessage("second")));
    await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: hello });
    const first = JSON.parse((await peer.message())?.text ?? "");
    assertEquals([first.message_type_name, first.content], ["maim_hello", {
      version: 1,
      features: ["chunks", "ping"],
    }]);
    assertEquals([first.is_custom_message, first.platform], [true, "qq"]);
    assertEquals(await nextText(peer), "second");
  });

  it("answers maim_ping by maim_pong with the same number", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: hello });
    await peer.message();
    const content = { n: 12 };
    peer.text(JSON.stringify(createCustom("maim_ping", content, "qq")));
    const pong = JSON.parse((await peer.message())?.text ?? "");
    assertEquals([pong.message_type_name, pong.content], ["maim_pong", content]);
    assertEquals(events.names, ["open"]);
  });

  for (const content of ["[".repeat(2000) + "]".repeat(2000), '{"n":1.5}', '{"n":"1"}', "null", "7"]) {
    it(`calls a maim_ping invalid that holds ${content.slice(0, 10)}, and lives on`, async () => {
      await using server = new MessageServer();
      const events = new ServerEvents(server);
      await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: hello });
      await peer.message();
      peer.text(`{"is_custom_message":true,"message_type_name":"maim_ping","content":${content}}`);
      await events.next("invalid");
      peer.text(JSON.stringify(createCustom("maim_ping", { n: 1 }, "qq")));
      assertEquals(JSON.parse((await peer.message())?.text ?? "").message_type_name, "maim_pong");
    });
  }

  it("answers no maim_ping when ping is no common feature", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: [["maim-hello", "1; telepathy"]] });
    assertEquals(JSON.parse((await peer.message())?.text ?? "").content, { version: 1, features: [] });
    peer.text(JSON.stringify(createCustom("maim_ping", 1, "qq")));
    assertEquals((await events.next("invalid"))[0].path, "$.message_type_name");
  });

  it("calls any other maim_ name invalid though there is an agreement", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    server.onCustom("maim_future", () => void events.names.push("custom"));
    await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: hello });
    peer.text(JSON.stringify(createCustom("maim_future", 1, "qq")));
    assertEquals((await events.next("invalid"))[0].path, "$.message_type_name");
    assertEquals(events.names, ["open", "invalid"]);
  });

  const without: readonly (readonly [what: string, given: Header[], options: MessageServerOptions])[] = [
    ["there is no header", [], {}],
    ["the header has another version", [["maim-hello", "2; ping"]], {}],
    ["the header is not readable", [["maim-hello", "ping"]], {}],
    ["'hello' is false", hello, { hello: false }],
  ];
  for (const [what, given, options] of without) {
    it(`is never sent when ${what}, and an inbound maim_ name is invalid`, async () => {
      await using server = new MessageServer(options);
      const events = new ServerEvents(server);
      await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: given });
      peer.text(JSON.stringify(createCustom("maim_ping", 1, "qq")));
      const [error, from] = await events.next("invalid");
      assertEquals([error.code, error.path, from.id], ["invalid_shape", "$.message_type_name", 1]);
      server.broadcast(textMessage("first"));
      assertEquals(await nextText(peer), "first");
    });
  }

  const plain: readonly (readonly [what: string, path: string, given: Header[], options: MessageServerOptions])[] = [
    ["", "/ws", hello, {}],
    [" with a wrong token", "/ws", [["upgrade", "websocket"], ...hello], { tokens: ["secret"], refuse: "http" }],
    [" with another version", "/ws", [["maim-hello", "2; ping"]], {}],
    [" with no hello header", "/ws", [], {}],
    [" with 'hello' false", "/ws", hello, { hello: false }],
    [" with another path", "/other", hello, {}],
  ];
  const NAMED = 2;
  for (const [index, [what, path, given, options]] of plain.entries()) {
    it(`is ${index < NAMED ? "" : "not "}named in the answer to a plain request${what}`, async () => {
      await using server = new MessageServer(options);
      const url = server.listen({ port: 0 }).replace("ws:", "http:").replace("/ws", path);
      const answer = await server.fetch(new Request(url, { headers: given.map(([name, value]) => [name, value]) }));
      assertEquals(answer.headers.get("maim-hello"), index < NAMED ? "1" : null);
      assert(answer.status >= 400);
    });
  }

  it("is never sent to a caller with a wrong token", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: hello });
    assertEquals((await peer.frame())?.code, 1008);
  });
});
