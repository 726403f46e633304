import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { networkInterfaces } from "node:os";

import { MessageClient } from "../../client.ts";
import { plainText } from "../../schema.ts";
import {
  MessageConnectionError,
  MessageServer,
  type MessageServerOptions,
  type ServerListenOptions,
} from "../../server.ts";
import { textMessage } from "../support/messages.ts";
import { certText } from "../support/peers/certs.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { NativePeer } from "../support/peers/native_peer.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { ServerEvents } from "../support/peers/server_events.ts";
import { CLOSING, dial, echoes, headers, nextText } from "../support/server.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

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
    client.send(textMessage("secretly"));
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
    assertEquals(server.broadcast(textMessage("both")), 2);
    assertEquals(await nextText(first), "both");
  });

  const garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

  it("throws at once when the certificate is garbage", () => {
    assertThrows(() => new MessageServer().listen({ port: 0, tls: { cert: garbage, key: garbage } }), Error);
  });

  const noPem: readonly (readonly [what: string, tls: unknown, member: string, file: string])[] = [
    ["the certificate is the name of a file", { ...tls, cert: "./certs/server.pem" }, "tls.cert", "cert.pem"],
    ["the key is the name of a file", { ...tls, key: "./certs/server.key" }, "tls.key", "key.pem"],
    ["the key is missing", { cert: tls.cert }, "tls.key", "key.pem"],
    ["the certificate is bytes", { ...tls, cert: new TextEncoder().encode(tls.cert) }, "tls.cert", "cert.pem"],
  ];
  for (const [what, wrong, member, file] of noPem) {
    it(`throws TypeError that says to pass the text and shows no value when ${what}`, () => {
      const listen = () => new MessageServer().listen({ port: 0, tls: wrong as typeof tls });
      const { message } = assertThrows(listen, TypeError, `'${member}' must be PEM text`);
      assertStringIncludes(message, `await Deno.readTextFile("${file}")`);
      assertEquals(message.includes("certs/"), false);
    });
  }

  it("throws TypeError when 'tls' is no object", () => {
    assertThrows(() => new MessageServer().listen({ port: 0, tls: "cert.pem" as never }), TypeError, "'tls'");
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
