import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageConnectionError, MessageServer, type MessageServerOptions } from "../../server.ts";
import { encodeRequest } from "../support/peers/handshake.ts";
import { heard } from "../support/peers/listen.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { closeOf, DENIED, dial, headers } from "../support/server.ts";

type Authorize = NonNullable<MessageServerOptions["authorize"]>;

/** Sends a handshake and does not wait for its answer. */
async function ask(url: string, platform: string): Promise<RawPeer> {
  const peer = await RawPeer.open(url);
  peer.write(encodeRequest(new URL(url), headers(platform)));
  return peer;
}

describe("MessageServer with an 'authorize' that hangs", () => {
  for (const limit of ["connections", "connectionsPerAddress"] as const) {
    it(`counts the callers that wait against limits.${limit}, and lets them in when it returns`, async () => {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      let asked = 0;
      const all = Promise.withResolvers<void>();
      await using server = new MessageServer({
        limits: { [limit]: 3 },
        authorize: () => {
          if (++asked === 3) all.resolve();
          return promise;
        },
      });
      const url = server.listen({ port: 0 });
      await using first = await ask(url, "a");
      await using second = await ask(url, "b");
      await using third = await ask(url, "c");
      await all.promise;
      await using fourth = await dial(url, "d");
      assertEquals([fourth.response.status, asked, server.stats().authorizing], [503, 3, 3]);
      resolve(true);
      for (const peer of [first, second, third]) assertEquals((await peer.readResponse()).status, 101);
      await using fifth = await dial(url, "e");
      assertEquals([fifth.response.status, server.stats().authorizing, server.stats().peers], [503, 0, 3]);
    });
  }

  for (const how of ["never returns", "rejects too late"]) {
    it(`refuses the caller with 503, says so, and frees its place when it ${how}`, async () => {
      const { promise, reject } = Promise.withResolvers<boolean>();
      let isHanging = true;
      await using server = new MessageServer({
        limits: { connections: 1 },
        authorizeTimeout: 30,
        authorize: () => isHanging ? promise : true,
      });
      const errors = heard(server, "error");
      const refused = heard(server, "refused");
      const url = server.listen({ port: 0 });
      await using late = await dial(url, "qq");
      assertEquals([late.response.status, late.response.body.split("\n").length], [503, 2]);
      const [error] = await errors.next();
      assert(error instanceof MessageConnectionError);
      assertEquals(error.code, "timeout");
      assertStringIncludes(error.message, "'authorize' did not return within 30 ms");
      assertStringIncludes(error.message, "'authorizeTimeout'");
      assertEquals((await refused.next())[0], {
        ...{ address: "127.0.0.1", platform: "qq", cause: "authorize", code: 503, omitted: 0 },
      });
      if (how === "rejects too late") reject(new Error("no database"));
      isHanging = false;
      await using next = await dial(url, "qq");
      assertEquals([next.response.status, server.stats().authorizing, server.stats().unauthorized], [101, 0, 0]);
    });
  }

  it("refuses the caller with 503 when the server was closed meanwhile", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<void>();
    const server = new MessageServer({
      authorize: () => {
        asked.resolve();
        return promise;
      },
    });
    await using waiting = await ask(server.listen({ port: 0 }), "qq");
    await asked.promise;
    const response = waiting.readResponse().catch(() => null);
    const closing = server.close();
    resolve(true);
    await closing;
    // Bun ends the connection before the answer is sent.
    assert([503, undefined].includes((await response)?.status));
    assertEquals(server.stats().connections, 0);
  });

  for (const [value, type] of [[0, RangeError], ["1", TypeError]] as const) {
    it(`new MessageServer() throws ${type.name} when 'authorizeTimeout' is ${JSON.stringify(value)}`, () => {
      assertThrows(() => new MessageServer({ authorizeTimeout: value as number }), type, "'authorizeTimeout'");
    });
  }
});

describe("MessageServer with an 'authorize' that returns something else", () => {
  const answers: readonly (readonly [what: string, answer: unknown, received: string])[] = [
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["1", 1, "number"],
    ["a string", "qq", "string"],
    ["an array of names", ["qq"], "array"],
    ["an object without platforms", {}, "{ platforms: undefined }"],
    ["a string of the same name as 'platforms'", { platforms: "qq" }, "{ platforms: string }"],
    ["a string that holds the name as 'platforms'", { platforms: "tg,qq" }, "{ platforms: string }"],
    ["platforms that are not all strings", { platforms: ["qq", 5] }, "an array that holds other values"],
  ];
  for (const [what, answer, received] of answers) {
    for (const refuse of ["close", "http"] as const) {
      it(`refuses the caller by ${refuse}, and says what to return, when it is ${what}`, async () => {
        const authorize = (() => answer) as unknown as Authorize;
        await using server = new MessageServer({ authorize, refuse });
        const errors = heard(server, "error");
        await using peer = await dial(server.listen({ port: 0 }), "qq");
        if (refuse === "http") assertEquals(peer.response.status, 401);
        else assertEquals(await closeOf(peer), [1008, DENIED]);
        const [error] = await errors.next();
        assert(error instanceof TypeError);
        assertStringIncludes(error.message, `{ platforms: ["qq"] }`);
        assertStringIncludes(error.message, `; received ${received}, so the caller was refused`);
        assertEquals(server.stats().unauthorized, 1);
      });
    }
  }
});
