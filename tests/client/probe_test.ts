import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient } from "../../mod.ts";
import { connectionError } from "../support/client.ts";
import { flood } from "../support/peers/flood.ts";
import { soon } from "../support/peers/inbox.ts";
import { RawServer } from "../support/peers/raw.ts";

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
