import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import {
  type ClientStatus,
  createCustom,
  createMessage,
  type MessageBase,
  MessageClient,
  type MessageClientOptions,
  MessageConnectionError,
  MessageEncodeError,
  MessageServer,
  plainText,
  Router,
  seg,
} from "../../mod.ts";
import { certText } from "../support/peers/certs.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { heard, heardCustom } from "../support/peers/listen.ts";
import { type RawPeer, RawServer } from "../support/peers/raw.ts";

const TEXT = '{"message_info":{"platform":"qq"},"message_segment":{"type":"text","data":"hi"}}';
const FAST = { minDelay: 5, maxDelay: 20 };

function hello(text = "hi", platform = "qq"): MessageBase {
  return createMessage({ platform, user: "10001" }, seg.text(text));
}

/** A raw server, and a client that has been upgraded by it. */
async function upgraded(
  options: Partial<MessageClientOptions> = {},
  connect: { retry?: boolean } = {},
): Promise<{ client: MessageClient; server: RawServer; peer: RawPeer; connected: Promise<unknown> } & AsyncDisposable> {
  const server = await RawServer.listen();
  const client = new MessageClient(server.url, { platform: "qq", closeTimeout: 500, ...options });
  const connected = client.connect(connect).catch((error: unknown) => error);
  const peer = await server.next();
  peer.accept();
  const dispose = async () => {
    peer.destroy();
    await client.close();
    await server[Symbol.asyncDispose]();
  };
  return { client, server, peer, connected, [Symbol.asyncDispose]: dispose };
}

/** The error a promise of `upgraded` or `connect` ended with. */
function connectionError(error: unknown): MessageConnectionError {
  assert(error instanceof MessageConnectionError, String(error));
  return error;
}

/** The reason of the next status of a kind. */
async function reasonOf(
  status: { next(isMatch: (status: ClientStatus) => boolean): Promise<[ClientStatus]> },
  state: "waiting" | "closed" | "idle",
): Promise<MessageConnectionError> {
  const [found] = await status.next((each) => each.state === state);
  return connectionError("reason" in found ? found.reason : undefined);
}

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
      peer.text(TEXT);
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

describe("MessageClient.connect()", () => {
  it("resolves at the first frame without waiting for the probation to end", async () => {
    await using peers = await upgraded();
    const received = heard(peers.client, "message");
    peers.peer.text(TEXT);
    assertEquals(await peers.connected, undefined);
    const [message] = await received.next();
    assertEquals(plainText(message), "hi");
  });

  it("resolves without a frame when nothing speaks against it", async () => {
    await using peers = await upgraded();
    assertEquals(await peers.connected, undefined);
    assertEquals(peers.client.status, { state: "open" });
  });

  it("is shared by concurrent callers and dials once", async () => {
    await using server = await RawServer.listen();
    await using client = new MessageClient(server.url, { platform: "qq", closeTimeout: 100 });
    const all = Promise.all([client.connect(), client.connect(), client.connect()]);
    const peer = await server.next();
    peer.accept();
    peer.text(TEXT);
    await all;
    await client.connect();
    assertEquals(server.accepted, 1);
  });

  for (
    const [code, reason, expected] of [
      [1008, "无效的令牌", "unauthorized"],
      [1008, "Invalid or missing token", "unauthorized"],
      [1000, "Authentication failed: 认证失败", "unauthorized"],
      [1000, "新的连接已建立", "replaced"],
      [1000, "新连接取代", "replaced"],
      [1009, "too big", "too_large"],
      [1000, "服务器关闭", "closed"],
      [1011, "keepalive ping timeout", "closed"],
      [4409, "platform already connected", "closed"],
    ] as const
  ) {
    it(`rejects ${expected} and is idle when the server accepts and closes ${code} ${reason}`, async () => {
      await using peers = await upgraded();
      peers.peer.close(code, reason);
      const error = connectionError(await peers.connected);
      assertEquals([error.code, error.closeCode], [expected, code]);
      assertEquals(peers.client.status, { state: "idle", reason: error });
    });
  }

  for (
    const [status, expected, hint] of [
      [401, "unauthorized", "check the token"],
      [403, "unauthorized", "check the token, and the path"],
      [404, "refused", "check the path"],
      [400, "refused", "HTTP 400"],
      [500, "refused", "HTTP 500"],
    ] as const
  ) {
    it(`rejects ${expected} when the server answers HTTP ${status}`, async () => {
      await using server = await RawServer.listen();
      await using client = new MessageClient(server.url, { platform: "qq" });
      const connected = client.connect().catch((error: unknown) => error);
      const peer = await server.next();
      peer.respond(status);
      const error = connectionError(await connected);
      assertEquals(error.code, expected);
      assertStringIncludes(error.message, hint);
    });
  }

  it("rejects refused with a hint when nothing listens", async () => {
    await using client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
    const error = await assertRejects(() => client.connect(), MessageConnectionError, "nothing answers there");
    assertEquals([error.code, client.status.state], ["refused", "idle"]);
  });

  it("rejects refused with a hint when the host name is unknown", async () => {
    await using client = new MessageClient("ws://no-such-host.invalid/ws", { platform: "qq" });
    await assertRejects(() => client.connect(), MessageConnectionError, "host name is not known");
  });

  it("tells that 0.0.0.0 is not an address to dial", async () => {
    await using client = new MessageClient("ws://0.0.0.0:1/ws", { platform: "qq" });
    await assertRejects(() => client.connect(), MessageConnectionError, "dial 127.0.0.1");
  });

  it("keeps the query, which may hold a token, out of the error", async () => {
    await using client = new MessageClient("ws://127.0.0.1:1/ws?token=geheim", { platform: "qq" });
    const error = await assertRejects(() => client.connect(), MessageConnectionError);
    assertEquals(error.message.includes("geheim"), false);
  });

  it("tells that ws:// was dialled where TLS is spoken", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0, tls: { cert: certText("server.pem"), key: certText("server.key") } });
    await using client = new MessageClient(url.replace("wss:", "ws:"), { platform: "qq" });
    const error = await assertRejects(() => client.connect(), MessageConnectionError);
    assertEquals(error.code, "refused");
  });

  it("tells that wss:// was dialled where no TLS is spoken", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0 });
    await using client = new MessageClient(url.replace("ws:", "wss:"), { platform: "qq" });
    await assertRejects(() => client.connect(), MessageConnectionError, "use ws:// instead");
  });

  it("rejects timeout when the handshake is never answered", async () => {
    await using server = await RawServer.listen();
    await using client = new MessageClient(server.url, { platform: "qq", connectTimeout: 100 });
    const connected = client.connect().catch((error: unknown) => error);
    await using _peer = await server.next();
    const error = connectionError(await connected);
    assertEquals(error.code, "timeout");
    assertStringIncludes(error.message, "100 ms");
  });

  it("rejects with the signal's reason and closes the attempt when aborted while waiting", async () => {
    await using server = await RawServer.listen();
    await using client = new MessageClient(server.url, { platform: "qq" });
    const controller = new AbortController();
    const connected = client.connect({ signal: controller.signal }).catch((error: unknown) => error);
    await using peer = await server.next();
    const reason = new Error("enough");
    controller.abort(reason);
    assertEquals(await connected, reason);
    assertEquals(client.status, { state: "idle" });
    await withTimeout(peer.closed, 5000, () => "the end of the attempt");
  });

  it("rejects at once when the signal is aborted already", async () => {
    const client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
    await assertRejects(() => client.connect({ signal: AbortSignal.abort(new Error("no")) }), Error, "no");
    assertEquals(client.status, { state: "idle" });
  });

  it("goes on when one of two callers gives up", async () => {
    await using server = await RawServer.listen();
    await using client = new MessageClient(server.url, { platform: "qq", closeTimeout: 100 });
    const controller = new AbortController();
    const first = client.connect({ signal: controller.signal }).catch((error: unknown) => error);
    const second = client.connect();
    const peer = await server.next();
    controller.abort(new Error("enough"));
    assertStringIncludes(String(await first), "enough");
    peer.accept();
    peer.text(TEXT);
    await second;
  });

  it("dials again under the policy with retry, until the server is there", async () => {
    await using probe = await RawServer.listen();
    const { port } = probe;
    await probe[Symbol.asyncDispose]();
    await using client = new MessageClient(`ws://127.0.0.1:${port}/ws`, { platform: "qq", reconnect: FAST });
    const status = heard(client, "status");
    const connected = client.connect({ retry: true });
    await status.next((each) => each.state === "waiting" && each.attempt === 3);
    await using server = new MessageServer();
    server.listen({ port });
    await withTimeout(connected, 10_000, () => "the server to be found");
  });

  it("gives up with retry when the end is fatal, and is idle", async () => {
    await using server = new MessageServer({ tokens: ["right"] });
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", token: "wrong" });
    const error = await assertRejects(() => client.connect({ retry: true }), MessageConnectionError);
    assertEquals([error.code, client.status.state], ["unauthorized", "idle"]);
  });

  it("gives up after maxAttempts new dials", async () => {
    const reconnect = { ...FAST, maxAttempts: 3 };
    await using client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq", reconnect });
    let dials = 0;
    client.on("status", ({ state }) => void (dials += state === "connecting" ? 1 : 0));
    await assertRejects(() => client.connect({ retry: true }), MessageConnectionError);
    assertEquals([dials, client.status.state], [4, "idle"]);
  });

  it("reports a function for the token that fails", async () => {
    const token = () => Promise.reject(new Error("vault is closed"));
    await using client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq", token });
    const error = await assertRejects(() => client.connect(), MessageConnectionError);
    assertEquals([error.code, String(error.cause)], ["refused", "Error: vault is closed"]);
  });
});

describe("MessageClient reconnect", () => {
  for (
    const [name, end, code, closeCode] of [
      ["a close 1000 服务器关闭", (peer: RawPeer) => peer.close(1000, "服务器关闭"), "closed", 1000],
      ["a close 1001", (peer: RawPeer) => peer.close(1001), "closed", 1001],
      ["a close without a code", (peer: RawPeer) => peer.close(), "closed", 1005],
      ["a close 1009", (peer: RawPeer) => peer.close(1009), "too_large", 1009],
      ["a close 1011", (peer: RawPeer) => peer.close(1011), "closed", 1011],
      ["a close 1012", (peer: RawPeer) => peer.close(1012), "closed", 1012],
      ["a close 1013", (peer: RawPeer) => peer.close(1013), "closed", 1013],
      ["a close 4000", (peer: RawPeer) => peer.close(4000), "closed", 4000],
      ["FIN", (peer: RawPeer) => peer.end(), "closed", 1006],
      ["RST", (peer: RawPeer) => peer.reset(), "closed", 1006],
    ] as const
  ) {
    it(`dials again after ${name}`, async () => {
      await using peers = await upgraded({ reconnect: FAST });
      const status = heard(peers.client, "status");
      peers.peer.text(TEXT);
      await peers.connected;
      end(peers.peer);
      const reason = await reasonOf(status, "waiting");
      assertEquals([reason.code, reason.closeCode], [code, closeCode]);
      const again = await peers.server.next();
      again.accept();
      again.text(TEXT);
      const [open] = await status.next((each) => each.state === "open" && each.gap !== undefined);
      assert(open.state === "open" && open.gap !== undefined && open.gap >= 0);
    });
  }

  for (
    const [code, text, expected] of [
      [1008, "无效的令牌", "unauthorized"],
      [1000, "Authentication failed: 认证失败", "unauthorized"],
      [1000, "新的连接已建立", "replaced"],
      [1000, "新连接取代", "replaced"],
    ] as const
  ) {
    it(`stays down after ${code} ${text}`, async () => {
      await using peers = await upgraded({ reconnect: FAST });
      const status = heard(peers.client, "status");
      peers.peer.text(TEXT);
      await peers.connected;
      peers.peer.close(code, text);
      assertEquals((await reasonOf(status, "closed")).code, expected);
      assertEquals((await assertRejects(() => peers.client.connect(), MessageConnectionError)).code, "closed");
      assertEquals(peers.server.accepted, 1);
    });
  }

  it("doubles the wait and starts anew after a stable connection", async () => {
    const reasons: number[] = [];
    const delay = (attempt: number) => (reasons.push(attempt), 0);
    await using peers = await upgraded({ reconnect: { delay, stableAfter: 0 } });
    const status = heard(peers.client, "status");
    peers.peer.text(TEXT);
    await peers.connected;
    peers.peer.end();
    for (const answers of [false, false, true]) {
      const peer = await peers.server.next();
      if (answers) {
        peer.accept();
        peer.text(TEXT);
        await status.next(({ state }) => state === "open");
      }
      peer.end();
    }
    await status.next((each) => each.state === "waiting" && each.attempt === 1);
    assertEquals(reasons.slice(0, 3), [1, 2, 3]);
  });

  it("waits 1, 2, 4 seconds and so on up to 30 by default, without the jitter", async () => {
    await using client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq", reconnect: { jitter: 0 } });
    const status = heard(client, "status");
    void client.connect({ retry: true }).catch(() => {});
    const [first] = await status.next(({ state }) => state === "waiting");
    assertEquals(first.state === "waiting" && [first.attempt, first.delay], [1, 1000]);
    const [second] = await status.next(({ state }) => state === "waiting");
    assertEquals(second.state === "waiting" && [second.attempt, second.delay], [2, 2000]);
  });

  it("stays closed when reconnect is false", async () => {
    await using peers = await upgraded({ reconnect: false });
    const status = heard(peers.client, "status");
    peers.peer.text(TEXT);
    await peers.connected;
    peers.peer.end();
    assertEquals((await reasonOf(status, "closed")).code, "closed");
  });

  it("reports a delay function that fails, and stays closed", async () => {
    const delay = () => -1;
    await using peers = await upgraded({ reconnect: { delay } });
    const status = heard(peers.client, "status");
    const errors = heard(peers.client, "error");
    peers.peer.text(TEXT);
    await peers.connected;
    peers.peer.end();
    await reasonOf(status, "closed");
    const [error] = await errors.next();
    assert(error instanceof RangeError);
  });
});

describe("MessageClient.send()", () => {
  it("throws not_open before connect()", () => {
    const client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
    assertEquals(assertThrows(() => client.send(hello()), MessageConnectionError).code, "not_open");
  });

  it("throws closed after close()", async () => {
    const client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
    await client.close();
    assertEquals(assertThrows(() => client.send(hello()), MessageConnectionError).code, "closed");
  });

  it("throws MessageEncodeError and sends nothing when the message is wrong", async () => {
    await using peers = await upgraded();
    await peers.connected;
    const wrong = { ...hello(), message_segment: { type: "text", data: 1 } };
    assertEquals(assertThrows(() => peers.client.send(wrong), MessageEncodeError).path, "$.message_segment.data");
    peers.client.send(hello("right"));
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
      peers.peer.text(TEXT);
      const [error] = await invalid.next();
      assertEquals(error.path, path);
      await received.next();
    });
  }

  it("tells of a frame over decode.maxBytes as too_large", async () => {
    await using peers = await upgraded({ decode: { maxBytes: 100 } });
    const invalid = heard(peers.client, "invalid");
    peers.peer.text(" ".repeat(100) + TEXT);
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
    peers.peer.text(TEXT);
    peers.peer.text(TEXT);
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

describe("MessageClient over wss", () => {
  it("trusts a CA given as tls.ca", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0, tls: { cert: certText("server.pem"), key: certText("server.key") } });
    await using client = new MessageClient(url, { platform: "qq", tls: { ca: [certText("ca.pem")] } });
    await client.connect();
    assertEquals(server.peers.map((peer) => peer.platform), ["qq"]);
  });

  it("refuses a certificate that nobody it trusts has signed", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0, tls: { cert: certText("server.pem"), key: certText("server.key") } });
    await using client = new MessageClient(url, { platform: "qq" });
    const error = await assertRejects(() => client.connect(), MessageConnectionError, "tls.ca");
    assertEquals([error.code, server.peers.length], ["refused", 0]);
  });

  it("refuses a certificate for another host", async () => {
    await using server = new MessageServer();
    const tls = { cert: certText("server.pem"), key: certText("server.key") };
    const url = server.listen({ port: 0, hostname: "127.0.0.2", tls });
    await using client = new MessageClient(url, { platform: "qq", tls: { ca: certText("ca.pem") } });
    const error = await assertRejects(() => client.connect(), MessageConnectionError, "another host name");
    assertEquals(error.code, "refused");
  });
});

describe("Router", () => {
  it("send() and sendCustom() throw no_route for a platform that was not added", () => {
    const router = new Router();
    router.add("telegram", "ws://127.0.0.1:1/ws");
    const error = assertThrows(() => router.send(hello()), MessageConnectionError, '"telegram"');
    assertEquals(error.code, "no_route");
    assertThrows(() => router.sendCustom("qq", "poke", 1), MessageConnectionError);
  });

  it("add() refuses a platform that is there already", () => {
    const router = new Router();
    router.add("qq", "ws://127.0.0.1:1/ws");
    assertThrows(() => router.add("qq", "ws://127.0.0.1:1/ws"), TypeError, "qq");
  });

  it("connect() rejects for a dead server and keeps the others", async () => {
    await using server = new MessageServer();
    await using router = new Router();
    router.add("dead", "ws://127.0.0.1:1/ws");
    router.add("qq", server.listen({ port: 0 }));
    const error = await assertRejects(() => router.connect(), AggregateError, "1 of 2");
    assertEquals(connectionError(error.errors[0]).code, "refused");
    assertEquals(router.clients.get("qq")?.status.state, "open");
  });

  it("routes by message_info.platform, and tells handlers which client", async () => {
    await using server = new MessageServer();
    server.on("message", (message) => server.send(message));
    const url = server.listen({ port: 0 });
    await using router = new Router();
    const received = heard(router, "message");
    router.add("qq", url);
    router.add("telegram", url);
    await router.connect();
    for (const platform of ["telegram", "qq"]) {
      router.send(hello(platform, platform));
      const [message, client] = await received.next();
      assertEquals([plainText(message), client.platform], [platform, platform]);
    }
  });

  it("dials a platform added after connect()", async () => {
    await using server = new MessageServer();
    const opened = heard(server, "open");
    const url = server.listen({ port: 0 });
    await using router = new Router();
    await router.connect();
    const status = heard(router, "status");
    router.add("qq", url);
    await opened.next();
    await status.next(({ state }, client) => state === "open" && client.platform === "qq");
  });

  it("remove() closes the platform's client and forgets it", async () => {
    await using server = new MessageServer();
    const closed = heard(server, "close");
    await using router = new Router();
    const client = router.add("qq", server.listen({ port: 0 }));
    await router.connect();
    await router.remove("qq");
    await closed.next();
    assertEquals([client.status.state, router.clients.size], ["closed", 0]);
    await router.remove("qq");
  });

  it("onCustom() serves clients present and to come", async () => {
    await using server = new MessageServer();
    const opened = heard(server, "open");
    const url = server.listen({ port: 0 });
    await using router = new Router();
    router.add("qq", url);
    const pokes = heardCustom(router, "poke");
    await router.connect();
    router.add("telegram", url);
    for (const platform of ["qq", "telegram"]) {
      await opened.next((peer) => peer.platform === platform);
      server.sendCustom(platform, "poke", platform);
      await pokes.next(({ content }) => content === platform);
    }
  });

  it("refuses everything after close()", async () => {
    const router = new Router();
    await router.close();
    assertThrows(() => router.add("qq", "ws://127.0.0.1:1/ws"), MessageConnectionError);
    assertEquals((await assertRejects(() => router.connect(), MessageConnectionError)).code, "closed");
  });
});
