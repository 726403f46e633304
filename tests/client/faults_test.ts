import { assert, assertEquals, assertGreater, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";

import {
  createMessage,
  type MessageBase,
  MessageClient,
  type MessageClientOptions,
  MessageConnectionError,
  MessageServer,
  plainText,
  Router,
  seg,
} from "../../mod.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { heard } from "../support/peers/listen.ts";
import { countLoss } from "../support/peers/loss.ts";
import { currentRuntime, runtimeCommand, type RuntimeName, spawnLines } from "../support/peers/process.ts";
import { Proxy } from "../support/peers/proxy.ts";
import { peerTest, PythonServer } from "../support/peers/python.ts";
import { type RawPeer, RawServer } from "../support/peers/raw.ts";
import { countReconnects } from "../support/peers/reconnects.ts";

const TEXT = '{"message_info":{"platform":"qq"},"message_segment":{"type":"text","data":"hi"}}';
const FAST = { minDelay: 5, maxDelay: 20 };
const DIAL = fileURLToPath(new URL("../support/peers/dial.ts", import.meta.url));
const SERVER = fileURLToPath(new URL("../../server.ts", import.meta.url));

/** Declares a test of what only one runtime does with a Python peer. */
function testPython(runtime: RuntimeName, name: string, fn: () => Promise<void>): void {
  if (runtime === currentRuntime) peerTest(name, fn);
}

/** Declares a test of what only one runtime does. */
function testOn(runtime: RuntimeName, name: string, fn: () => Promise<void>): void {
  if (runtime === currentRuntime) it(name, fn);
}

function hello(text: string): MessageBase {
  return createMessage({ platform: "qq", user: "10001" }, seg.text(text));
}

function textOf(frame: { text: string } | null): string {
  return plainText(JSON.parse(frame?.text ?? "null"));
}

/** A raw server, and a client that is dialling it. */
async function dialling(
  options: Partial<MessageClientOptions> = {},
): Promise<{ client: MessageClient; server: RawServer; connected: Promise<unknown>; peer: RawPeer } & AsyncDisposable> {
  const server = await RawServer.listen();
  const client = new MessageClient(server.url, { platform: "qq", reconnect: FAST, closeTimeout: 200, ...options });
  const connected = client.connect().catch((error: unknown) => error);
  const peer = await server.next();
  const dispose = async () => {
    await client.close();
    await server[Symbol.asyncDispose]();
  };
  return { client, server, connected, peer, [Symbol.asyncDispose]: dispose };
}

/** A raw server with a client that has become usable. */
async function usable(options: Partial<MessageClientOptions> = {}): Promise<Awaited<ReturnType<typeof dialling>>> {
  const peers = await dialling(options);
  peers.peer.accept();
  peers.peer.text(TEXT);
  await peers.connected;
  return peers;
}

/** Accepts the next dial and makes it usable. */
async function again(server: RawServer): Promise<RawPeer> {
  const peer = await server.next();
  peer.accept();
  peer.text(TEXT);
  return peer;
}

describe("MessageClient outbox", () => {
  it("sends nothing before the link is usable, then everything in order", async () => {
    await using peers = await dialling();
    peers.client.send(hello("a"));
    peers.peer.accept();
    peers.client.send(hello("b"));
    assertEquals(peers.client.stats.waiting, 2);
    await assertRejects(() => peers.peer.frame({ timeoutMs: 60 }));
    peers.peer.text(TEXT);
    assertEquals([textOf(await peers.peer.frame()), textOf(await peers.peer.frame())], ["a", "b"]);
  });

  it("keeps what is sent while the line is down and sends it first", async () => {
    await using peers = await usable();
    const status = heard(peers.client, "status");
    peers.peer.end();
    await status.next(({ state }) => state === "waiting");
    peers.client.send(hello("while down"));
    const second = await peers.server.next();
    second.accept();
    peers.client.send(hello("before usable"));
    second.text(TEXT);
    await status.next(({ state }) => state === "open");
    peers.client.send(hello("after"));
    const texts = [await second.frame(), await second.frame(), await second.frame()].map(textOf);
    assertEquals(texts, ["while down", "before usable", "after"]);
  });

  it("throws not_open instead with outbox false", async () => {
    await using peers = await dialling({ outbox: false });
    try {
      peers.client.send(hello("a"));
      throw new Error("must not be taken");
    } catch (error) {
      assert(error instanceof MessageConnectionError);
      assertEquals(error.code, "not_open");
    }
  });

  it("drops what waits as closed when the first dial fails", async () => {
    await using peers = await dialling();
    const drops = heard(peers.client, "drop");
    peers.client.send(hello("a"));
    peers.peer.destroy();
    const [{ message, reason }] = await drops.next();
    assertEquals([plainText(message as MessageBase), reason], ["a", "closed"]);
    assertEquals(peers.client.status.state, "idle");
  });

  for (const delay of [0, 50, 150, 500]) {
    it(`drops as unauthorized whatever was sent when 1008 comes ${delay} ms after the upgrade`, async () => {
      await using peers = await dialling({ heartbeat: false });
      const drops = heard(peers.client, "drop");
      const status = heard(peers.client, "status");
      for (const text of ["a", "b"]) peers.client.send(hello(text));
      peers.peer.accept();
      setTimeout(() => peers.peer.close(1008, "无效的令牌"), delay);
      for (const text of ["a", "b"]) {
        const [{ message, reason }] = await drops.next();
        assertEquals([plainText(message as MessageBase), reason], [text, "unauthorized"]);
      }
      const [end] = await status.next(({ state }) => state === "closed" || state === "idle");
      assert("reason" in end && end.reason?.code === "unauthorized");
      assertEquals(peers.server.accepted, 1);
    });
  }

  for (
    const [name, fall] of [
      ["RST", (peer: RawPeer) => peer.reset()],
      ["FIN", (peer: RawPeer) => peer.end()],
      ["a close 1012", (peer: RawPeer) => peer.close(1012)],
      ["bad UTF-8", (peer: RawPeer) => peer.send(1, new Uint8Array([0xff, 0xfe]))],
      ["half a frame, then RST", (peer: RawPeer) => (peer.write(new Uint8Array([0x81, 0x7e])), peer.reset())],
    ] as const
  ) {
    it(`reports what was sent just before ${name} as unconfirmed, and dials again`, async () => {
      await using peers = await usable();
      const drops = heard(peers.client, "drop");
      peers.client.send(hello("in doubt"));
      fall(peers.peer);
      const [{ message, reason }] = await drops.next();
      assertEquals([plainText(message as MessageBase), reason], ["in doubt", "unconfirmed"]);
      await again(peers.server);
    });
  }

  it("sends what is in doubt once more with the same id, and never a third time", async () => {
    await using peers = await usable({ outbox: { inDoubt: "resend", doubt: 60_000 } });
    const drops = heard(peers.client, "drop");
    const poison = hello("kills the link");
    peers.client.send(poison);
    let { peer } = peers;
    for (let dial = 1; dial <= 2; dial++) {
      const text = (await peer.frame())?.text ?? "";
      assertStringIncludes(text, poison.message_info.message_id ?? "no id");
      peer.reset();
      peer = await again(peers.server);
    }
    const [{ message, reason }] = await drops.next();
    assertEquals([message, reason], [poison, "unconfirmed"]);
    await assertRejects(() => peer.frame({ timeoutMs: 100 }));
  });

  it("drops the message that a 1009 means as too_large and goes on", async () => {
    await using peers = await usable({ outbox: { inDoubt: "resend" } });
    const drops = heard(peers.client, "drop");
    peers.client.send(hello("x".repeat(10_000)));
    assertGreater((await peers.peer.frame())?.payload.length ?? 0, 10_000);
    peers.peer.close(1009);
    const [{ reason }] = await drops.next();
    assertEquals(reason, "too_large");
    const second = await again(peers.server);
    await assertRejects(() => second.frame({ timeoutMs: 100 }));
  });

  it("close() sends what waits before it says goodbye", async () => {
    await using peers = await dialling({ closeTimeout: 5000 });
    peers.client.send(hello("a"));
    peers.peer.accept();
    const closed = peers.client.close();
    peers.peer.text(TEXT);
    assertEquals(textOf(await peers.peer.frame({ opcode: 1 })), "a");
    assertEquals((await peers.peer.frame({ opcode: 8 }))?.code, 1000);
    peers.peer.close(1000);
    peers.peer.end();
    await closed;
  });

  it("close() drops as closed what the line does not take in time", async () => {
    await using peers = await usable({ closeTimeout: 300 });
    const drops = heard(peers.client, "drop");
    peers.peer.pause();
    const big = "x".repeat(30_000_000);
    peers.client.send(hello(big));
    peers.client.send(hello("waits"));
    await withTimeout(peers.client.close(), 5000, () => "close()");
    const found = [await drops.next(), await drops.next()].map(([{ reason }]) => reason).sort();
    assertEquals(found, ["closed", "unconfirmed"]);
  });

  it("flush() resolves once the kernel has everything", async () => {
    await using peers = await usable();
    for (let index = 0; index < 500; index++) peers.client.send(hello("x".repeat(1000)));
    await withTimeout(peers.client.flush(), 10_000, () => "flush()");
    assertEquals(peers.client.stats.waiting, 0);
  });

  it("flush() rejects with the signal's reason, and what waits goes on waiting", async () => {
    await using peers = await dialling();
    peers.client.send(hello("a"));
    const controller = new AbortController();
    const flushed = peers.client.flush({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => flushed, Error, "enough");
    assertEquals(peers.client.stats.waiting, 1);
    peers.client.on("drop", () => {});
  });

  it("bounds what a server that stops reading makes us keep", async () => {
    await using peers = await usable({ outbox: { maxMessages: 50, maxBytes: 2 ** 20 } });
    peers.client.on("drop", () => {});
    peers.peer.pause();
    let code = "";
    const text = "x".repeat(100_000);
    for (let sent = 0; sent < 10_000 && code === ""; sent++) {
      try {
        peers.client.send(hello(text));
      } catch (error) {
        assert(error instanceof MessageConnectionError);
        code = error.code;
      }
    }
    assertEquals(code, "queue_full");
    assertLess(peers.client.stats.waitingBytes, 2 ** 20 + 1);
  });

  it("survives a server that floods", async () => {
    await using peers = await usable();
    let count = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    peers.client.on("message", () => void (++count === 50_000 && resolve()));
    for (let index = 0; index < 50_000; index++) peers.peer.text(TEXT);
    await withTimeout(promise, 30_000, () => `the flood: ${count}`);
  });

  it("a drop that nobody listens to is one line on console.error, without the content", async () => {
    const lines: string[] = [];
    const { error } = console;
    // deno-lint-ignore no-console
    console.error = (line: string) => void lines.push(line);
    try {
      await using peers = await dialling();
      peers.client.send(hello("very private"));
      peers.peer.destroy();
      await peers.connected;
    } finally {
      // deno-lint-ignore no-console
      console.error = error;
    }
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0] ?? "", "closed");
    assertEquals(lines[0]?.includes("private"), false);
  });
});

describe("MessageClient heartbeat", () => {
  it("asks by maim_ping where that was agreed on, and gives up a server that does not answer", async () => {
    await using peers = await dialling({ heartbeat: { interval: 100, timeout: 100 } });
    const status = heard(peers.client, "status");
    peers.peer.accept();
    const content = { version: 1, features: ["ping"] };
    peers.peer.text(JSON.stringify({ is_custom_message: true, message_type_name: "maim_hello", content }));
    await peers.connected;
    const ping = JSON.parse((await peers.peer.frame())?.text ?? "");
    assertEquals(ping.message_type_name, "maim_ping");
    peers.peer.text(JSON.stringify({ ...ping, message_type_name: "maim_pong" }));
    assertEquals(JSON.parse((await peers.peer.frame())?.text ?? "").message_type_name, "maim_ping");
    const [waiting] = await status.next(({ state }) => state === "waiting");
    assert(waiting.state === "waiting");
    assertStringIncludes(waiting.reason.message, "heartbeat");
  });

  it("never sends a JSON ping to a server that did not agree", async () => {
    await using peers = await usable({ heartbeat: { interval: 20, timeout: 5000, probe: false } });
    await assertRejects(() => peers.peer.frame({ opcode: 1, timeoutMs: 200 }));
  });

  testOn("deno", "asks a server that it can not ping over HTTP, on Deno", async () => {
    await using peers = await usable({ heartbeat: { interval: 50, timeout: 2000 } });
    const probe = await peers.server.next();
    assertStringIncludes(probe.request.startLine, "GET /ws");
    assertEquals([probe.header("upgrade"), probe.header("authorization")], [undefined, undefined]);
    probe.respond(404);
    const next = await peers.server.next();
    next.respond(404);
    assertEquals(peers.client.status.state, "open");
  });

  testOn("bun", "pings by the protocol on Bun", async () => {
    await using peers = await usable({ heartbeat: { interval: 50, timeout: 2000 } });
    for (let count = 0; count < 2; count++) {
      const ping = await peers.peer.frame({ opcode: 9 });
      peers.peer.send(10, ping?.payload ?? "");
    }
    assertEquals(peers.client.status.state, "open");
  });

  it("notices a line to our own server that went silent behind a proxy, and comes back", async () => {
    await using server = new MessageServer();
    await using proxy = await Proxy.listen(server.listen({ port: 0 }));
    await using client = new MessageClient(proxy.url, {
      platform: "qq",
      reconnect: FAST,
      heartbeat: { interval: 100, timeout: 100 },
      closeTimeout: 200,
    });
    const status = heard(client, "status");
    const drops = heard(client, "drop");
    await client.connect();
    await status.next(({ state }) => state === "open");
    proxy.freeze();
    client.send(hello("into the void"));
    await status.next(({ state }) => state === "waiting");
    const [{ reason }] = await drops.next();
    assertEquals(reason, "unconfirmed");
    proxy.thaw();
    await status.next(({ state }) => state === "open");
  });

  for (const [runtime, isNoticed] of [["bun", true], ["deno", false]] as const) {
    const what = isNoticed ? "notices" : "can not notice, as README says,";
    testPython(
      runtime,
      `${what} a line to a Python server that broke half-way behind a proxy, on ${runtime}`,
      async () => {
        await using python = await PythonServer.start();
        await using proxy = await Proxy.listen(python.url);
        await using client = new MessageClient(proxy.url, {
          platform: "qq",
          reconnect: FAST,
          heartbeat: { interval: 100, timeout: 200 },
          closeTimeout: 200,
        });
        const status = heard(client, "status");
        await client.connect();
        await status.next(({ state }) => state === "open");
        const passed = proxy.accepted;
        proxy.freeze();
        proxy.thaw(); // new connections pass: the server itself is well
        if (isNoticed) {
          await status.next(({ state }) => state === "waiting");
          await status.next(({ state }) => state === "open");
          return;
        }
        // Three probes were answered meanwhile.
        await proxy.whenAccepted(passed + 3);
        assertEquals(client.status.state, "open");
      },
    );
  }

  it("does not take a slow upload for death", async () => {
    await using peers = await usable({ heartbeat: { interval: 50, timeout: 50, probe: false } });
    const status = heard(peers.client, "status");
    peers.client.on("drop", () => {});
    peers.peer.pause();
    peers.client.send(hello("x".repeat(20_000_000)));
    await assertRejects(() => status.next(({ state }) => state === "waiting", { timeoutMs: 500 }));
    assertEquals(peers.client.status.state, "open");
  });

  for (const isPython of [true, false]) {
    const name = `notices a ${isPython ? "Python" : "Deno or Bun"} server that is stopped, and finds it again`;
    const test = isPython ? peerTest : it;
    test(name, async () => {
      await using server = isPython ? await startPython() : await startOurs();
      await using client = new MessageClient(server.url, {
        platform: "qq",
        reconnect: FAST,
        connectTimeout: 500,
        closeTimeout: 200,
        heartbeat: { interval: 200, timeout: 300 },
      });
      const status = heard(client, "status");
      await client.connect();
      await status.next(({ state }) => state === "open");
      server.signal("SIGSTOP");
      await status.next(({ state }) => state === "waiting");
      server.signal("SIGCONT");
      await status.next(({ state }) => state === "open", { timeoutMs: 20_000 });
    });
  }
});

interface Stoppable extends AsyncDisposable {
  url: string;
  signal(name: "SIGSTOP" | "SIGCONT"): void;
}

async function startPython(): Promise<Stoppable> {
  const server = await PythonServer.start();
  return {
    url: server.url,
    signal: (name) => server.peer.kill(name),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function startOurs(): Promise<Stoppable> {
  const server = spawnLines(...runtimeCommand(currentRuntime, SERVER, ["--port", "0", "--quiet"]));
  const url = await server.line(/^ws:/, { timeoutMs: 60_000 });
  return { url, signal: (name) => server.kill(name), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

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

  testOn("deno", "names the missing permission on Deno", async () => {
    // Not through node:child_process, by which Deno starts itself with every permission.
    const args = ["run", "--no-prompt", DIAL, "ws://127.0.0.1:1/ws"];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
    assertStringIncludes(new TextDecoder().decode(stdout), "--allow-net");
  });

  testOn("deno", "names a proxy variable on Deno", async () => {
    const env = { HTTP_PROXY: "http://127.0.0.1:1", NO_PROXY: "", no_proxy: "" };
    await using process = spawnLines(...runtimeCommand("deno", DIAL, ["ws://127.0.0.1:1/ws"]), { env });
    assertStringIncludes(await process.line(/Cannot connect/, { timeoutMs: 60_000 }), "HTTP_PROXY");
  });
});

describe("Two clients of one platform", () => {
  it("do not kick each other for ever", async () => {
    await using server = new MessageServer();
    const opened = heard(server, "open");
    const url = server.listen({ port: 0 });
    await using first = new MessageClient(url, { platform: "qq", reconnect: FAST });
    await using second = new MessageClient(url, { platform: "qq", reconnect: FAST });
    const status = heard(first, "status");
    await first.connect();
    await second.connect();
    const [end] = await status.next(({ state }) => state === "closed");
    assert(end.state === "closed" && end.reason?.code === "replaced");
    for (let count = 0; count < 2; count++) await opened.next();
    await assertRejects(() => opened.next(undefined, { timeoutMs: 200 }));
    assertEquals([first.status.state, second.status.state], ["closed", "open"]);
  });
});

describe("Reconnecting", () => {
  it("leaves nothing behind over a hundred falls", async () => {
    const { reconnects, descriptors: [early, late] } = await countReconnects(100);
    assertGreater(reconnects, 99);
    assertLess(late, early + 5);
  });
});

describe("Loss count", () => {
  for (const [server, test] of [["python", peerTest], [currentRuntime, it]] as const) {
    for (const inDoubt of ["report", "resend"] as const) {
      test(`every number is received, reported or thrown when a ${server} server is killed, with ${inDoubt}`, async () => {
        const result = await countLoss({ server, inDoubt, messages: 1000, kills: 2, rate: 500 });
        assertEquals(result.silent, 0, JSON.stringify(result));
        if (inDoubt === "report") assertEquals([result.duplicates, result.disordered], [0, 0], JSON.stringify(result));
      });
    }
  }
});

describe("Router.update()", () => {
  it("touches only what changed among 50 platforms on 5 servers, one of them dead", async () => {
    const servers = [0, 1, 2, 3].map(() => new MessageServer());
    try {
      const urls = [...servers.map((server) => server.listen({ port: 0 })), "ws://127.0.0.1:1/ws"];
      const config = Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`p${index}`, { url: urls[index % 5] ?? "" }]),
      );
      await using router = new Router();
      await router.update(config);
      const error = await assertRejects(() => router.connect(), AggregateError);
      assertEquals(error.errors.length, 10);
      assertEquals(servers.map((server) => server.peers.length), [10, 10, 10, 10]);
      const before = router.clients;
      const status = heard(router, "status");
      const { p2: _gone, ...rest } = config;
      await router.update({ ...rest, p0: { url: urls[1] ?? "" }, p1: { url: urls[1] ?? "", token: "new" } });
      const after = router.clients;
      const changed = [...before].filter(([platform, client]) => after.get(platform) !== client);
      assertEquals(changed.map(([platform]) => platform).sort(), ["p0", "p1", "p2"]);
      assertEquals(after.size, 49);
      for (const platform of ["p0", "p1"]) {
        await status.next(({ state }, client) => state === "open" && client === after.get(platform));
      }
      assertEquals(servers[1]?.peers.length, 11);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });
});
