import { assertEquals, assertInstanceOf, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Hono } from "hono";
import { fileURLToPath } from "node:url";

import { MessageClient } from "../../client.ts";
import { createMessage, plainText, seg } from "../../schema.ts";
import { type BunWebSocketHandlers, MessageServer } from "../../server.ts";
import { heard } from "../support/peers/listen.ts";
import { currentRuntime, runtimeProgram, spawnLines } from "../support/peers/process.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { closeTalking, createEcho, handlerOf, LAST_WORDS } from "../support/peers/serve_fixture.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { runtimeTest } from "../support/peers/skip.ts";

const FIXTURE = fileURLToPath(new URL("../support/peers/serve_fixture.ts", import.meta.url));

/** A host with an echo at `/ws`; leaving its scope ends both. */
interface Mounted extends AsyncDisposable {
  readonly url: string;
}

type Handler = (request: Request, info: unknown) => Response | Promise<Response>;

/** The part of Bun in use. */
interface BunGlobal {
  serve(options: { port: number; hostname: string; fetch: Handler; websocket: BunWebSocketHandlers }): {
    port: number;
    stop(force: boolean): Promise<void>;
  };
}

/** Serves a handler by the runtime's own server. */
function serve(handler: Handler, websocket: BunWebSocketHandlers): { port: number; stop: () => Promise<void> } {
  const [hostname, port] = ["127.0.0.1", 0];
  if (currentRuntime === "deno") {
    const host = Deno.serve({ hostname, port, onListen: () => {} }, handler);
    return { port: host.addr.port, stop: () => host.shutdown() };
  }
  const { Bun } = globalThis as unknown as { Bun: BunGlobal }; // the branch above has left
  const host = Bun.serve({ hostname, port, fetch: handler, websocket });
  return { port: host.port, stop: () => host.stop(true) };
}

function mount(server: MessageServer, handler: Handler): Mounted {
  const host = serve(handler, server.websocket);
  return {
    url: `ws://127.0.0.1:${host.port}/ws`,
    async [Symbol.asyncDispose]() {
      await server.close();
      await host.stop();
    },
  };
}

/** Connects a raw client that has agreed on pings. */
async function agreed(url: string): Promise<RawPeer> {
  const peer = await RawPeer.connect(url, { headers: [["platform", "qq"], ["maim-hello", "1; ping"]] });
  await peer.message();
  return peer;
}

function mountBesideRoutes(): Mounted {
  const server = createEcho();
  return mount(server, handlerOf(server));
}

function mountInHono(): Mounted {
  const server = createEcho();
  const app = new Hono();
  // What most middleware does: Hono makes a new response of it, the one of an upgrade included.
  app.use(async (context, next) => {
    await next();
    context.header("x-app", "yes");
  });
  app.get("/health", (context) => context.text("fine"));
  app.get("/close", () => closeTalking(server));
  app.get("/ws", (context) => server.fetch(context.req.raw, context.env));
  return mount(server, app.fetch);
}

async function mountAsProgram(): Promise<Mounted> {
  const args = currentRuntime === "deno" ? ["serve", "-A", "--host", "127.0.0.1", "--port", "0", FIXTURE] : [FIXTURE];
  const child = spawnLines(runtimeProgram(currentRuntime), args, { env: { NO_COLOR: "1" } });
  try {
    const line = await child.line(/http:\/\/127\.0\.0\.1:\d+/, { timeoutMs: 30_000 });
    const [, port = ""] = /127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    return { url: `ws://127.0.0.1:${port}/ws`, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

const MOUNTS: readonly (readonly [where: string, start: () => Mounted | Promise<Mounted>])[] = [
  [`inside ${currentRuntime === "deno" ? "Deno.serve" : "Bun.serve"} beside other routes`, mountBesideRoutes],
  [`as the default export of a program of ${currentRuntime === "deno" ? "deno serve" : "bun"}`, mountAsProgram],
  ["as a route of Hono", mountInHono],
];

/** Asks for a path without a WebSocket. */
async function get(url: string, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(new URL(path, url.replace(/^ws/, "http")));
  return { status: response.status, body: await response.text() };
}

for (const [where, start] of MOUNTS) {
  describe(`MessageServer mounted ${where}`, () => {
    it("serves clients, whose addresses it knows, while the other routes answer", async () => {
      await using mounted = await start();
      assertEquals(await get(mounted.url, "/health"), { status: 200, body: "fine" });
      await using client = new MessageClient(mounted.url, { platform: "qq", reconnect: false });
      const messages = heard(client, "message");
      await client.connect();
      client.send(createMessage({ platform: "qq", user: "1" }, seg.text("hello")));
      const [message] = await messages.next();
      assertEquals(plainText(message), "127.0.0.1 hello");
      assertEquals(await get(mounted.url, "/health"), { status: 200, body: "fine" });
      assertEquals((await get(mounted.url, "/ws")).status, 426);
      assertEquals((await get(mounted.url, "/nothing")).status, 404);
    });

    it("close() lets out what was sent before it, tells 1000, and leaves the other routes", async () => {
      await using mounted = await start();
      await using client = new MessageClient(mounted.url, { platform: "qq", reconnect: false });
      const [messages, statuses] = [heard(client, "message"), heard(client, "status")];
      await client.connect();
      const closing = get(mounted.url, "/close");
      for (let index = 0; index < LAST_WORDS; index++) {
        const [message] = await messages.next();
        assertEquals(plainText(message), `${index}`);
      }
      const [status] = await statuses.next(({ state }) => state === "closed");
      const reason = status.state === "closed" ? status.reason : undefined;
      assertEquals(reason?.closeCode, 1000);
      assertStringIncludes(reason?.message ?? "", "服务器关闭");
      assertEquals(await closing, { status: 200, body: "closed" });

      await using late = await RawPeer.connect(mounted.url);
      assertEquals(late.response.status, 503);
      assertMatch(late.response.body, /^[^\n]+\n$/);
      assertEquals(await get(mounted.url, "/health"), { status: 200, body: "fine" });
    });
  });
}

describe("MessageServer.fetch() without the second argument", () => {
  runtimeTest("bun", "answers 500 with an 'error' event in Bun", async () => {
    await using server = new MessageServer();
    const events = new ServerEvents(server);
    const response = await server.fetch(new Request("http://a/ws", { headers: { upgrade: "websocket" } }));
    assertEquals(response.status, 500);
    assertInstanceOf((await events.next("error"))[0], TypeError);
  });

  runtimeTest("deno", "serves in Deno, but knows no address", async () => {
    const server = createEcho();
    await using mounted = mount(server, (request) => server.fetch(request));
    await using client = new MessageClient(mounted.url, { platform: "qq" });
    const messages = heard(client, "message");
    await client.connect();
    client.send(createMessage({ platform: "qq", user: "1" }, seg.text("hello")));
    assertEquals(plainText((await messages.next())[0]), " hello");
  });
});

describe("MessageServer.close() where the listener is the program's own", () => {
  it("has reported what a frozen peer has not confirmed when it resolves", async () => {
    const server = new MessageServer({ closeTimeout: 300 });
    const drops: string[] = [];
    server.on("drop", ({ reason }) => void drops.push(reason));
    await using mounted = mount(server, server.fetch);
    await using frozen = await agreed(mounted.url);
    frozen.pause();
    for (let index = 0; index < 5; index++) {
      server.send(createMessage({ platform: "qq", user: "1" }, seg.text(`${index}`)));
    }
    await server.close();
    assertEquals(drops, Array(5).fill("unconfirmed"));
    frozen.destroy();
  });
});
