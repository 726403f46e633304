import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient, MessageConnectionError } from "../../mod.ts";
import { connectionError, FAST } from "../support/client.ts";
import { type CertName, certText } from "../support/peers/certs.ts";
import { flood } from "../support/peers/flood.ts";
import { soon } from "../support/peers/inbox.ts";
import { currentRuntime } from "../support/peers/process.ts";
import { RawServer } from "../support/peers/raw.ts";
import { runtimeTest } from "../support/peers/skip.ts";

describe("MessageClient question after a refused handshake", () => {
  it("takes no longer than what is left of connectTimeout", async () => {
    await using server = await RawServer.listen();
    await using client = new MessageClient(server.url, { platform: "qq", connectTimeout: 300 });
    const start = performance.now();
    const connected = client.connect().catch((error: unknown) => error);
    (await server.next()).respond(404);
    const question = await server.next();
    assertStringIncludes(question.request.startLine, "EIO=4");
    const error = connectionError(await connected);
    assertLess(performance.now() - start, 1200);
    assertEquals(error.code, "refused");
    assertStringIncludes(error.message, "HTTP 404");
    await soon(question.closed);
  });

  it("reads only the start of an answer that never ends", async () => {
    await using server = await RawServer.listen();
    await using client = new MessageClient(server.url, { platform: "qq" });
    const connected = client.connect().catch((error: unknown) => error);
    (await server.next()).respond(404);
    const question = await server.next();
    question.write("HTTP/1.1 200 OK\r\n\r\n");
    const written = flood(question, "a".repeat(65_536));
    assertEquals(connectionError(await soon(connected)).code, "refused");
    assert(await soon(written) < 32 * 2 ** 20);
  });
});

// A server without HTTP/2 that refuses whoever offers nothing else, as servers of Node and nginx do.
const HTTP1 = ["http/1.1"];

describe("MessageClient over wss to a server that insists on HTTP/1.1", () => {
  const cases: readonly (readonly [fault: string, CertName, CertName, CertName[], host: string, hint: string])[] = [
    ["by an unknown CA", "server.pem", "server.key", [], "127.0.0.1", "pass the CA's PEM as tls.ca"],
    ["by another CA", "server.pem", "server.key", ["other_ca.pem"], "127.0.0.1", "pass the CA's PEM as tls.ca"],
    [
      "for another host",
      "server.pem",
      "server.key",
      ["ca.pem"],
      "127.0.0.2",
      "the certificate is for another host name",
    ],
  ];
  for (const [fault, cert, key, ca, host, hint] of cases) {
    it(`names the fault of a certificate ${fault}`, async () => {
      const tls = { cert: certText(cert), key: certText(key), ALPNProtocols: HTTP1 };
      await using server = await RawServer.listen({ tls, host: "0.0.0.0" });
      await using client = new MessageClient(server.url.replace("127.0.0.1", host), {
        platform: "qq",
        tls: { ca: ca.map(certText) },
      });
      const error = await assertRejects(() => client.connect(), MessageConnectionError, hint);
      assertEquals(error.code, "refused");
      assertEquals(/NoApplicationProtocol|error sending request/.test(error.message), false, error.message);
    });
  }

  runtimeTest("deno", "names a CA certificate that a server uses as its own, on Deno", async () => {
    const tls = { cert: certText("self_ca.pem"), key: certText("self_ca.key"), ALPNProtocols: HTTP1 };
    await using server = await RawServer.listen({ tls });
    await using client = new MessageClient(server.url, { platform: "qq", tls: { ca: certText("self_ca.pem") } });
    await assertRejects(() => client.connect(), MessageConnectionError, "basicConstraints=critical,CA:FALSE");
  });

  it("says that the token may be wrong when the server refuses the handshake", async () => {
    const tls = { cert: certText("server.pem"), key: certText("server.key"), ALPNProtocols: HTTP1 };
    await using server = await RawServer.listen({ tls });
    await using client = new MessageClient(server.url, { platform: "qq", tls: { ca: certText("ca.pem") } });
    const connected = client.connect().catch((error: unknown) => error);
    (await server.next()).respond(401);
    if (currentRuntime === "deno") (await server.next()).respond(426); // Deno hides the 401
    assertStringIncludes(connectionError(await soon(connected)).message, "check the token, and the path");
  });

  it("connects when the certificate is right", async () => {
    const tls = { cert: certText("server.pem"), key: certText("server.key"), ALPNProtocols: HTTP1 };
    await using server = await RawServer.listen({ tls });
    const options = { platform: "qq", reconnect: FAST, closeTimeout: 100, tls: { ca: certText("ca.pem") } };
    await using client = new MessageClient(server.url, options);
    const connected = client.connect();
    (await server.next()).accept();
    await connected;
    assertEquals(client.status.state, "open");
  });
});
