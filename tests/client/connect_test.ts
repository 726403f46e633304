import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";

import { MessageClient, MessageConnectionError, MessageServer, plainText } from "../../mod.ts";
import { connectionError, FAST, upgraded } from "../support/client.ts";
import { HI } from "../support/messages.ts";
import { certText } from "../support/peers/certs.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { heard } from "../support/peers/listen.ts";
import { runtimeCommand, spawnLines } from "../support/peers/process.ts";
import { RawServer } from "../support/peers/raw.ts";
import { runtimeTest } from "../support/peers/skip.ts";

const DIAL = fileURLToPath(new URL("../support/peers/dial.ts", import.meta.url));

describe("MessageClient.connect()", () => {
  it("resolves at the first frame without waiting for the probation to end", async () => {
    await using peers = await upgraded();
    const received = heard(peers.client, "message");
    peers.peer.text(HI);
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
    peer.text(HI);
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
      // After these two the client asks whether the server speaks Socket.IO.
      if (status === 400 || status === 404) (await server.next()).respond(404);
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
    const error = await assertRejects(() => client.connect(), MessageConnectionError, "wss://");
    assertEquals(error.code, "refused");
  });

  it("tells that ws:// was dialled where TLS is spoken, when the server says so by TLS", async () => {
    await using server = await RawServer.listen();
    await using client = new MessageClient(server.url, { platform: "qq" });
    const connected = client.connect().catch((error: unknown) => error);
    const peer = await server.next();
    peer.write("\x15\x03\x03\x00\x02\x02\x32"); // the alert that a Deno server sends
    peer.end();
    assertStringIncludes(connectionError(await connected).message, "use wss:// instead of ws://");
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
    peer.text(HI);
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

describe("MessageClient helpful errors", () => {
  for (const status of [404, 400]) {
    it(`names a Socket.IO server that answers ${status}`, async () => {
      await using server = await RawServer.listen();
      await using client = new MessageClient(server.url, { platform: "qq" });
      const connected = client.connect().catch((error: unknown) => error);
      (await server.next()).respond(status);
      const probe = await server.next();
      assertStringIncludes(probe.request.startLine, "GET /ws/?EIO=4&transport=polling");
      probe.respond(200, [], '0{"sid":"x","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}');
      const error = await connected;
      assert(error instanceof MessageConnectionError);
      assertEquals(error.code, "refused");
      assertStringIncludes(error.message, "Socket.IO");
      assertStringIncludes(error.message, "0.6.8");
    });
  }

  it("does not blame Socket.IO for a wrong path of another server", async () => {
    await using server = new MessageServer({ path: "/elsewhere" });
    const url = server.listen({ port: 0 }).replace("/elsewhere", "/ws");
    await using client = new MessageClient(url, { platform: "qq" });
    const error = await assertRejects(() => client.connect(), MessageConnectionError, "check the path");
    assertEquals(error.message.includes("Socket.IO"), false);
  });

  runtimeTest("deno", "names the missing permission on Deno", async () => {
    // Not through node:child_process, by which Deno starts itself with every permission.
    const args = ["run", "--no-prompt", DIAL, "ws://127.0.0.1:1/ws"];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
    assertStringIncludes(new TextDecoder().decode(stdout), "--allow-net");
  });

  runtimeTest("deno", "names a proxy variable on Deno", async () => {
    const env = { HTTP_PROXY: "http://127.0.0.1:1", NO_PROXY: "", no_proxy: "" };
    await using process = spawnLines(...runtimeCommand("deno", DIAL, ["ws://127.0.0.1:1/ws"]), { env });
    assertStringIncludes(await process.line(/Cannot connect/, { timeoutMs: 60_000 }), "HTTP_PROXY");
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
