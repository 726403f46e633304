import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { checkBeforeSending as judge, MessageRejectedError, type ValidationIssue } from "../../client/validation.ts";
import { maibotIssues } from "../../maibot/mod.ts";
import { createMessage, MessageClient, MessageServer, plainText, Router, seg } from "../../mod.ts";
import { heard } from "../support/peers/listen.ts";

const MESSAGE = createMessage({ platform: "qq", user: "1", account: "777" }, seg.text("hi"));
const DROP: ValidationIssue = { level: "drop", path: "$.a", rule: "a_kind", hint: "Write a" };
const WARN: ValidationIssue = { level: "warn", path: "$.b" };

describe("judge()", () => {
  it("gives back what is no drop", () => {
    assertEquals(judge(MESSAGE, () => [WARN]), [WARN]);
    assertEquals(judge(MESSAGE, () => []), []);
  });

  it("hands the message over once", () => {
    const seen: unknown[] = [];
    judge(MESSAGE, (message) => {
      seen.push(message);
      return [];
    });
    assertEquals(seen, [MESSAGE]);
  });

  it("throws MessageRejectedError with every issue when one is a drop", () => {
    const error = assertThrows(() => judge(MESSAGE, () => [WARN, DROP]), MessageRejectedError);
    assertEquals(error.issues, [WARN, DROP]);
    assertEquals(error.name, "MessageRejectedError");
    assertEquals(error.message, "Cannot send message as its receiver would drop it: $.a (a_kind): Write a");
  });

  it("tells of the others that drop", () => {
    const error = assertThrows(() => judge(MESSAGE, () => [DROP, WARN, { level: "drop", path: "$.c" }]));
    assertEquals((error as Error).message.endsWith("Write a; and 1 more"), true);
  });

  it("passes on what the function throws", () => {
    const broken = () => {
      throw new RangeError("broken");
    };
    assertThrows(() => judge(MESSAGE, broken), RangeError, "broken");
  });

  it("takes maibotIssues as it is", () => {
    assertEquals(judge(MESSAGE, maibotIssues), []);
    const dropped = createMessage({ platform: "qq", user: "1", account: "777" }, seg.of("face", 14));
    const error = assertThrows(() => judge(dropped, maibotIssues), MessageRejectedError);
    assertEquals(error.issues.map(({ rule, path }) => [rule, path]), [[
      "segment_type",
      "$.message_segment.data[0].type",
    ]]);
  });
});

describe("MessageClient with validate", () => {
  /** A client and what the server got of it. */
  async function connected(issues: readonly ValidationIssue[]) {
    const server = new MessageServer();
    const messages = heard(server, "message");
    const client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", validate: () => issues });
    const warnings = heard(client, "warning");
    await client.connect();
    return {
      ...{ server, messages, client, warnings },
      async [Symbol.asyncDispose]() {
        await client.close();
        await server.close();
      },
    };
  }

  it("throws from send(), sendText() and sendCustom() before anything leaves", async () => {
    await using ends = await connected([DROP]);
    assertThrows(() => ends.client.send(MESSAGE), MessageRejectedError);
    assertThrows(() => ends.client.sendText("hi", { user: "1" }), MessageRejectedError);
    assertThrows(() => ends.client.sendCustom("poke", 1), MessageRejectedError);
    assertEquals([ends.client.stats.sent, ends.client.stats.waiting, ends.server.stats().received], [0, 0, 0]);
  });

  it("sends a message with a warning, and tells", async () => {
    await using ends = await connected([WARN]);
    ends.client.send(MESSAGE);
    assertEquals(await ends.warnings.next(), [MESSAGE, [WARN]]);
    assertEquals((await ends.messages.next())[0], MESSAGE);
  });

  it("leaves the streams of a rejected message alone", async () => {
    await using ends = await connected([DROP]);
    const stream = new Blob(["abc"]).stream();
    const message = createMessage({ platform: "qq", user: "1" }, seg.of("video", stream));
    await assertRejects(() => ends.client.sendStream(message), MessageRejectedError);
    assertEquals([stream.locked, await new Response(stream).text()], [false, "abc"]);
  });

  it("must be a function", () => {
    const options = { platform: "qq", validate: "yes" as unknown as () => [] };
    assertThrows(() => new MessageClient("ws://127.0.0.1:1", options), TypeError, "validate");
  });

  it("is heard through a router", async () => {
    await using server = new MessageServer();
    await using router = new Router();
    const warnings = heard(router, "warning");
    router.add("qq", server.listen({ port: 0 }), { validate: () => [WARN] });
    await router.connect();
    router.send(MESSAGE);
    const [message, issues, client] = await warnings.next();
    assertEquals([message, issues, client.platform], [MESSAGE, [WARN], "qq"]);
  });
});

describe("Router.on('stream')", () => {
  it("hears streams of every client, of those added later too, and without it they are collected", async () => {
    await using server = new MessageServer();
    const url = server.listen({ port: 0 });
    const opened = heard(server, "open");
    await using router = new Router();
    router.add("a", url);
    await router.connect();
    const messages = heard(router, "message");
    const [first] = await opened.next();
    await first.sendStream(createMessage({ platform: "a", user: "1" }, seg.text("collected")));
    assertEquals(plainText((await messages.next())[0]), "collected");
    const heardTexts: unknown[] = [];
    router.on("stream", async (_envelope, segments, client) => {
      for await (const { data } of segments) heardTexts.push([client.platform, data]);
    });
    await first.sendStream(createMessage({ platform: "a", user: "1" }, seg.text("one")));
    router.add("b", url);
    const [second] = await opened.next();
    await second.sendStream(createMessage({ platform: "b", user: "1" }, seg.text("two")));
    assertEquals(heardTexts, [["a", "one"], ["b", "two"]]);
  });
});
