import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient } from "../../mod.ts";
import { FAST, upgraded } from "../support/client.ts";
import { HI } from "../support/messages.ts";
import { RawServer } from "../support/peers/raw.ts";

describe("MessageClient handshake", () => {
  it("sends platform, raw token and hello, and no offer to compress", async () => {
    await using peers = await upgraded({ token: "s3cret token", headers: { "x-proxy": "p" } });
    const { peer } = peers;
    assertEquals(peer.header("platform"), "qq");
    assertEquals(peer.header("authorization"), "s3cret token");
    assertEquals(peer.header("maim-hello"), "1; chunks, ping");
    assertEquals(peer.header("x-proxy"), "p");
    assertEquals(peer.header("sec-websocket-extensions"), undefined);
    assertEquals(peer.header("origin"), undefined);
  });

  it("leaves authorization out without a token", async () => {
    await using peers = await upgraded();
    assertEquals(peers.peer.header("authorization"), undefined);
  });

  it("asks functions for URL and token at each dial", async () => {
    let dials = 0;
    await using server = await RawServer.listen();
    await using client = new MessageClient(() => Promise.resolve(`${server.url}?dial=${++dials}`), {
      platform: "qq",
      token: () => `token-${dials}`,
      reconnect: FAST,
      closeTimeout: 100,
    });
    void client.connect({ retry: true });
    for (const dial of [1, 2]) {
      const peer = await server.next();
      assertStringIncludes(peer.request.startLine, `/ws?dial=${dial} `);
      assertEquals(peer.header("authorization"), `token-${dial}`);
      peer.accept();
      peer.text(HI);
      peer.end();
    }
  });

  for (
    const [name, options] of [
      ["platform", { platform: "企鹅" }],
      ["platform", { platform: "a b" }],
      ["platform", { platform: "" }],
      ["token", { platform: "qq", token: "geheim\n" }],
      ["Platform", { platform: "qq", headers: { Platform: "x" } }],
      ["reconnect.minDelay", { platform: "qq", reconnect: { minDelay: -1 } }],
      ["reconnect.maxDelay", { platform: "qq", reconnect: { maxDelay: NaN } }],
      ["reconnect.multiplier", { platform: "qq", reconnect: { multiplier: 0.5 } }],
      ["reconnect.jitter", { platform: "qq", reconnect: { jitter: 1.5 } }],
      ["reconnect.maxAttempts", { platform: "qq", reconnect: { maxAttempts: -1 } }],
      ["reconnect.stableAfter", { platform: "qq", reconnect: { stableAfter: -1 } }],
      ["connectTimeout", { platform: "qq", connectTimeout: 0 }],
      ["closeTimeout", { platform: "qq", closeTimeout: -1 }],
      ["decode.maxBytes", { platform: "qq", decode: { maxBytes: 0 } }],
      ["decode.maxDepth", { platform: "qq", decode: { maxDepth: 0 } }],
      ["decode.maxSegments", { platform: "qq", decode: { maxSegments: 0 } }],
    ] as const
  ) {
    it(`new MessageClient() names '${name}' when it is ${JSON.stringify(options)}`, () => {
      const error = assertThrows(() => new MessageClient("ws://127.0.0.1/ws", options), Error, name);
      assert(error instanceof TypeError || error instanceof RangeError);
      assertEquals(error.message.includes("geheim"), false);
    });
  }

  for (const url of ["http://127.0.0.1/ws", "tcp://127.0.0.1:1", "127.0.0.1:8000", "ws://127.0.0.1/ws#x", ""]) {
    it(`new MessageClient() refuses the URL "${url}"`, () => {
      assertThrows(() => new MessageClient(url, { platform: "qq" }), TypeError, "url");
    });
  }
});
