import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";

import { certText } from "./peers/certs.ts";
import { runtimeCommand, spawnLines } from "./peers/process.ts";
import { RawPeer, RawServer } from "./peers/raw.ts";
import { runtimeTest } from "./peers/skip.ts";

/** Opens the runtime's own WebSocket against a raw server that accepts it. */
async function connectNative(server: RawServer): Promise<[socket: WebSocket, peer: RawPeer]> {
  const socket = new WebSocket(server.url);
  const opened = Promise.withResolvers<void>();
  socket.addEventListener("open", () => opened.resolve(), { once: true });
  const peer = await server.next();
  peer.accept();
  await opened.promise;
  return [socket, peer];
}

/** Waits for an event of a socket. */
async function nextEvent<K extends keyof WebSocketEventMap>(socket: WebSocket, type: K): Promise<WebSocketEventMap[K]> {
  const { promise, resolve } = Promise.withResolvers<WebSocketEventMap[K]>();
  socket.addEventListener(type, resolve, { once: true });
  return await promise;
}

describe("RawServer", () => {
  it("joins fragments sent around a ping into one message of the native client", async () => {
    await using server = await RawServer.listen();
    const [socket, peer] = await connectNative(server);
    const message = nextEvent(socket, "message");
    peer.send(1, "ab", { fin: false });
    peer.send(9, "are you there");
    peer.send(0, "cd");
    assertEquals((await message).data, "abcd");
    assertEquals((await peer.frame({ opcode: 10 }))?.text, "are you there");
    const closed = nextEvent(socket, "close");
    peer.close(1008, "no");
    assertEquals((await peer.frame({ opcode: 8 }))?.code, 1008);
    peer.end();
    const { code, reason } = await closed;
    assertEquals([code, reason], [1008, "no"]);
  });

  it("reads what the native client sends, whatever its length", async () => {
    await using server = await RawServer.listen();
    const [socket, peer] = await connectNative(server);
    for (const length of [0, 125, 126, 65_535, 65_536, 3_000_000]) {
      socket.send("x".repeat(length));
      const frame = await peer.frame();
      assertEquals([frame?.payload.length, frame?.masked, frame?.fin], [length, true, true]);
    }
    const closed = nextEvent(socket, "close");
    peer.reset();
    await closed;
    await peer.closed;
    assertEquals(await peer.frame(), null);
  });

  it("ends a connection with FIN", async () => {
    await using server = await RawServer.listen();
    const [socket, peer] = await connectNative(server);
    const closed = nextEvent(socket, "close");
    peer.end();
    assert([0, 1006].includes((await closed).code));
  });

  it("refuses a handshake with a status", async () => {
    await using server = await RawServer.listen();
    const connecting = RawPeer.connect(server.url, { headers: [["pLaTform", "qq"]] });
    const peer = await server.next();
    assertEquals(peer.request.startLine, "GET /ws HTTP/1.1");
    assertEquals(peer.request.headers.at(-1), ["pLaTform", "qq"]);
    peer.respond(403, [["X-Why", "because"]], "no\n");
    await using client = await connecting;
    const { status, body } = client.response;
    assertEquals([status, body, client.header("x-why")], [403, "no\n", "because"]);
  });

  it("speaks TLS to a client that trusts it", async () => {
    const ca = certText("ca.pem");
    await using server = await RawServer.listen({ tls: { cert: certText("server.pem"), key: certText("server.key") } });
    await assertRejects(() => RawPeer.connect(server.url, { tls: { ca: certText("other_ca.pem") } }));
    const connecting = RawPeer.connect(server.url, { tls: { ca } });
    const peer = await server.next();
    peer.accept();
    await using client = await connecting;
    client.text("你好");
    assertEquals((await peer.frame())?.text, "你好");
    client.end();
    assertEquals(await peer.frame(), null);
  });

  it("rejects a wait that is over", async () => {
    await using server = await RawServer.listen();
    const error = await assertRejects(() => server.next({ timeoutMs: 10 }), Error);
    assertStringIncludes(error.message, "10 ms waiting for a connection");
  });
});

describe("RawPeer", () => {
  it("pause() stops reading until resume()", async () => {
    await using server = await RawServer.listen();
    const connecting = RawPeer.connect(server.url);
    const peer = await server.next();
    peer.accept();
    await using client = await connecting;
    peer.pause();
    client.send(2, new Uint8Array(20_000_000));
    await assertRejects(() => client.flushed({ timeoutMs: 100 }));
    peer.resume();
    await client.flushed();
    assertEquals((await peer.frame())?.payload.length, 20_000_000);
  });

  it("reset() reaches the other side as ECONNRESET", async () => {
    await using server = await RawServer.listen();
    const connecting = RawPeer.connect(server.url);
    const peer = await server.next();
    peer.accept();
    await using client = await connecting;
    client.reset();
    await peer.closed;
    assertStringIncludes(String(peer.error), "ECONNRESET");
  });

  it("message() joins fragments and leaves control frames alone", async () => {
    await using server = await RawServer.listen();
    const connecting = RawPeer.connect(server.url);
    const peer = await server.next();
    peer.accept();
    await using client = await connecting;
    client.send(1, "a", { fin: false });
    client.send(9, "");
    client.send(0, "b", { rsv: 4 });
    client.close();
    assertEquals((await peer.message())?.text, "ab");
    assertEquals((await peer.frame())?.opcode, 9);
    assertEquals((await peer.frame())?.code, null);
  });
});

describe("spawnLines()", () => {
  it("reads lines of both streams and writes standard input", async () => {
    await using child = spawnLines("sh", ["-c", 'echo out; echo err >&2; read word; printf "last $word"']);
    await child.line(/err/);
    child.write("你好\n");
    assertEquals(await child.line(/^last/), "last 你好");
    assertEquals(await child.exit(), { code: 0, signal: null });
    assertEquals([...child.lines].sort(), ["err", "last 你好", "out"]);
  });

  it("kills a process and what it started", async () => {
    await using child = spawnLines("sh", ["-c", "sleep 1000 & echo up; wait"]);
    await child.line(/up/);
    child.kill("SIGKILL");
    assertEquals(await child.exit(), { code: null, signal: "SIGKILL" });
  });

  it("kills a stopped process when its scope is left", async () => {
    const child = spawnLines("sh", ["-c", "echo up; exec sleep 1000"]);
    await child.line(/up/);
    child.kill("SIGSTOP");
    await child[Symbol.asyncDispose]();
    assertEquals((await child.exit()).signal, "SIGKILL");
  });

  it("rejects when the program does not exist", async () => {
    await using child = spawnLines("/nonexistent/program", []);
    await assertRejects(() => child.exit(), Error, "ENOENT");
    await assertRejects(() => child.line(/any/), Error, "Ended without the line");
  });

  for (const runtime of ["deno", "bun"] as const) {
    runtimeTest(runtime, `runs a script under ${runtime}`, async () => {
      const script = fileURLToPath(new URL("./peers/which_runtime.ts", import.meta.url));
      await using child = spawnLines(...runtimeCommand(runtime, script, ["given"]));
      assertEquals(await child.line(/given$/, { timeoutMs: 60_000 }), `${runtime} given`);
      assertEquals((await child.exit()).code, 0);
    });
  }
});
