import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { encodeMessage, MessageEncodeError } from "../../codec.ts";
import { checkBeforeSending, MessageRejectedError, type ValidationIssue } from "../../client/check_before_sending.ts";
import { maibotIssues } from "../../maibot/mod.ts";
import {
  createMessage,
  type MessageBase,
  MessageClient,
  MessageServer,
  plainText,
  Router,
  type Seg,
  seg,
  type WireMessage,
} from "../../mod.ts";
import { heard } from "../support/peers/listen.ts";

const MESSAGE = createMessage({ platform: "qq", user: "1", account: "777" }, seg.text("hi"));
const WHO = { platform: "qq", user: "1", account: "777" } as const;
const DROP: ValidationIssue = { level: "drop", path: "$.a", rule: "a_kind", hint: "Write a" };
const WARN: ValidationIssue = { level: "warn", path: "$.b" };

describe("checkBeforeSending()", () => {
  it("gives back what is no drop", () => {
    assertEquals(checkBeforeSending(MESSAGE, () => [WARN]), [WARN]);
    assertEquals(checkBeforeSending(MESSAGE, () => []), []);
  });

  it("hands the message over once", () => {
    const seen: unknown[] = [];
    checkBeforeSending(MESSAGE, (message) => {
      seen.push(message);
      return [];
    });
    assertEquals(seen, [MESSAGE]);
  });

  it("throws MessageRejectedError with every issue when one is a drop", () => {
    const error = assertThrows(() => checkBeforeSending(MESSAGE, () => [WARN, DROP]), MessageRejectedError);
    assertEquals(error.issues, [WARN, DROP]);
    assertEquals(error.name, "MessageRejectedError");
    assertEquals(error.message, "Message was not sent, because its receiver would drop it: $.a (a_kind): Write a");
  });

  it("tells of the others that drop", () => {
    const error = assertThrows(() => checkBeforeSending(MESSAGE, () => [DROP, WARN, { level: "drop", path: "$.c" }]));
    assertEquals((error as Error).message.endsWith("Write a; and 1 more"), true);
  });

  it("passes on what the function throws", () => {
    const broken = () => {
      throw new RangeError("broken");
    };
    assertThrows(() => checkBeforeSending(MESSAGE, broken), RangeError, "broken");
  });

  it("takes maibotIssues as it is", () => {
    assertEquals(checkBeforeSending(MESSAGE, maibotIssues), []);
    const dropped = createMessage({ platform: "qq", user: "1", account: "777" }, seg.of("face", 14));
    const error = assertThrows(() => checkBeforeSending(dropped, maibotIssues), MessageRejectedError);
    assertEquals(error.issues.map(({ rule, path }) => [rule, path]), [[
      "segment_type",
      "$.message_segment.data[0].type",
    ]]);
  });
});

/** Half a pair of surrogates, which MaiBot can not store and the encoder mends. */
const HALF = "a\ud83d";
const MENDED = "a\ufffd";

describe("checkBeforeSending() of what the encoder mends", () => {
  const spoiled: readonly (readonly [where: string, message: MessageBase])[] = [
    ["a text", createMessage({ platform: "qq", user: "1", account: "777" }, seg.text(HALF))],
    ["a user's name", createMessage({ ...WHO, user: { user_id: "1", user_nickname: HALF } }, seg.text("hi"))],
    ["an account of its own", { ...MESSAGE, account_id: HALF }],
    ["data of a dict", createMessage(WHO, seg.dict({ deep: [{ value: HALF }] }))],
    ["a key", createMessage(WHO, seg.dict({ [HALF]: 1 }))],
  ];
  for (const [where, message] of spoiled) {
    it(`finds no half of a pair in ${where}, for none leaves`, () => {
      assertEquals(maibotIssues(message).map(({ level, rule }) => [level, rule]), [["drop", "surrogate"]]);
      assertEquals(checkBeforeSending(message, maibotIssues), []);
      const sent = JSON.parse(encodeMessage(message));
      assertEquals([JSON.stringify(sent).includes(MENDED), maibotIssues(sent)], [true, []]);
    });
  }

  it("hands over what is sent, and leaves the message as it is", () => {
    const message = createMessage(WHO, seg.text(HALF), seg.text("whole"));
    const before = JSON.stringify(message);
    const seen: unknown[] = [];
    checkBeforeSending(message, (given) => {
      seen.push(given);
      return [];
    });
    assertEquals(seen, [{ ...message, message_segment: seg.list(seg.text(MENDED), seg.text("whole")) }]);
    assertEquals(JSON.stringify(message), before);
  });

  it("hands over the very message where there is nothing to mend", () => {
    checkBeforeSending(MESSAGE, (given) => {
      assertStrictEquals(given, MESSAGE);
      return [];
    });
  });

  it("keeps bytes, blobs and streams as they are beside what is mended", () => {
    const [bytes, blob, stream] = [new Uint8Array(3), new Blob(["x"]), new Blob(["x"]).stream()];
    const message = createMessage(WHO, seg.text(HALF), ...[bytes, blob, stream].map((data) => seg.of("voice", data)));
    checkBeforeSending(message, ({ message_segment }: WireMessage & { message_segment?: Seg }) => {
      const [, ...given] = message_segment?.data as Seg[]; // as it was made
      for (const [index, data] of [bytes, blob, stream].entries()) assertStrictEquals(given[index]?.data, data);
      return [];
    });
  });

  it("still says drop for a frame that nobody mends", () => {
    const frame = JSON.parse(JSON.stringify(MESSAGE).replace('"hi"', '"\\ud800"'));
    assertEquals(maibotIssues(frame).map(({ level, rule }) => [level, rule]), [["drop", "surrogate"]]);
  });

  it("looks once at data that holds itself, or stands in many places", () => {
    const own: Record<string, unknown> = {};
    own.first = own;
    own.second = [own, own];
    const endless = createMessage(WHO, seg.dict(own));
    assertEquals(checkBeforeSending(endless, maibotIssues), []);
    assertThrows(() => encodeMessage(endless), MessageEncodeError);
    let twice: unknown = [HALF];
    for (let depth = 0; depth < 24; depth++) twice = [twice, twice];
    const start = performance.now();
    assertEquals(checkBeforeSending(createMessage(WHO, seg.dict({ twice })), maibotIssues), []);
    assertEquals(performance.now() - start < 1000, true);
  });
});

/** What is written on the console while a function runs. */
function linesOfConsole(run: () => void): string[] {
  const lines: string[] = [];
  const { error } = console;
  // deno-lint-ignore no-console
  console.error = (line: string) => void lines.push(line);
  try {
    run();
  } finally {
    // deno-lint-ignore no-console
    console.error = error;
  }
  return lines;
}

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

  it("lets a message through whose half pairs are mended on the way", async () => {
    await using server = new MessageServer();
    const messages = heard(server, "message");
    await using client = new MessageClient(server.listen({ port: 0 }), {
      platform: "qq",
      account: "777",
      validate: maibotIssues,
    });
    await client.connect();
    client.sendText(HALF, { user: "1" });
    assertEquals(plainText((await messages.next())[0]), MENDED);
    await client.sendStream(createMessage({ platform: "qq", user: "1" }, seg.text(HALF)));
    assertEquals(plainText((await messages.next())[0]), MENDED);
  });

  it("warns by its own rules that an account is missing, and sends all the same", async () => {
    await using server = new MessageServer();
    const messages = heard(server, "message");
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", validate: maibotIssues });
    const warnings = heard(client, "warning");
    await client.connect();
    client.sendText("hi", { user: "1" });
    const [, issues] = await warnings.next();
    assertEquals(issues.map(({ level, rule, path }) => [level, rule, path]), [
      ["unanswered", "account_missing", "$.account_id"],
    ]);
    assertEquals(plainText((await messages.next())[0]), "hi");
  });

  it("is told on the console of what is never answered, once for each rule, when nobody listens", async () => {
    await using server = new MessageServer();
    const messages = heard(server, "message");
    const url = server.listen({ port: 0 });
    const validate = (message: WireMessage): readonly ValidationIssue[] => maibotIssues(message);
    await using client = new MessageClient(url, { platform: "qq", validate });
    await using router = new Router();
    router.add("tp", url, { validate });
    await client.connect();
    await router.connect();
    const lines = linesOfConsole(() => {
      for (const user of ["1", "1", " "]) client.sendText("hi", { user });
      client.send(createMessage({ platform: "qq", user: "1", account: "777" })); // a warning of another level
      for (const user of ["1", "2"]) router.send(createMessage({ platform: "tp", user }, seg.text("hi")));
    });
    const told = lines.map((line) => /^@maim\/message: warning without a listener: \S+ \((\w+)\): /.exec(line)?.[1]);
    assertEquals(told, ["account_missing", "target_blank", "account_missing"]);
    for (let count = 0; count < 6; count++) await messages.next();
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
