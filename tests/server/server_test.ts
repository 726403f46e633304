import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { networkInterfaces } from "node:os";
import { inspect } from "node:util";

import { MessageClient } from "../../client.ts";
import { MessageEncodeError } from "../../codec.ts";
import { createCustom, createMessage, type CustomMessage, type MessageBase, plainText, seg } from "../../schema.ts";
import {
  MessageConnectionError,
  MessageServer,
  type MessageServerOptions,
  type Peer,
  type ServerListenOptions,
  type ServerStats,
} from "../../server.ts";
import { certText } from "../support/peers/certs.ts";
import { encodeFrame } from "../support/peers/frames.ts";
import { encodeRequest, type Header } from "../support/peers/handshake.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { NativePeer } from "../support/peers/native_peer.ts";
import { currentRuntime } from "../support/peers/process.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { ServerEvents } from "../support/peers/server_events.ts";

const CLOSING = "服务器关闭";
const REPLACED = "新的连接已建立";
const DENIED = "Invalid or missing token";

/** The smallest message, as compact JSON. */
function wire(platform: string, text: string): string {
  return JSON.stringify({ message_info: { platform }, message_segment: { type: "text", data: text } });
}

function textMessage(platform: string, text: string): MessageBase {
  return createMessage({ platform, user: "1" }, seg.text(text));
}

function headers(platform: string, token?: string): Header[] {
  return [["platform", platform], ...(token === undefined ? [] : [["Authorization", token] as const])];
}

/** A raw client that is let in under a name. */
async function dial(url: string, platform: string, token?: string): Promise<RawPeer> {
  return await RawPeer.connect(url, { headers: headers(platform, token) });
}

/** The text of the message a raw client gets next. */
async function nextText(peer: RawPeer): Promise<string> {
  return plainText(JSON.parse((await peer.message())?.text ?? "null"));
}

/** Code and reason of the close frame a raw client gets; answers it. */
async function closeOf(peer: RawPeer, { timeoutMs = 5000 }: { timeoutMs?: number } = {}): Promise<[number, string]> {
  const frame = await peer.frame({ opcode: 8, timeoutMs });
  if (frame === null) throw new Error("Ended without a close frame");
  peer.close(frame.code ?? undefined, frame.reason);
  return [frame.code ?? 0, frame.reason];
}

/** Asks for a path without a WebSocket. */
async function get(url: string, path: string): Promise<{ status: number; body: string; response: Response }> {
  const response = await fetch(new URL(path, url.replace(/^ws/, "http")));
  return { status: response.status, body: await response.text(), response };
}

/** Runs the parts of a test that need the console; gives what was printed. */
async function consoleErrors(run: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const { error } = console;
  // deno-lint-ignore no-console -- what the library prints is under test.
  console.error = (...args) => void lines.push(args.join(" "));
  try {
    await run();
  } finally {
    // deno-lint-ignore no-console
    console.error = error;
  }
  return lines;
}

const oneLine = /^[^\n]+\n$/;

// ------------------------------------------------------------------------------------------------ HTTP

/** Figures of a server of which nothing else is to be told; a connection is counted for each peer. */
function statsOf(figures: Partial<ServerStats>): ServerStats {
  const { peers = 0 } = figures;
  const others = { queuedBytes: 0, unauthorized: 0, dropped: 0, limited: 0 };
  return { peers, connections: peers, received: 0, sent: 0, invalid: 0, foreign: 0, ...others, ...figures };
}

describe("MessageServer.fetch()", () => {
  for (const path of ["/", "/ws/", "/WS", "/other", "/ws/ws"]) {
    it(`answers 404 in one line when the path is ${path}`, async () => {
      await using server = new MessageServer();
      const url = server.listen({ port: 0 });
      await using peer = await RawPeer.connect(new URL(path, url).href);
      assertEquals(peer.response.status, 404);
      assertMatch(peer.response.body, oneLine);
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
    assertMatch(body, oneLine);
  });

  for (const path of ["/ws/?EIO=4&transport=polling", "/ws?EIO=4&transport=polling", "/socket.io/?EIO=4"]) {
    it(`answers 400 naming Socket.IO when asked for ${path}`, async () => {
      await using server = new MessageServer();
      const { status, body } = await get(server.listen({ port: 0 }), path);
      assertEquals(status, 400);
      assertStringIncludes(body, "Socket.IO");
      assertMatch(body, oneLine);
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
      assertMatch(peer.response.body, oneLine);
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

// ------------------------------------------------------------------------------------------------ names

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
    server.send(textMessage("default", "to both"));
    assertEquals(await nextText(first), "to both");
    assertEquals(await nextText(second), "to both");
  });
});

// ------------------------------------------------------------------------------------------------ tokens

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
    const first = encodeFrame(1, wire("qq", "with the handshake"), { masked: true });
    const raw = Buffer.concat([encodeRequest(new URL(url), headers("qq", "wrong")), first, first]);
    await using bad = await RawPeer.connect(url, { raw });
    bad.text(wire("qq", "after the handshake"));
    bad.text("not a message");
    bad.send(2, "binary");
    assertEquals(await closeOf(bad), [1008, DENIED]);
    bad.text(wire("qq", "after the close"));
    await using good = await dial(url, "qq", "secret");
    good.text(wire("qq", "good"));
    assertEquals(plainText((await events.next("message"))[0]), "good");
    assertEquals(events.names, ["open", "message"]);
    assertEquals(server.stats(), statsOf({ peers: 1, received: 1, unauthorized: 1 }));
  });

  it("routes nothing to a connection with a wrong token", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    await using peer = await dial(server.listen({ port: 0 }), "qq", "wrong");
    assertEquals(server.broadcast(textMessage("qq", "x")), 0);
    assertThrows(() => server.send(textMessage("qq", "x")), MessageConnectionError);
    assertEquals((await peer.frame())?.opcode, 8);
  });

  it("lets a wrong token take no name away", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    const url = server.listen({ port: 0 });
    await using good = await dial(url, "qq", "secret");
    await using bad = await dial(url, "qq", "wrong");
    assertEquals(await closeOf(bad), [1008, DENIED]);
    server.send(textMessage("qq", "still here"));
    assertEquals(await nextText(good), "still here");
  });

  for (const count of [1, 50, 1000]) {
    it(`tells 1008 and the reason each of 20 times to a native client that sends ${count} at once`, async () => {
      await using server = new MessageServer({ tokens: ["secret"] });
      const events = new ServerEvents(server);
      const url = server.listen({ port: 0 });
      const ends: string[] = [];
      for (let run = 0; run < 20; run++) {
        await using peer = new NativePeer(url, {
          headers: { platform: "qq", authorization: "wrong" },
          onOpen: (socket) => {
            for (let index = 0; index < count; index++) socket.send(wire("qq", `${index}`));
          },
        });
        const { code, reason } = await peer.end();
        ends.push(`${code} ${reason}`);
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
    const frame = encodeFrame(1, wire("qq", "early"), { masked: true });
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
    server.send(textMessage("qq", "kept"));
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
      ["undefined", () => undefined as unknown as boolean, false],
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

// ------------------------------------------------------------------------------------------------ duplicates

describe("MessageServer when a platform connects again", () => {
  it("closes the older with 1000 and its reason, and sends to the newer", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    await using newer = await dial(url, "qq");
    assertEquals(await closeOf(older), [1000, REPLACED]);
    const [gone, end] = await events.next("close");
    assertEquals([gone.id, end], [1, { code: 1000, reason: REPLACED }]);
    server.send(textMessage("qq", "hello"));
    assertEquals(await nextText(newer), "hello");
    assertEquals(server.peers.map(({ id }) => id), [2]);
  });

  it("sends to the newer at once though the older never answers its close", async () => {
    await using server = new MessageServer({ closeTimeout: 100 });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    await events.next("open");
    await using newer = await dial(url, "qq");
    await events.next("open");
    server.send(textMessage("qq", "hello"));
    assertEquals(await nextText(newer), "hello");
    assertEquals((await older.frame())?.code, 1000);
  });

  it("keeps the name with the newest of many", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0 });
    await using first = await dial(url, "qq");
    await using second = await dial(url, "qq");
    await using third = await dial(url, "qq");
    assertEquals(await closeOf(first), [1000, REPLACED]);
    assertEquals(await closeOf(second), [1000, REPLACED]);
    server.send(textMessage("qq", "hello"));
    assertEquals(await nextText(third), "hello");
  });

  it("delivers what the older sent before the newer came", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    for (let index = 0; index < 100; index++) older.text(wire("qq", `${index}`));
    await older.flushed();
    await using _newer = await dial(url, "qq");
    const got: string[] = [];
    for (let index = 0; index < 100; index++) got.push(plainText((await events.next("message"))[0]));
    assertEquals(got, got.map((_, index) => `${index}`));
    assertEquals(await closeOf(older), [1000, REPLACED]);
  });

  it("delivers what the older sends before it reads the close, and lets it take no name back", async () => {
    const stillSending: (() => Promise<void>)[] = [];
    await using server = new MessageServer({
      authorize: async () => {
        for (const send of stillSending) await send();
        return true;
      },
    });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    stillSending.push(async () => {
      older.text(wire("qq", "first"));
      await events.next("message");
    });
    // When the newer is told of, the older is closed and has not read so: it sends within the same turn.
    await events.next("open");
    server.on("open", () => older.text(wire("qq", "late")));
    await using newer = await dial(url, "qq");
    const [late, from] = await events.next("message");
    assertEquals([plainText(late), from.id], ["late", 1]);
    server.send(textMessage("qq", "hello"));
    assertEquals(await nextText(newer), "hello");
    assertEquals(await closeOf(older), [1000, REPLACED]);
  });

  it("lets an older that goes on sending take no name back", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using older = await dial(url, "qq");
    await using newer = await dial(url, "qq");
    const frame = await older.frame({ opcode: 8 });
    assertEquals(frame?.code, 1000);
    older.text(wire("qq", "after the close frame"));
    newer.text(wire("qq", "mine"));
    // Whether that late frame is heard is the runtime's choice; whose the name is, is not.
    while (plainText((await events.next("message"))[0]) !== "mine");
    server.send(textMessage("qq", "hello"));
    assertEquals(await nextText(newer), "hello");
  });

  it("tells a MessageClient 'replaced'", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0 });
    await using older = new MessageClient(url, { platform: "qq" });
    const closed = Promise.withResolvers<string | undefined>();
    older.on("status", (status) => {
      if (status.state === "closed") closed.resolve(status.reason?.code);
    });
    await older.connect();
    await using _newer = await dial(url, "qq");
    assertEquals(await withTimeout(closed.promise, 5000, () => "the older to be told"), "replaced");
  });

  it("refuses the newcomer with 4409 when 'duplicates' is \"reject\"", async () => {
    await using server = new MessageServer({ duplicates: "reject" });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using first = await dial(url, "qq");
    await using second = await dial(url, "qq");
    second.text(wire("qq", "never read"));
    assertEquals(await closeOf(second), [4409, "platform already connected"]);
    server.send(textMessage("qq", "hello"));
    assertEquals(await nextText(first), "hello");
    first.text(wire("qq", "mine"));
    assertEquals(plainText((await events.next("message"))[0]), "mine");
    assertEquals(events.names, ["open", "message"]);
  });

  it("lets a newcomer in once the first has left when 'duplicates' is \"reject\"", async () => {
    await using server = new MessageServer({ duplicates: "reject" });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using first = await dial(url, "qq");
    first.destroy();
    await events.next("close");
    await using second = await dial(url, "qq");
    server.send(textMessage("qq", "hello"));
    assertEquals(await nextText(second), "hello");
  });

  it("sends to all when 'duplicates' is \"share\", until one leaves", async () => {
    await using server = new MessageServer({ duplicates: "share" });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using first = await dial(url, "qq");
    await using second = await dial(url, "qq");
    await events.next("open");
    await events.next("open");
    server.send(textMessage("qq", "to both"));
    assertEquals(await nextText(first), "to both");
    assertEquals(await nextText(second), "to both");
    assertEquals(server.stats().sent, 2);
    first.destroy();
    await events.next("close");
    server.send(textMessage("qq", "to one"));
    assertEquals(await nextText(second), "to one");
  });
});

// ------------------------------------------------------------------------------------------------ sending

describe("MessageServer.send()", () => {
  it("sends compact JSON as one text frame", async () => {
    await using server = new MessageServer();
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    server.send({ message_info: { platform: "qq" }, message_segment: { type: "text", data: "你好" } });
    const message = await peer.message();
    assertEquals([message?.opcode, message?.text], [1, wire("qq", "你好")]);
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
    const error = assertThrows(() => server.send(textMessage("tg", "x")), MessageConnectionError, '"tg"');
    assertEquals(error.code, "no_route");
    assertStringIncludes(error.message, '"qq"');
  });

  for (const platform of ["QQ", "qq ", "constructor", "__proto__"]) {
    it(`throws no_route when the platform is "${platform}" and only "qq" is connected`, async () => {
      await using server = new MessageServer();
      await using _peer = await dial(server.listen({ port: 0 }), "qq");
      assertEquals(
        assertThrows(() => server.send(textMessage(platform, "x")), MessageConnectionError).code,
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
    assertEquals(assertThrows(() => server.send(textMessage("qq", "x")), MessageConnectionError).code, "no_route");
  });

  it("throws no_route when a custom message has no platform", async () => {
    await using server = new MessageServer();
    const { platform: _, ...custom } = createCustom("poke", 1, "qq");
    assertEquals(assertThrows(() => server.send(custom), MessageConnectionError).code, "no_route");
  });

  it("throws no_route when the server is closed", async () => {
    const server = new MessageServer();
    await server.close();
    assertEquals(assertThrows(() => server.send(textMessage("qq", "x")), MessageConnectionError).code, "no_route");
  });

  it("throws MessageEncodeError before anything is sent when the message is wrong", async () => {
    await using server = new MessageServer();
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    const wrong = { message_info: { platform: "qq" }, message_segment: { type: "text", data: 5 } };
    assertEquals(
      assertThrows(() => server.send(wrong as unknown as MessageBase), MessageEncodeError).path,
      "$.message_segment.data",
    );
    server.send(textMessage("qq", "next"));
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
    assertEquals((await peer.message())?.text, wire("qq", "own"));
  });

  it("throws no_route when nobody is connected", () => {
    const error = assertThrows(() => new MessageServer().forward("tg", textMessage("qq", "x")), MessageConnectionError);
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
    assertEquals(server.broadcast(textMessage("nobody", "all")), 3);
    assertEquals(await Promise.all([first, second, third].map(nextText)), ["all", "all", "all"]);
    assertEquals(server.stats().sent, 3);
  });

  it("counts 0 when nobody is connected", () => {
    assertEquals(new MessageServer().broadcast(textMessage("qq", "x")), 0);
  });

  it("reads the message as often for three connections as for none", async () => {
    let reads = 0;
    const message = textMessage("qq", "x");
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
    server.broadcast(textMessage("qq", "next"));
    assertEquals(await nextText(peer), "next");
  });

  it("throws TypeError when the custom name is the library's own", () => {
    assertThrows(() => new MessageServer().broadcast(createCustom("maim_x", 1, "qq")), TypeError, "maim_");
  });
});

// ------------------------------------------------------------------------------------------------ hello

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

describe("MessageServer.listen() of no address", () => {
  it("throws TypeError for an empty hostname, which some runtimes take for all", () => {
    const server = new MessageServer();
    assertThrows(() => server.listen({ port: 0, hostname: "" }), TypeError, "hostname");
  });

  it("returns a URL that can be dialled for an address in brackets", async () => {
    await using server = new MessageServer();
    assertMatch(server.listen({ port: 0, hostname: "[::1]" }), /^ws:\/\/\[::1\]:\d+\/ws$/);
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

describe("MessageServer hello", () => {
  const hello: Header[] = [["platform", "qq"], ["maim-hello", "1; chunks, ping, telepathy"]];

  it("is the first frame with the features both have", async () => {
    await using server = new MessageServer();
    server.on("open", (peer) => peer.send(textMessage("qq", "second")));
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
      server.broadcast(textMessage("qq", "first"));
      assertEquals(await nextText(peer), "first");
    });
  }

  it("is never sent to a caller with a wrong token", async () => {
    await using server = new MessageServer({ tokens: ["secret"] });
    await using peer = await RawPeer.connect(server.listen({ port: 0 }), { headers: hello });
    assertEquals((await peer.frame())?.code, 1008);
  });
});

// ------------------------------------------------------------------------------------------------ frames

/** A list of lists around a text: `depth` lists. */
function nested(depth: number): string {
  const open = '{"type":"seglist","data":['.repeat(depth);
  return `{"message_info":{"platform":"qq"},"message_segment":${open}{"type":"text","data":"x"}${"]}".repeat(depth)}}`;
}

describe("MessageServer event 'invalid'", () => {
  const lists = '"message_segment":{"type":"seglist","data":[{"type":"text","data":"a"},{"type":"text","data":1}]}';
  const cases:
    readonly (readonly [what: string, frame: string | Uint8Array, code: string, path: string, text?: string])[] = [
      ["bad JSON", "{", "invalid_json", "$"],
      ["empty", "", "invalid_json", "$"],
      ["after a byte order mark", `\ufeff${wire("qq", "x")}`, "invalid_json", "$"],
      ["with NaN", '{"message_info":{"platform":"qq","time":NaN},"message_segment":{}}', "invalid_json", "$"],
      ["null", "null", "invalid_shape", "$"],
      ["an array", "[]", "invalid_shape", "$"],
      ["without a platform", wire("", "x"), "invalid_shape", "$.message_info.platform"],
      [
        "with a wrong segment in a list",
        `{"message_info":{"platform":"qq"},${lists}}`,
        "invalid_shape",
        "$.message_segment.data[1].data",
      ],
      ["nested too deep", nested(33), "too_deep", "$.message_segment"],
      ["nested far too deep", nested(5000), "too_deep", "$.message_segment"],
      ["binary", Buffer.from(wire("qq", "x")), "invalid_shape", "$", "binary"],
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
      peer.text(wire("qq", "next"));
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
    peer.text(nested(32));
    await events.next("message");
  });

  it("keeps to 'decode.maxDepth'", async () => {
    await using server = new MessageServer({ decode: { maxDepth: 2 } });
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(nested(3));
    peer.text(nested(2));
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
      peer.text(wire("qq", "next"));
      await withTimeout(handled.promise, 5000, () => "the next message");
    });
    assertEquals(lines, []);
  });
});

describe("MessageServer with 'decode.strict'", () => {
  for (
    const [what, opcode, frame, path] of [
      ["wrong", 1, wire("", "x"), "$.message_info.platform"],
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
    peer.text(nested(31).replace('"x"', "1"));
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
    peer.text(wire("qq", "x".repeat(1000)));
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
    const rest = Buffer.byteLength(wire("qq", ""));
    peer.text(wire("qq", "麦".repeat((999 - rest) / 3)));
    assertEquals(plainText((await events.next("message"))[0])[0], "麦");
    peer.text(wire("qq", "麦".repeat((1003 - rest) / 3 + 1)));
    assertEquals((await closeOf(peer))[0], 1009);
  });

  it("takes a message of exactly that size", async () => {
    const text = wire("qq", "x".repeat(500));
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
    peer.text(wire("qq", "x".repeat(20 * 1024 * 1024)));
    const [message] = await events.next("message", { timeoutMs: 20_000 });
    assertEquals(plainText(message).length, 20 * 1024 * 1024);
  });

  for (const maxBytes of [Infinity, 1e12, 1000.5]) {
    it(`works when it is ${maxBytes}`, async () => {
      await using server = new MessageServer({ decode: { maxBytes } });
      const events = new ServerEvents(server);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      peer.text(wire("qq", "x"));
      await events.next("message");
    });
  }
});

describe("MessageServer reads", () => {
  it("fragments around a ping as one message", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    const bytes = Buffer.from(wire("qq", "麦麦"));
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
    for (let index = 0; index < 500; index++) peer.text(wire("qq", `${index}`));
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
    good.text(wire("qq", "next"));
    assertEquals(plainText((await events.next("message"))[0]), "next");
  });

  it("a message for another platform beside its own name, and counts it", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await dial(server.listen({ port: 0 }), "qq");
    peer.text(wire("tg", "x"));
    const [message, from] = await events.next("message");
    assertEquals([message.message_info.platform, from.platform], ["tg", "qq"]);
    assertEquals(server.stats().foreign, 1);
    assertThrows(() => server.send(textMessage("tg", "x")), MessageConnectionError);
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
    peer.text(wire("qq", "next"));
    await withTimeout(handled.promise, 5000, () => "the next message");
    assertEquals(seen, []);
  });
});

// ------------------------------------------------------------------------------------------------ handlers

/** A server with one raw client, ready for messages. */
async function withPeer(run: (server: MessageServer, peer: RawPeer) => Promise<void>): Promise<void> {
  await using server = new MessageServer();
  await using peer = await dial(server.listen({ port: 0 }), "qq");
  await run(server, peer);
}

describe("MessageServer event 'error'", () => {
  const failing: readonly (readonly [what: string, handler: (error: Error) => void | Promise<void>])[] = [
    ["throws", (error) => {
      throw error;
    }],
    ["rejects", (error) => Promise.reject(error)],
  ];
  for (const [what, handler] of failing) {
    it(`tells what a handler ${what}, and the next message is handled`, async () => {
      await withPeer(async (server, peer) => {
        const bug = new Error("a bug");
        const seen: string[] = [];
        const second = Promise.withResolvers<void>();
        const told = Promise.withResolvers<unknown>();
        server.on("message", (message) => {
          if (plainText(message) === "1") return handler(bug);
        });
        server.on("message", (message) => {
          seen.push(plainText(message));
          if (seen.length === 2) second.resolve();
        });
        server.on("error", told.resolve);
        peer.text(wire("qq", "1"));
        peer.text(wire("qq", "2"));
        assertStrictEquals(await withTimeout(told.promise, 5000, () => "the error"), bug);
        await withTimeout(second.promise, 5000, () => "the next message");
        assertEquals(seen, ["1", "2"]);
      });
    });

    it(`is one console.error call when a handler ${what} and nobody listens`, async () => {
      await withPeer(async (server, peer) => {
        const handled = Promise.withResolvers<void>();
        server.on("message", (message) => {
          if (plainText(message) === "1") return handler(new Error("a bug"));
          handled.resolve();
        });
        const lines = await consoleErrors(async () => {
          peer.text(wire("qq", "1"));
          peer.text(wire("qq", "2"));
          await withTimeout(handled.promise, 5000, () => "the next message");
        });
        assertEquals(lines.length, 1);
        assertMatch(lines[0] ?? "", /^@maim\/message: .*a bug/);
      });
    });
  }

  for (const event of ["custom", "open", "close", "invalid"] as const) {
    it(`tells what a handler of '${event}' throws`, async () => {
      await using server = new MessageServer();
      const bug = new Error("a bug");
      const told = Promise.withResolvers<unknown>();
      server.on(event, () => {
        throw bug;
      });
      server.on("error", told.resolve);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      if (event === "custom") peer.text(JSON.stringify(createCustom("poke", 1, "qq")));
      if (event === "invalid") peer.text("{");
      if (event === "close") peer.destroy();
      assertStrictEquals(await withTimeout(told.promise, 5000, () => "the error"), bug);
    });
  }

  it("is a console.error call when its own listener fails", async () => {
    await withPeer(async (server, peer) => {
      const handled = Promise.withResolvers<void>();
      server.on("error", () => {
        throw new Error("a second bug");
      });
      server.on("message", (message) => {
        if (plainText(message) === "1") throw new Error("a bug");
        handled.resolve();
      });
      const lines = await consoleErrors(async () => {
        peer.text(wire("qq", "1"));
        peer.text(wire("qq", "2"));
        await withTimeout(handled.promise, 5000, () => "the next message");
      });
      assertEquals(lines.length, 1);
      assertStringIncludes(lines[0] ?? "", "a second bug");
    });
  });
});

describe("MessageServer.on()", () => {
  /** Sends messages one by one and collects what the handlers note for each. */
  async function notes(
    count: number,
    register: (server: MessageServer, note: (text: string) => void) => void,
  ): Promise<string[]> {
    const seen: string[] = [];
    await withPeer(async (server, peer) => {
      register(server, (text) => void seen.push(text));
      const done = Promise.withResolvers<void>();
      server.onCustom("done", () => done.resolve());
      for (let index = 0; index < count; index++) peer.text(wire("qq", `${index}`));
      peer.text(JSON.stringify(createCustom("done", 1, "qq")));
      await withTimeout(done.promise, 5000, () => "the last message");
    });
    return seen;
  }

  it("calls handlers in the order they were added", async () => {
    const seen = await notes(1, (server, note) => {
      for (const name of ["a", "b", "c"]) server.on("message", () => note(name));
    });
    assertEquals(seen, ["a", "b", "c"]);
  });

  it("calls a handler for this event still when another removes it meanwhile", async () => {
    const seen = await notes(2, (server, note) => {
      server.on("message", () => {
        note("a");
        remove();
      });
      const remove = server.on("message", () => note("b"));
    });
    assertEquals(seen, ["a", "b", "a"]);
  });

  it("calls a handler for the next event first when it is added meanwhile", async () => {
    const seen = await notes(2, (server, note) => {
      const remove = server.on("message", () => {
        note("a");
        remove();
        server.on("message", () => note("b"));
      });
    });
    assertEquals(seen, ["a", "b"]);
  });

  it("returns a remover that is harmless when called twice", async () => {
    const seen = await notes(1, (server, note) => {
      const remove = server.on("message", () => note("a"));
      server.on("message", () => note("b"));
      remove();
      remove();
    });
    assertEquals(seen, ["b"]);
  });

  it("removes the handler when the signal is aborted", async () => {
    const controller = new AbortController();
    const seen = await notes(2, (server, note) => {
      server.on("message", () => note("a"), { signal: controller.signal });
      server.on("message", () => controller.abort());
    });
    assertEquals(seen, ["a"]);
  });

  it("adds nothing when the signal is aborted already", async () => {
    const seen = await notes(1, (server, note) => {
      server.on("message", () => note("a"), { signal: AbortSignal.abort() });
    });
    assertEquals(seen, []);
  });

  it("throws TypeError when the handler is no function", () => {
    assertThrows(() => new MessageServer().on("message", 5 as unknown as () => void), TypeError, "number");
  });
});

describe("MessageServer.onCustom()", () => {
  it("removes the handler when its remover is called or the signal aborted", async () => {
    await withPeer(async (server, peer) => {
      const controller = new AbortController();
      const seen: string[] = [];
      const done = Promise.withResolvers<void>();
      const remove = server.onCustom("poke", () => void seen.push("a"));
      server.onCustom("poke", () => void seen.push("b"), { signal: controller.signal });
      server.onCustom("poke", () => {
        remove();
        controller.abort();
      });
      server.onCustom("done", () => done.resolve());
      for (const name of ["poke", "poke", "done"]) peer.text(JSON.stringify(createCustom(name, 1, "qq")));
      await withTimeout(done.promise, 5000, () => "the last message");
      assertEquals(seen, ["a", "b"]);
    });
  });
});

// ------------------------------------------------------------------------------------------------ peers

describe("Peer", () => {
  /** A server, the raw client and its peer. */
  async function withServerPeer(
    run: (peer: Peer, raw: RawPeer, server: MessageServer, events: ServerEvents) => Promise<void>,
  ): Promise<void> {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using raw = await dial(server.listen({ port: 0 }), "qq");
    const [peer] = await events.next("open");
    await run(peer, raw, server, events);
  }

  it("send() sends to its connection, whatever the platform of the message", async () => {
    await withServerPeer(async (peer, raw) => {
      peer.send(textMessage("tg", "to qq"));
      assertEquals(await nextText(raw), "to qq");
    });
  });

  it("send() throws MessageEncodeError when the message is wrong", async () => {
    await withServerPeer((peer) => {
      assertThrows(() => peer.send({} as MessageBase), MessageEncodeError);
      return Promise.resolve();
    });
  });

  it("send() throws 'closed' when the connection is ending or gone", async () => {
    await withServerPeer(async (peer, raw, _server, events) => {
      peer.close();
      assertEquals(assertThrows(() => peer.send(textMessage("qq", "x")), MessageConnectionError).code, "closed");
      await closeOf(raw);
      await events.next("close");
      assertEquals(assertThrows(() => peer.send(textMessage("qq", "x")), MessageConnectionError).code, "closed");
    });
  });

  it("sendCustom() names its own platform", async () => {
    await withServerPeer(async (peer, raw) => {
      peer.sendCustom("poke", 1);
      const { platform, message_type_name } = JSON.parse((await raw.message())?.text ?? "");
      assertEquals([platform, message_type_name], ["qq", "poke"]);
    });
  });

  for (const name of ["", "maim_ping"]) {
    it(`sendCustom() throws TypeError when the name is "${name}"`, async () => {
      await withServerPeer((peer) => {
        assertThrows(() => peer.sendCustom(name, 1), TypeError);
        return Promise.resolve();
      });
    });
  }

  const ends:
    readonly (readonly [what: string, args: [code?: number, reason?: string], code: number, reason: string])[] = [
      ["1000 and no reason by default", [], 1000, ""],
      ["the code", [4000], 4000, ""],
      ["1011 and a reason", [1011, "坏了"], 1011, "坏了"],
      ["a reason of 123 bytes", [3000, "麦".repeat(41)], 3000, "麦".repeat(41)],
    ];
  for (const [what, args, code, reason] of ends) {
    it(`close() sends ${what}`, async () => {
      await withServerPeer(async (peer, raw, server, events) => {
        peer.close(...args);
        assertEquals(server.peers, []);
        assertEquals(await closeOf(raw), [code, reason]);
        assertEquals((await events.next("close"))[1], { code, reason });
      });
    });
  }

  for (const code of [0, 999, 1000.5, 1004, 1005, 1006, 1015, 2999, 5000, NaN]) {
    it(`close() throws RangeError that names the code when it is ${code}`, async () => {
      await withServerPeer((peer, _raw, server) => {
        assertThrows(() => peer.close(code), RangeError, `${code}`);
        assertEquals(server.peers.length, 1);
        return Promise.resolve();
      });
    });
  }

  it("close() throws RangeError when the reason takes 124 bytes", async () => {
    await withServerPeer((peer, _raw, server) => {
      assertThrows(() => peer.close(1000, `${"麦".repeat(41)}x`), RangeError, "reason");
      assertEquals(server.peers.length, 1);
      return Promise.resolve();
    });
  });

  it("close() is harmless when called twice", async () => {
    await withServerPeer(async (peer, raw, _server, events) => {
      peer.close(4001, "first");
      peer.close(4002, "second");
      assertEquals(await closeOf(raw), [4001, "first"]);
      await events.next("close");
      peer.close(4003);
    });
  });

  it("close() inside an 'open' handler takes it out of routing and tells 'close'", async () => {
    await using server = new MessageServer();
    server.on("open", (peer) => peer.close(4003, "not today"));
    const events = new ServerEvents(server);
    await using raw = await dial(server.listen({ port: 0 }), "qq");
    assertEquals(await closeOf(raw), [4003, "not today"]);
    assertEquals((await events.next("close"))[1], { code: 4003, reason: "not today" });
    assertEquals(server.stats().peers, 0);
    assertThrows(() => server.send(textMessage("qq", "x")), MessageConnectionError);
  });

  it("counts ids from 1 and never reuses one", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    for (const id of [1, 2, 3]) {
      await using _raw = await dial(url, "qq");
      assertEquals((await events.next("open"))[0].id, id);
    }
  });

  it("bufferedAmount grows while the client does not read, and falls when it does", async () => {
    await withServerPeer(async (peer, raw) => {
      assertEquals(peer.bufferedAmount, 0);
      raw.pause();
      peer.send(textMessage("qq", "x".repeat(30_000_000)));
      assert(peer.bufferedAmount > 1_000_000);
      raw.resume();
      await raw.message({ timeoutMs: 20_000 });
    });
  });
});

describe("MessageServer event 'close'", () => {
  const ends: readonly (readonly [what: string, act: (raw: RawPeer) => void, code: number, reason: string])[] = [
    ["code and reason of a close frame", (raw) => raw.close(4000, "bye 麦"), 4000, "bye 麦"],
    ["1005 when the close frame is empty", (raw) => raw.close(), 1005, ""],
    ["1006 when the line is cut", (raw) => raw.destroy(), 1006, ""],
    ["1006 when the line is reset", (raw) => raw.reset(), 1006, ""],
  ];
  for (const [what, act, code, reason] of ends) {
    it(`tells ${what}`, async () => {
      await using server = new MessageServer();
      const events = new ServerEvents(server);
      await using raw = await dial(server.listen({ port: 0 }), "qq");
      await events.next("open");
      act(raw);
      const [peer, end] = await events.next("close");
      assertEquals([peer.id, end.code], [1, code]);
      if (code !== 1006) assertEquals(end.reason, reason); // Bun says in words why a line fell
      assertEquals([server.peers.length, server.stats().peers], [0, 0]);
    });
  }

  it("is told once when a dead peer has not answered within 'idleTimeout'", async () => {
    await using server = new MessageServer({ idleTimeout: 500, closeTimeout: 100 });
    const events = new ServerEvents(server);
    await using raw = await dial(server.listen({ port: 0 }), "qq"); // answers no ping
    await events.next("open");
    // Bun rounds up to 8 s and looks every 4 s.
    await events.next("close", { timeoutMs: 20_000 });
    assertEquals(server.peers, []);
    await withTimeout(raw.closed, 5000, () => "the dead connection to be dropped");
    await server.close();
    assertEquals(events.names, ["open", "close"]);
  });
});

describe("MessageServer.peers", () => {
  it("lists the oldest first", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    assertEquals(server.peers, []);
    await using _first = await dial(url, "tg");
    await events.next("open");
    await using _second = await dial(url, "qq");
    await events.next("open");
    assertEquals(server.peers.map(({ id, platform }) => [id, platform]), [[1, "tg"], [2, "qq"]]);
  });
});

describe("MessageServer.stats()", () => {
  it("counts what came and went", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    assertEquals(server.stats(), statsOf({ peers: 0, received: 0, sent: 0, invalid: 0, foreign: 0 }));
    await using raw = await dial(server.listen({ port: 0 }), "qq");
    for (const text of [wire("qq", "a"), wire("tg", "b"), JSON.stringify(createCustom("c", 1, "qq")), "{"]) {
      raw.text(text);
    }
    await events.next("invalid");
    server.send(textMessage("qq", "x"));
    server.forward("qq", textMessage("tg", "x"));
    server.broadcast(textMessage("qq", "x"));
    for (let count = 0; count < 3; count++) await raw.message();
    assertEquals(server.stats(), statsOf({ peers: 1, received: 3, sent: 3, invalid: 1, foreign: 1 }));
  });

  it("counts what a peer was sent by itself", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    await using raw = await dial(server.listen({ port: 0 }), "qq");
    const [peer] = await events.next("open");
    peer.send(textMessage("qq", "x"));
    await raw.message();
    assertEquals(server.stats().sent, 1);
  });
});

describe("MessageServer.websocket", () => {
  const limits: readonly (readonly [options: MessageServerOptions, idleTimeout: number, maxPayloadLength: number])[] = [
    [{}, 120, 104_857_600],
    [{ idleTimeout: 0 }, 0, 104_857_600],
    [{ idleTimeout: 1500 }, 2, 104_857_600],
    [{ idleTimeout: 10_000_000, decode: { maxBytes: 5000 } }, 960, 5000],
  ];
  for (const [options, idleTimeout, maxPayloadLength] of limits) {
    it(`tells Bun the limits of ${JSON.stringify(options)}`, () => {
      const { websocket } = new MessageServer(options);
      assertEquals([websocket.idleTimeout, websocket.maxPayloadLength], [idleTimeout, maxPayloadLength]);
      assertEquals(websocket.backpressureLimit, 0);
    });
  }
});

// ------------------------------------------------------------------------------------------------ listen

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

/** A message through a dialled URL and back. */
async function echoes(server: MessageServer, url: string): Promise<string> {
  server.on("message", (message, peer) => peer.send(message));
  await using peer = await dial(url, "qq");
  peer.text(wire("qq", "there and back"));
  return await nextText(peer);
}

describe("MessageServer.listen()", () => {
  const hosts: readonly (readonly [hostname: string | undefined, shown: string])[] = [
    [undefined, "127.0.0.1"],
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "127.0.0.1"],
    ["localhost", "localhost"],
    ["::1", "[::1]"],
    ["::", "[::1]"],
  ];
  for (const [hostname, shown] of hosts) {
    const declare = hostname?.includes(":") && !hasIpv6 ? it.skip : it;
    declare(`returns a URL that can be dialled when 'hostname' is ${hostname}`, async () => {
      await using server = new MessageServer();
      const url = server.listen({ port: 0, ...(hostname === undefined ? {} : { hostname }) });
      assertMatch(url, /^ws:\/\/[^/]+:\d+\/ws$/);
      const { host, port } = new URL(url);
      assertEquals(host, `${shown}:${port}`);
      assertEquals(await echoes(server, url), "there and back");
    });
  }

  it("binds port 18000 by default", async () => {
    await using server = new MessageServer();
    try {
      assertEquals(server.listen(), "ws://127.0.0.1:18000/ws");
    } catch (error) {
      assertInstanceOf(error, Error); // some other program has that port
      assertEquals((error as Error & { code?: string }).code, "EADDRINUSE");
    }
  });

  it("throws at once with code EADDRINUSE when the port is taken, and listens elsewhere then", async () => {
    await using first = new MessageServer();
    await using second = new MessageServer();
    const port = Number(new URL(first.listen({ port: 0 })).port);
    const error = assertThrows(() => second.listen({ port }), Error);
    assertEquals((error as Error & { code?: string }).code, "EADDRINUSE");
    assertEquals(await echoes(second, second.listen({ port: 0 })), "there and back");
  });

  for (const port of [-1, 65_536, 1.5, NaN, "80", null]) {
    it(`throws RangeError or TypeError naming 'port' when it is ${typeof port} ${port}`, () => {
      const error = assertThrows(() => new MessageServer().listen({ port } as ServerListenOptions), Error);
      assert(error instanceof RangeError || error instanceof TypeError);
      assertMatch(error.message, new RegExp(`'port'.*${port}`));
    });
  }

  it("throws 'closed' when the server is closed", async () => {
    const server = new MessageServer();
    await server.close();
    assertEquals(assertThrows(() => server.listen({ port: 0 }), MessageConnectionError).code, "closed");
  });

  it("binds as many ports as it is called for, and close() frees them all", async () => {
    const server = new MessageServer();
    const urls = [server.listen({ port: 0 }), server.listen({ port: 0 })];
    assertEquals(new Set(urls).size, 2);
    for (const url of urls) assertEquals(await echoes(server, url), "there and back");
    await server.close();
    for (const url of urls) await assertRejects(() => RawPeer.connect(url));
  });

  it("closes the server when the signal is aborted", async () => {
    const controller = new AbortController();
    await using server = new MessageServer();
    const url = server.listen({ port: 0, signal: controller.signal });
    await using peer = await NativePeer.connect(url);
    controller.abort();
    assertEquals(await peer.end(), { code: 1000, reason: CLOSING });
    await server.close();
    await assertRejects(() => RawPeer.connect(url));
  });

  it("closes the server at once when the signal is aborted already", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0, signal: AbortSignal.abort() });
    await server.close();
    await assertRejects(() => RawPeer.connect(url));
  });

  it("leaves no listener on the signal once the server is closed", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener, signal.removeEventListener];
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add.apply(signal, args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove.apply(signal, args));
    const server = new MessageServer();
    server.listen({ port: 0, signal });
    assertEquals(listeners, 1);
    await server.close();
    assertEquals(listeners, 0);
  });

  const tls = { cert: certText("server.pem"), key: certText("server.key") };

  it("speaks wss when given a certificate", async () => {
    await using server = new MessageServer();
    server.on("message", (message, peer) => peer.send(message));
    const url = server.listen({ port: 0, tls });
    assertMatch(url, /^wss:\/\/127\.0\.0\.1:\d+\/ws$/);
    await using client = new MessageClient(url, { platform: "qq", tls: { ca: certText("ca.pem") } });
    const answer = Promise.withResolvers<string>();
    client.on("message", (message) => answer.resolve(plainText(message)));
    await client.connect();
    client.send(textMessage("qq", "secretly"));
    assertEquals(await withTimeout(answer.promise, 5000, () => "the answer"), "secretly");
  });

  it("serves wss and ws from one server", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const secure = server.listen({ port: 0, tls });
    await using first = await RawPeer.connect(secure, { headers: headers("qq"), tls: { ca: certText("ca.pem") } });
    await using _second = await dial(server.listen({ port: 0 }), "tg");
    await events.next("open");
    await events.next("open");
    assertEquals(server.broadcast(textMessage("qq", "both")), 2);
    assertEquals(await nextText(first), "both");
  });

  it("throws at once when the certificate is garbage", () => {
    assertThrows(() => new MessageServer().listen({ port: 0, tls: { cert: "garbage", key: "garbage" } }), Error);
  });
});

// ------------------------------------------------------------------------------------------------ close

/** Whether somebody listens there. */
async function isFree(url: string): Promise<boolean> {
  const server = new MessageServer();
  try {
    server.listen({ port: Number(new URL(url).port) });
    return true;
  } catch {
    return false;
  } finally {
    await server.close();
  }
}

describe("MessageServer.close()", () => {
  it("tells everybody 1000 and the reason, and frees the port", async () => {
    const server = new MessageServer({ duplicates: "share" });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using first = await NativePeer.connect(url, { headers: { platform: "qq" } });
    await using second = await NativePeer.connect(url, { headers: { platform: "qq" } });
    await using third = await NativePeer.connect(url);
    for (let index = 0; index < 3; index++) await events.next("open");
    await server.close();
    const ends = await Promise.all([first, second, third].map((peer) => peer.end()));
    assertEquals(ends, ends.map(() => ({ code: 1000, reason: CLOSING })));
    assertEquals([events.count("close"), server.peers.length, server.stats().peers], [3, 0, 0]);
    assert(await isFree(url));
  });

  it("tells 1000 to a client that sends a thousand messages at that moment", async () => {
    const server = new MessageServer();
    const url = server.listen({ port: 0 });
    const begun = Promise.withResolvers<void>();
    server.on("message", () => begun.resolve());
    await using peer = await NativePeer.connect(url, {
      onOpen: (socket) => {
        for (let index = 0; index < 1000; index++) socket.send(wire("qq", `${index}`));
      },
    });
    await withTimeout(begun.promise, 5000, () => "the first message");
    await server.close();
    assertEquals(await peer.end(), { code: 1000, reason: CLOSING });
  });

  it("tells 1000 to a client that answers every message at once", async () => {
    const server = new MessageServer();
    const url = server.listen({ port: 0 });
    let count = 0;
    const enough = Promise.withResolvers<void>();
    server.on("message", (message, peer) => {
      if (++count === 100) enough.resolve();
      if (server.peers.includes(peer)) peer.send(message);
    });
    await using peer = await NativePeer.connect(url, {
      onOpen: (socket) => socket.send(wire("qq", "ball")),
      onText: (text, socket) => socket.send(text),
    });
    await withTimeout(enough.promise, 5000, () => "a hundred messages");
    await server.close();
    assertEquals(await peer.end(), { code: 1000, reason: CLOSING });
  });

  it("delivers what was sent before it", async () => {
    const server = new MessageServer();
    const events = new ServerEvents(server);
    await using peer = await NativePeer.connect(server.listen({ port: 0 }), { headers: { platform: "qq" } });
    await events.next("open");
    for (let index = 0; index < 4; index++) server.send(textMessage("qq", `${index}`.repeat(5_000_000)));
    await server.close();
    for (const text of ["0", "1", "2", "3"]) {
      const got = plainText(JSON.parse(await peer.text({ timeoutMs: 20_000 }) ?? "null"));
      assertEquals([got[0], got.length], [text, 5_000_000]);
    }
    assertEquals(await peer.end(), { code: 1000, reason: CLOSING });
  });

  it("is bounded by 'closeTimeout' when a peer never answers the close", async () => {
    const server = new MessageServer({ closeTimeout: 200 });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using mute = await dial(url, "qq");
    await events.next("open");
    const begin = performance.now();
    await withTimeout(server.close(), 5000, () => "the server to close");
    // Deno's own shutdown adds up to one second for a socket it can not drop.
    assertLess(performance.now() - begin, 2500);
    assertEquals((await mute.frame())?.code, 1000);
    assert(await isFree(url));
    mute.destroy();
    await events.next("close");
  });

  it("is bounded by 'closeTimeout' when a peer does not read", async () => {
    const server = new MessageServer({ closeTimeout: 200 });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using stuck = await dial(url, "qq");
    await events.next("open");
    stuck.pause();
    server.send(textMessage("qq", "x".repeat(30_000_000)));
    await withTimeout(server.close(), 5000, () => "the server to close");
    assert(await isFree(url));
    stuck.destroy();
    await events.next("close");
  });

  for (const closeTimeout of [Infinity, 2 ** 31]) {
    it(`waits for the answer when 'closeTimeout' is ${closeTimeout}`, async () => {
      const server = new MessageServer({ closeTimeout });
      const events = new ServerEvents(server);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      await events.next("open");
      const closing = server.close();
      assertEquals(await closeOf(peer), [1000, CLOSING]);
      await withTimeout(closing, 5000, () => "the server to close");
    });
  }

  it("answers 503 or nothing to who calls meanwhile", async () => {
    const server = new MessageServer({ closeTimeout: 3000 });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    await using mute = await dial(url, "qq");
    await events.next("open");
    const closing = server.close();
    const status = await RawPeer.connect(url).then(async (late) => {
      await late[Symbol.asyncDispose]();
      return late.response.status;
    }, () => "refused");
    assert(status === 503 || status === "refused", `${status}`);
    mute.destroy();
    await closing;
  });

  it("lets nobody in whose 'authorize' ends meanwhile", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<boolean>();
    const server = new MessageServer({
      authorize: () => {
        asked.resolve();
        return answer.promise;
      },
    });
    const events = new ServerEvents(server);
    const url = server.listen({ port: 0 });
    const connecting = RawPeer.connect(url).then(async (late) => {
      await late[Symbol.asyncDispose]();
      return late.response.status;
    }, () => "refused");
    await withTimeout(asked.promise, 5000, () => "the question");
    const closing = server.close();
    answer.resolve(true);
    const status = await connecting;
    assert(status === 503 || status === "refused", `${status}`);
    await closing;
    assertEquals(events.names, []);
  });

  it("returns the same promise when called again, also from a 'close' handler", async () => {
    const server = new MessageServer();
    const events = new ServerEvents(server);
    const again: Promise<void>[] = [];
    server.on("close", () => void again.push(server.close()));
    await using _peer = await NativePeer.connect(server.listen({ port: 0 }));
    await events.next("open");
    const first = server.close();
    assertStrictEquals(server.close(), first);
    await first;
    assertStrictEquals(again[0], first);
  });

  it("is at once when nobody ever listened", async () => {
    const server = new MessageServer();
    await withTimeout(server.close(), 1000, () => "the server to close");
  });

  it("is what the end of an 'await using' scope calls", async () => {
    let url: string;
    {
      await using server = new MessageServer();
      url = server.listen({ port: 0 });
    }
    await assertRejects(() => RawPeer.connect(url));
  });

  it("leaves MessageClient waiting to dial again", async () => {
    const server = new MessageServer();
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
    await client.connect();
    const waiting = Promise.withResolvers<number | undefined>();
    client.on("status", (status) => {
      if (status.state === "waiting") waiting.resolve(status.reason.closeCode);
    });
    await server.close();
    assertEquals(await withTimeout(waiting.promise, 5000, () => "the client to notice"), 1000);
  });
});

// ------------------------------------------------------------------------------------------------ options

describe("new MessageServer()", () => {
  type Class = typeof TypeError | typeof RangeError;
  const wrong: readonly (readonly [options: Record<string, unknown>, ErrorClass: Class, texts: readonly string[]])[] = [
    [{ path: "ws" }, TypeError, ["'path'", '"ws"']],
    [{ path: "" }, TypeError, ["'path'", '""']],
    [{ path: 5 }, TypeError, ["'path'", "5"]],
    [{ tokens: "hunter2" }, TypeError, ["'tokens'"]],
    [{ tokens: ["hunter2", ""] }, TypeError, ["'tokens'"]],
    [{ tokens: ["hunter2", 5] }, TypeError, ["'tokens'"]],
    [{ authorize: true }, TypeError, ["'authorize'", "true"]],
    [{ refuse: "no" }, TypeError, ["'refuse'", '"no"', '"close"', '"http"']],
    [{ duplicates: "first" }, TypeError, ["'duplicates'", '"first"', '"replace"', '"reject"', '"share"']],
    [{ origins: "https://a.example" }, TypeError, ["'origins'", "https://a.example"]],
    [{ origins: [""] }, TypeError, ["'origins'"]],
    [{ query: "yes" }, TypeError, ["'query'", '"yes"']],
    [{ hello: 1 }, TypeError, ["'hello'", "1"]],
    [{ idleTimeout: -1 }, RangeError, ["'idleTimeout'", "-1"]],
    [{ idleTimeout: NaN }, TypeError, ["'idleTimeout'", "NaN"]],
    [{ idleTimeout: "5" }, TypeError, ["'idleTimeout'", '"5"']],
    [{ closeTimeout: -1 }, RangeError, ["'closeTimeout'", "-1"]],
    [{ closeTimeout: null }, TypeError, ["'closeTimeout'", "null"]],
    [{ decode: { maxBytes: 0 } }, RangeError, ["'decode.maxBytes'", "0"]],
    [{ decode: { maxBytes: "1" } }, TypeError, ["'decode.maxBytes'", '"1"']],
    [{ decode: { maxDepth: 0 } }, RangeError, ["'decode.maxDepth'", "0"]],
    [{ decode: { maxSegments: 0 } }, RangeError, ["'decode.maxSegments'", "0"]],
    [{ decode: { maxDepth: NaN } }, TypeError, ["'decode.maxDepth'", "NaN"]],
    [{ decode: { strict: "true" } }, TypeError, ["'decode.strict'", '"true"']],
  ];
  for (const [options, ErrorClass, texts] of wrong) {
    it(`throws ${ErrorClass.name} naming option and value when given ${inspect(options)}`, () => {
      const error = assertThrows(() => new MessageServer(options as MessageServerOptions), ErrorClass);
      for (const text of texts) assertStringIncludes(error.message, text);
      assert(!error.message.includes("hunter2"), "a token is shown");
    });
  }

  for (const options of [{ idleTimeout: Infinity }, { idleTimeout: 0 }, { idleTimeout: 1e12 }, { idleTimeout: 0.5 }]) {
    it(`serves when given idleTimeout ${options.idleTimeout}`, async () => {
      await using server = new MessageServer(options);
      assertEquals(await echoes(server, server.listen({ port: 0 })), "there and back");
    });
  }
});
