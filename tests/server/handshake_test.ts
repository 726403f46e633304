import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";

import { MessageServer, type MessageServerOptions } from "../../server.ts";
import { textMessage } from "../support/messages.ts";
import type { Header } from "../support/peers/handshake.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { dial, get, nextText, ONE_LINE } from "../support/server.ts";

describe("MessageServer.fetch()", () => {
  for (const path of ["/", "/ws/", "/WS", "/other", "/ws/ws"]) {
    it(`answers 404 in one line when the path is ${path}`, async () => {
      await using server = new MessageServer();
      const url = server.listen({ port: 0 });
      await using peer = await RawPeer.connect(new URL(path, url).href);
      assertEquals(peer.response.status, 404);
      assertMatch(peer.response.body, ONE_LINE);
      assertStringIncludes(peer.response.body, "/ws");
    });
  }

  it("answers on another path when 'path' says so", async () => {
    await using server = new MessageServer({ path: "/bot" });
    const url = server.listen({ port: 0 });
    assertMatch(url, /\/bot$/);
    await using peer = await dial(url, "qq");
    assertEquals(peer.response.status, 101);
    assertEquals((await get(url, "/ws")).status, 404);
  });

  it("answers 426 in one line when a GET asks for no upgrade", async () => {
    await using server = new MessageServer();
    const { status, body, response } = await get(server.listen({ port: 0 }), "/ws");
    assertEquals([status, response.headers.get("upgrade")], [426, "websocket"]);
    assertMatch(body, ONE_LINE);
  });

  for (const path of ["/ws/?EIO=4&transport=polling", "/ws?EIO=4&transport=polling", "/socket.io/?EIO=4"]) {
    it(`answers 400 naming Socket.IO when asked for ${path}`, async () => {
      await using server = new MessageServer();
      const { status, body } = await get(server.listen({ port: 0 }), path);
      assertEquals(status, 400);
      assertStringIncludes(body, "Socket.IO");
      assertMatch(body, ONE_LINE);
    });
  }

  it("answers 400 naming Socket.IO when the handshake is a WebSocket one", async () => {
    await using server = new MessageServer();
    await using peer = await RawPeer.connect(`${server.listen({ port: 0 })}/?EIO=4&transport=websocket`);
    assertEquals(peer.response.status, 400);
    assertStringIncludes(peer.response.body, "Socket.IO");
  });

  for (const origin of ["http://evil.example", "http://127.0.0.1:18000", "null", "https://app.example.evil"]) {
    it(`answers 403 when a web page of ${origin} calls`, async () => {
      await using server = new MessageServer({ origins: ["https://app.example"] });
      await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: [["Origin", origin]] });
      assertEquals(peer.response.status, 403);
      assertMatch(peer.response.body, ONE_LINE);
    });
  }

  it("answers 403 to every web page by default", async () => {
    await using server = new MessageServer();
    await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: [["Origin", "http://localhost"]] });
    assertEquals(peer.response.status, 403);
  });

  for (const origins of [["https://other.example", "https://app.example"], ["*"]]) {
    it(`lets a web page in when 'origins' is ${origins}`, async () => {
      await using server = new MessageServer({ origins });
      await using peer = await RawPeer.connect(server.listen({ port: 0 }), {
        headers: [["Origin", "https://app.example"]],
      });
      assertEquals(peer.response.status, 101);
    });
  }

  it("selects no extension when compression is offered", async () => {
    await using server = new MessageServer();
    await using peer = await RawPeer.connect(server.listen({ port: 0 }), {
      headers: [["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"]],
    });
    const { status, head } = peer.response;
    assertEquals([status, head.header("sec-websocket-extensions")], [101, undefined]);
  });
});

describe("MessageServer names a connection", () => {
  const cases: readonly (readonly [
    when: string,
    headers: Header[],
    query: string,
    options: MessageServerOptions,
    name: string,
  ])[] = [
    ["by the platform header", [["platform", "qq"]], "", {}, "qq"],
    ["by the platform header in any case of letters", [["PLATFORM", "qq"]], "", {}, "qq"],
    ["by the platform header without the spaces around it", [["platform", "  qq  "]], "", {}, "qq"],
    ["by the platform header as it is written", [["platform", "QQ-bot.1"]], "", {}, "QQ-bot.1"],
    ["'default' when there is no header", [], "", {}, "default"],
    ["'default' when the header is empty", [["platform", ""]], "", {}, "default"],
    ["'default' when the name is in the query and 'query' is off", [], "?platform=qq", {}, "default"],
    ["by the query when 'query' is on", [], "?platform=qq", { query: true }, "qq"],
    [
      "by the header before the query when 'query' is on",
      [["platform", "qq"]],
      "?platform=tg",
      { query: true },
      "qq",
    ],
    ["'default' when 'query' is on and the query says nothing", [], "?x=1", { query: true }, "default"],
  ];
  for (const [when, given, query, options, name] of cases) {
    it(when, async () => {
      await using server = new MessageServer(options);
      const events = new ServerEvents(server);
      await using _peer = await RawPeer.connect(server.listen({ port: 0 }) + query, { headers: given });
      const [peer] = await events.next("open");
      assertEquals([peer.platform, peer.address, peer.id], [name, "127.0.0.1", 1]);
    });
  }

  for (const [what, name] of [["UTF-8", Buffer.from("麦麦").toString("latin1")], ["Latin-1", "caf\xe9"]] as const) {
    it(`never when the header is ${what} beyond ASCII, but answers 400`, async () => {
      await using server = new MessageServer();
      await using peer = await dial(server.listen({ port: 0 }), name);
      assertEquals(peer.response.status, 400);
      assertEquals(server.peers, []);
    });
  }

  it("never when the query is beyond ASCII, but answers 400", async () => {
    await using server = new MessageServer({ query: true });
    await using peer = await RawPeer.connect(`${server.listen({ port: 0 })}?platform=%E9%BA%A6`);
    assertEquals(peer.response.status, 400);
  });

  it("'default' for many that share it and never replace one another", async () => {
    await using server = new MessageServer({ duplicates: "reject" });
    const url = server.listen({ port: 0 });
    await using first = await RawPeer.connect(url);
    await using second = await RawPeer.connect(url);
    server.send(textMessage("to both", "default"));
    assertEquals(await nextText(first), "to both");
    assertEquals(await nextText(second), "to both");
  });
});

describe("MessageServer handshakes that are not right", () => {
  it("are answered in one line and are no error event", async () => {
    await using server = new MessageServer();
    const errors: unknown[] = [];
    server.on("error", (error) => void errors.push(error));
    const url = server.listen({ port: 0 });
    const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    for (const head of [`Host: 127.0.0.1\r\n${upgrade}`, `Host: a b<>\r\n${upgrade}Sec-WebSocket-Key: AA==\r\n`]) {
      await using peer = await RawPeer.open(url);
      peer.write(`GET /ws HTTP/1.1\r\n${head}\r\n`);
      const { status } = await peer.readResponse();
      assert(status >= 400 && status < 500, `${status}`);
    }
    assertEquals(errors, []);
  });

  it("of callers that vanish while authorize decides do not hold up close()", async () => {
    const decide = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<void>();
    const server = new MessageServer({ authorize: () => (asked.resolve(), decide.promise) });
    await using peer = await RawPeer.open(server.listen({ port: 0 }));
    peer.write(
      "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await asked.promise;
    peer.destroy();
    await peer.closed;
    decide.resolve(true);
    await withTimeout(server.close(), 3000, () => "close()");
  });
});

describe("MessageServer path", () => {
  for (const [path, dialled] of [["/麦麦", "/%E9%BA%A6%E9%BA%A6"], ["/a b", "/a%20b"], ["/../ws", "/ws"]] as const) {
    it(`finds "${path}" as a client spells it`, async () => {
      await using server = new MessageServer({ path });
      const { port } = new URL(server.listen({ port: 0 }));
      await using peer = await RawPeer.connect(`ws://127.0.0.1:${port}${dialled}`);
      assertEquals(peer.response.status, 101);
    });
  }

  for (const path of ["/ws?x=1", "/ws#x", "ws"]) {
    it(`refuses "${path}"`, () => {
      assertThrows(() => new MessageServer({ path }), TypeError, "path");
    });
  }
});
