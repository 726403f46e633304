import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { inspect } from "node:util";

import { MessageServer, type MessageServerOptions } from "../../server.ts";
import { echoes } from "../support/server.ts";

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
