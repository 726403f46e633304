import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { FakeMaiBot } from "../../maibot/fake/mod.ts";
import { MessageConnectionError } from "../../mod.ts";
import { plainText } from "../../schema.ts";
import { adapter, connect, dial, hello, listen, receiptOf, texts } from "../support/fake_maibot.ts";
import { Heard } from "../support/peers/listen.ts";

describe("FakeMaiBot.received()", () => {
  it("gives what a client of ours sends, without an issue", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    const sent = hello();
    client.send(sent);
    assertEquals(await bot.received(), {
      kind: "message",
      platform: "qq",
      value: sent,
      message: sent,
      isAccepted: true,
      isAnswerable: true,
      issues: [],
      log: null,
    });
  });

  it("takes each message once, in order", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    for (const text of ["一", "二", "三"]) client.send(hello(text));
    const second = await bot.received(({ message }) => message !== null && plainText(message) === "二");
    const rest = [await bot.received(), await bot.received()];
    assertEquals([second, ...rest].map(({ message }) => message && plainText(message)), ["二", "一", "三"]);
  });

  it("rejects with timeout, and says what was dropped meanwhile", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq");
    peer.text(JSON.stringify({ type: "ping" }));
    const accepted = bot.received(({ isAccepted }) => isAccepted, { timeoutMs: 200 });
    const error = await assertRejects(() => accepted, MessageConnectionError, "$.message_info");
    assertEquals(error.code, "timeout");
  });

  it("takes an account with white space around it as MaiBot reads one", async () => {
    await using bot = new FakeMaiBot({ account: " 42 ", answers: ["answer"] });
    await using peer = await dial(listen(bot), "qq");
    peer.text(JSON.stringify(hello("hi", { self_id: "42" })));
    const answer = JSON.parse((await peer.message())?.text ?? "");
    assertEquals(answer.message_info.user_info.user_id, "42");
  });

  it("names what a message was dropped for, and not what damages it before", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq");
    const { message_info, message_segment } = hello();
    const receipts = new Heard<[unknown]>((handler) => bot.on("received", handler));
    peer.text(JSON.stringify({ message_info: { ...message_info, message_id: null, time: 0 }, message_segment }));
    await receipts.next();
    const accepted = bot.received(({ isAccepted }) => isAccepted, { timeoutMs: 1 });
    await assertRejects(() => accepted, MessageConnectionError, "drops one of them because of $.message_info.time");
  });

  it("rejects with closed when it is closed", async () => {
    const bot = new FakeMaiBot();
    listen(bot);
    const waiting = assertRejects(() => bot.received(), MessageConnectionError);
    await bot.close();
    assertEquals((await waiting).code, "closed");
    assertEquals((await assertRejects(() => bot.received(), MessageConnectionError)).code, "closed");
  });

  it("rejects with the reason when its signal aborts", async () => {
    await using bot = new FakeMaiBot();
    const controller = new AbortController();
    const waiting = assertRejects(() => bot.received(undefined, { signal: controller.signal }), Error, "enough");
    controller.abort(new Error("enough"));
    await waiting;
  });

  it("rejects when its predicate throws, and the next wait goes on", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    const failing = assertRejects(
      () =>
        bot.received(() => {
          throw new Error("predicate");
        }),
      Error,
      "predicate",
    );
    client.send(hello());
    await failing;
    assert((await bot.received()).isAccepted);
  });
});

describe("FakeMaiBot at its door", () => {
  const info = {
    platform: "qq",
    message_id: "m1",
    time: 1703123456.789,
    user_info: { user_id: "u1", user_nickname: "n" },
  };
  const text = { type: "text", data: "hi" };
  const message = (change: object, segment: unknown = text) => ({
    message_info: { ...info, ...change },
    message_segment: segment,
  });
  // What both versions log after "预处理消息失败: "; recorded with its own code.
  const cases: readonly (readonly [what: string, value: unknown, said: string | null, path?: string])[] = [
    ["a whole message", message({}), null],
    ["a JSON ping", { type: "ping" }, "'message_info'", "$.message_info"],
    ["null", null, "'NoneType' object is not subscriptable", "$"],
    ["no nickname", message({ user_info: { user_id: "u1" } }), "", "$.message_info.user_info.user_nickname"],
    ["no user_id", message({ user_info: {} }), "'user_id'", "$.message_info.user_info.user_id"],
    ["no group_name", message({ group_info: { group_id: "g" } }), "", "$.message_info.group_info.group_name"],
    ["milliseconds", message({ time: 1703123456789 }), "year 55939 is out of range", "$.message_info.time"],
    [
      "a time as text",
      message({ time: "1703123456" }),
      "'str' object cannot be interpreted as an integer",
      "$.message_info.time",
    ],
    ["a face", message({}, { type: "face", data: 14 }), "暂时不支持的消息片段类型: face", "$.message_segment.type"],
    [
      "an emoji character",
      message({}, { type: "emoji", data: "😀" }),
      "string argument should contain only ASCII characters",
      "$.message_segment.data",
    ],
    [
      "an image as an object",
      message({}, { type: "image", data: {} }),
      "image类型的seg数据应该是base64字符串",
      "$.message_segment.data",
    ],
    ["a URL for an image", message({}, { type: "image", data: "https://example.com/a.png" }), "Incorrect padding"],
  ];
  for (const [what, value, said, path] of cases) {
    it(`${said === null ? "takes" : "logs MaiBot's line for"} ${what}`, async () => {
      const { isAccepted, log, issues } = await receiptOf(value);
      const line = said === null ? null : { level: "error", text: `预处理消息失败: ${said}` };
      assertEquals([isAccepted, log], [said === null, line]);
      if (path !== undefined) assertEquals(issues.find(({ level }) => level === "drop")?.path, path);
    });
  }

  it("takes an id that is a number, and gives it as text", async () => {
    const { isAccepted, message: read } = await receiptOf(message({ message_id: 12345 }));
    assertEquals([isAccepted, read?.message_info.message_id], [true, "12345"]);
  });

  it("takes what MaiBot takes although it is no message of the protocol", async () => {
    const { isAccepted, message: read, issues } = await receiptOf(message({ time: true }));
    assertEquals([isAccepted, read?.message_info.platform], [true, "qq"], JSON.stringify(issues));
  });

  it("gives no message for what is none", async () => {
    const { message: read, value } = await receiptOf({ post_type: "message" });
    assertEquals([read, value], [null, { post_type: "message" }]);
  });

  it("logs no more than the start of a type or of a name", async () => {
    const long = "A".repeat(100_000);
    const { log } = await receiptOf(message({}, { type: long, data: 1 }));
    assertEquals(log?.text, `预处理消息失败: 暂时不支持的消息片段类型: ${"A".repeat(40)}…`);
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    client.sendCustom(long, 1);
    await bot.receivedCustom(long);
    client.sendCustom("message_id_echo", { type: "echo", echo: long, actual_id: long });
    await bot.receivedCustom("message_id_echo");
    assert(bot.log.every(({ text }) => text.length < 200));
  });

  it("logs a custom message that MaiBot has no handler for", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    client.sendCustom("poke", { user_id: "u1" });
    assertEquals((await bot.receivedCustom("poke")).content, { user_id: "u1" });
    assertEquals(bot.log.at(-1), { level: "warning", text: "收到未注册的自定义消息类型: poke" });
  });
});

describe("FakeMaiBot.send()", () => {
  it("sends any JSON as it is", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await connect(bot);
    await bot.connected("qq");
    bot.send([null, { nested: undefined }], "qq");
    assertEquals(await peer.text(), "[null,{}]");
  });

  it("throws no_route when nobody is connected", async () => {
    await using bot = new FakeMaiBot();
    assertEquals(assertThrows(() => bot.send(1, "qq"), MessageConnectionError).code, "no_route");
  });
});

describe("FakeMaiBot.echoed()", () => {
  const echo = (id: unknown, actual_id: unknown) => ({ type: "echo", echo: id, actual_id });

  it("gives the id under which an adapter has delivered a message", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    await bot.connected("qq");
    client.on(
      "message",
      ({ message_info: { message_id } }) => client.sendCustom("message_id_echo", echo(message_id, 77)),
    );
    const said = bot.say("hi", { platform: "qq", user: "u1" });
    assertEquals(await bot.echoed(said), "77");
    const id = said.message_info.message_id;
    assertEquals(bot.log.at(-1), { level: "debug", text: `收到回送消息ID: ${id} -> 77` });
  });

  it("rejects with timeout when the echo names another message, and logs MaiBot's line", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    client.sendCustom("message_id_echo", echo("other", "1"));
    await bot.receivedCustom("message_id_echo");
    const error = await assertRejects(
      () => bot.echoed("mine", { timeoutMs: 50 }),
      MessageConnectionError,
      "1 echoes of other messages",
    );
    assertEquals(error.code, "timeout");
    assertEquals(bot.log.at(-1)?.text, "收到回送消息 ID，但未找到可回填的本地消息: other -> 1");
  });

  for (const content of [null, echo("", "1"), echo("1", null), { echo: "1", actual_id: "2" }]) {
    it(`hears no echo in ${JSON.stringify(content)}`, async () => {
      await using bot = new FakeMaiBot();
      await using client = await adapter(listen(bot));
      client.sendCustom("message_id_echo", content);
      await bot.receivedCustom("message_id_echo");
      const [receipt] = bot.receipts;
      assertEquals([receipt?.isAccepted, receipt?.log], [false, null]);
    });
  }
});

describe("FakeMaiBot keeps", () => {
  it("the newest receipts, sent messages and log lines only", async () => {
    await using bot = new FakeMaiBot({ keep: 2, answers: "echo" });
    await using peer = await connect(bot);
    for (const text of ["一", "二", "三"]) peer.socket.send(JSON.stringify(hello(text)));
    await texts(peer, 3);
    assertEquals(bot.receipts.map(({ message }) => message && plainText(message)), ["二", "三"]);
    assertEquals(bot.sent.map(plainText), ["二", "三"]);
    peer.socket.send("{");
    peer.socket.send("{");
    peer.socket.send(JSON.stringify({ type: "ping" }));
    await bot.received(({ isAccepted }) => !isAccepted);
    assertEquals(bot.log.map(({ level }) => level), ["warning", "error"]);
  });
});
