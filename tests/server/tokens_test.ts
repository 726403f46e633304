import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";

import { MessageClient } from "../../client.ts";
import { plainText } from "../../schema.ts";
import { MessageConnectionError, MessageServer, type MessageServerOptions } from "../../server.ts";
import { textMessage, wireText } from "../support/messages.ts";
import { encodeFrame } from "../support/peers/frames.ts";
import { encodeRequest } from "../support/peers/handshake.ts";
import { NativePeer } from "../support/peers/native_peer.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { withoutStall } from "../support/peers/stalls.ts";
import { closeOf, DENIED, dial, headers, nextText, statsOf } from "../support/server.ts";

describe("MessageServer with tokens", () => {
  const wrong: readonly (readonly [what: string, token: string | undefined])[] = [
    ["missing", undefined],
    ["empty", ""],
    ["wrong", "wrong"],
    ["wrong after Bearer", "Bearer wrong"],
    ["Bearer alone", "Bearer"],
    ["a prefix of the right one", "secre"],
    ["longer than the right one", "secret1"],
    ["the right one in other letters", "SECRET"],
    ["the right one under another scheme", "Basic secret"],
  ];
  for (const [what, token] of wrong) {
    it(`accepts and closes with 1008 when the token is ${what}`, async () => {
      await using server = new MessageServer({ tokens: ["secret"] });
      await using peer = await dial(server.listen({ port: 0 }), "qq", token);
      assertEquals(peer.response.status, 101);
      assertEquals(await closeOf(peer), [1008, DENIED]);
    });
  }

  it("processes nothing of a connection with a wrong token, whenever it was sent", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    const first = encodeFrame(1, wireText("with the handshake"), { masked: true });
    const raw = Buffer.concat([encodeRequest(new URL(url), headers("qq", "wrong")), first, first]);
    await using bad = await RawPeer.connect(url, { raw });
    bad.text(wireText("after the handshake"));
    bad.text("not a message");
    bad.send(2, "binary");
    assertEquals(await closeOf(bad), [1008, DENIED]);
    bad.text(wireText("after the close"));
    await using good = await dial(url, "qq", "secret");
    good.text(wireText("good"));
    assertEquals(plainText((await events.next("message"))[0]), "good");
    assertEquals(events.names, ["open", "message"]);
    assertEquals(server.stats(), statsOf({ peers: 1, received: 1, unauthorized: 1 }));
  });

  it("routes nothing to a connection with a wrong token", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    await using peer = await dial(server.listen({ port: 0 }), "qq", "wrong");
    assertEquals(server.broadcast(textMessage("x")), 0);
    assertThrows(() => server.send(textMessage("x")), MessageConnectionError);
    assertEquals((await peer.frame())?.opcode, 8);
  });

  it("lets a wrong token take no name away", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    const url = server.listen({ port: 0 });
    await using good = await dial(url, "qq", "secret");
    await using bad = await dial(url, "qq", "wrong");
    assertEquals(await closeOf(bad), [1008, DENIED]);
    server.send(textMessage("still here"));
    assertEquals(await nextText(good), "still here");
  });

  for (const count of [1, 50, 1000]) {
    it(`tells 1008 and the reason each of 20 times to a native client that sends ${count} at once`, async () => {
      await using server = new MessageServer({ tokens: ["secret"] });
      const events = new ServerEvents(server);
      const url = server.listen({ port: 0 });
      const ends: string[] = [];
      for (let run = 0; run < 20; run++) {
        ends.push(
          await withoutStall(async () => {
            await using peer = new NativePeer(url, {
              headers: { platform: "qq", authorization: "wrong" },
              onOpen: (socket) => {
                for (let index = 0; index < count; index++) socket.send(wireText(`${index}`));
              },
            });
            const { code, reason } = await peer.end();
            return `${code} ${reason}`;
          }),
        );
      }
      assertEquals(ends, Array<string>(20).fill(`1008 ${DENIED}`));
      assertEquals(events.names, []);
    });
  }

  for (const token of ["secret", "Bearer secret", "bearer secret", "second", "with a space"]) {
    it(`lets "${token}" in`, async () => {
      await using server = new MessageServer({ tokens: ["secret", "second", "with a space"] });
      const events = new ServerEvents(server);
      await using _peer = await dial(server.listen({ port: 0 }), "qq", token);
      assertEquals((await events.next("open"))[0].platform, "qq");
    });
  }

  it("delivers a frame sent together with the handshake when the token is right", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    const frame = encodeFrame(1, wireText("early"), { masked: true });
    await using _peer = await RawPeer.connect(url, {
      raw: Buffer.concat([encodeRequest(new URL(url), headers("qq", "secret")), frame]),
    });
    assertEquals(plainText((await events.next("message"))[0]), "early");
  });

  it("lets everybody in when 'tokens' is left out", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using _peer = await dial(server.listen({ port: 0 }), "qq", "whatever");
    await events.next("open");
  });

  it("lets nobody in when 'tokens' is empty", async () => {
    await using server = new MessageServer({ tokens: [] });
    await using peer = await dial(server.listen({ port: 0 }), "qq", "");
    assertEquals(await closeOf(peer), [1008, DENIED]);
  });

  it("takes the token from the query when 'query' is on", async () => {
    await using server = new MessageServer({ tokens: ["secret"], query: true });
    const events = new ServerEvents(server);
    await using _peer = await RawPeer.connect(`${server.listen({ port: 0 })}?token=secret&platform=web`);
    assertEquals((await events.next("open"))[0].platform, "web");
  });

  it("ignores the token in the query by default", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    await using peer = await RawPeer.connect(`${server.listen({ port: 0 })}?token=secret`);
    assertEquals(await closeOf(peer), [1008, DENIED]);
  });

  it("answers 401 before the upgrade when 'refuse' is \"http\"", async () => {
    await using server = new MessageServer({ tokens: ["secret"], refuse: "http" });
    await using peer = await dial(server.listen({ port: 0 }), "qq", "wrong");
    assertEquals(peer.response.status, 401);
    assertEquals(peer.response.body, `${DENIED}\n`);
  });

  it("tells a MessageClient 'unauthorized'", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", token: "wrong" });
    const error = await assertRejects(() => client.connect(), MessageConnectionError);
    assertEquals([error.code, error.closeCode], ["unauthorized", 1008]);
  });
});

describe("MessageServer.addToken()", () => {
  it("turns the check on when it is the first", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    server.addToken("fresh");
    await using bad = await dial(url, "qq");
    assertEquals(await closeOf(bad), [1008, DENIED]);
    await using _good = await dial(url, "qq", "fresh");
    await events.next("open");
  });

  for (const token of ["", 5]) {
    it(`throws TypeError that shows no value when given ${typeof token} "${token}"`, () => {
      const server = new MessageServer();
      const error = assertThrows(() => server.addToken(token as string), TypeError);
      assertMatch(error.message, /token/);
    });
  }
});

describe("MessageServer.removeToken()", () => {
  it("lets the token in no more and keeps the connections it opened", async () => {
    await using server = new MessageServer({ tokens: ["old", "new"] });
    const url = server.listen({ port: 0 });
    await using inside = await dial(url, "qq", "old");
    server.removeToken("old");
    await using bad = await dial(url, "tg", "old");
    assertEquals(await closeOf(bad), [1008, DENIED]);
    server.send(textMessage("kept"));
    assertEquals(await nextText(inside), "kept");
  });

  it("lets nobody in when the last one is gone", async () => {
    await using server = new MessageServer({ tokens: ["only"] });
    server.removeToken("only");
    await using peer = await dial(server.listen({ port: 0 }), "qq", "only");
    assertEquals(await closeOf(peer), [1008, DENIED]);
  });

  it("is harmless when the token is unknown", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    server.removeToken("unknown");
    await using _peer = await dial(server.listen({ port: 0 }), "qq");
    await events.next("open");
  });
});

describe("MessageServer with 'authorize'", () => {
  const answers:
    readonly (readonly [what: string, authorize: NonNullable<MessageServerOptions["authorize"]>, isIn: boolean])[] = [
      ["true", () => true, true],
      ["false", () => false, false],
      ["a promise of true", () => Promise.resolve(true), true],
      ["a promise of false", () => Promise.resolve(false), false],
      ["platforms with the name", () => ({ platforms: ["tg", "qq"] }), true],
      ["platforms without the name", () => ({ platforms: ["tg"] }), false],
      ["no platforms", () => ({ platforms: [] }), false],
      ["a promise of platforms", () => Promise.resolve({ platforms: ["qq"] }), true],
      ["what the request says", ({ headers, url }) => headers.get("x-key") === null && url.endsWith("/ws"), true],
    ];
  for (const [what, authorize, isIn] of answers) {
    it(`${isIn ? "lets in" : "closes with 1008"} when it answers ${what}`, async () => {
      await using server = new MessageServer({ authorize });
      const events = new ServerEvents(server);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      if (isIn) assertEquals((await events.next("open"))[0].platform, "qq");
      else assertEquals(await closeOf(peer), [1008, DENIED]);
      assertEquals(events.count("error"), 0);
    });
  }

  it("compares the allowed names with 'default' when the caller gives none", async () => {
    await using server = new MessageServer({ authorize: () => ({ platforms: ["qq"] }) });
    await using peer = await RawPeer.connect(server.listen({ port: 0 }));
    assertEquals(await closeOf(peer), [1008, DENIED]);
  });

  for (
    const [what, authorize] of [
      ["throws", () => {
        throw new Error("no database");
      }],
      ["rejects", () => Promise.reject(new Error("no database"))],
    ] as const
  ) {
    it(`answers 500 without details and emits 'error' when it ${what}`, async () => {
      await using server = new MessageServer({ authorize });
      const events = new ServerEvents(server);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      assertEquals(peer.response.status, 500);
      assert(!peer.response.body.includes("database"));
      assertEquals(((await events.next("error"))[0] as Error).message, "no database");
    });
  }

  it("is not asked when the token is wrong", async () => {
    let asked = 0;
    await using server = new MessageServer({ tokens: ["secret"], authorize: () => ++asked > 0 });
    const url = server.listen({ port: 0 });
    await using bad = await dial(url, "qq", "wrong");
    assertEquals(await closeOf(bad), [1008, DENIED]);
    assertEquals(asked, 0);
  });

  it("answers 401 when it answers false and 'refuse' is \"http\"", async () => {
    await using server = new MessageServer({ authorize: () => false, refuse: "http" });
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    assertEquals(peer.response.status, 401);
  });
});
