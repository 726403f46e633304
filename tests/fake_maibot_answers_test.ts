import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient } from "../client.ts";
import {
  FakeMaiBot,
  type FakeMaiBotEnd,
  type FakeMaiBotOptions,
  type MaibotLogLine,
  type MaibotReceipt,
  replyTarget,
} from "../maibot/mod.ts";
import { MessageConnectionError } from "../mod.ts";
import { createMessage, isMessageBase, type MessageBase, plainText, type Seg, seg } from "../schema.ts";
import type { Header } from "./peers/handshake.ts";
import { Heard, heard } from "./peers/listen.ts";
import { NativePeer } from "./peers/native_peer.ts";
import { currentRuntime } from "./peers/process.ts";
import { peerTest, PythonClient, PythonServer } from "./peers/python.ts";
import { RawPeer } from "./peers/raw.ts";

/** The group message that MaiBot 1.2.1 was recorded to send, but for id and time. */
const RECORDED_GROUP = {
  message_info: {
    platform: "qq",
    group_info: { platform: "qq", group_id: "g1", group_name: "群" },
    user_info: { platform: "qq", user_id: "10001", user_nickname: "麦麦", user_cardname: null },
    additional_config: { platform_io_account_id: "10001", platform_io_target_group_id: "g1" },
    sender_info: {
      group_info: { platform: "qq", group_id: "g1", group_name: "群" },
      user_info: { platform: "qq", user_id: "10001", user_nickname: "麦麦", user_cardname: null },
    },
    receiver_info: { group_info: { platform: "qq", group_id: "g1", group_name: "群" }, user_info: null },
  },
  message_segment: {
    type: "seglist",
    data: [{ type: "reply", data: "m1" }, { type: "at", data: "u1" }, { type: "text", data: "你好" }],
  },
};

const RECORDED_PRIVATE = {
  message_info: {
    platform: "qq",
    user_info: { platform: "qq", user_id: "10001", user_nickname: "麦麦", user_cardname: null },
    additional_config: { platform_io_account_id: "10001", platform_io_target_user_id: "u1" },
    sender_info: {
      group_info: null,
      user_info: { platform: "qq", user_id: "10001", user_nickname: "麦麦", user_cardname: null },
    },
    receiver_info: {
      group_info: null,
      user_info: { platform: "qq", user_id: "u1", user_nickname: null, user_cardname: null },
    },
  },
  message_segment: { type: "seglist", data: [{ type: "text", data: "你好" }] },
};

/** Keys in order, which `assertEquals` does not look at. */
function order(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return null;
  return Object.entries(value).map(([key, inner]) => [key, order(inner)]);
}

function withoutStamp(text: string | null): Record<string, Record<string, unknown>> {
  const message = JSON.parse(text ?? "null");
  assertMatch(message.message_info.message_id, /^send_api_\d{13}$/);
  assert(Math.abs(message.message_info.time - Date.now() / 1000) < 60);
  delete message.message_info.message_id;
  delete message.message_info.time;
  return message;
}

function hello(text: string = "你好", config: Record<string, unknown> = {}): MessageBase {
  return createMessage({ platform: "qq", user: "u1", additional_config: config }, seg.text(text));
}

function listen(bot: FakeMaiBot): string {
  return bot.listen({ port: 0 });
}

async function dial(url: string, platform?: string, headers: readonly Header[] = []): Promise<RawPeer> {
  const named: readonly Header[] = platform === undefined ? [] : [["platform", platform]];
  return await RawPeer.connect(url, { headers: [...named, ...headers] });
}

async function adapter(url: string, reconnect = true): Promise<MessageClient> {
  const options = reconnect ? { reconnect: { minDelay: 10, jitter: 0 } } : { reconnect: false as const };
  const client = new MessageClient(url, { platform: "qq", ...options, closeTimeout: 500 });
  client.on("drop", () => {});
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Sends any JSON, each of it in turn, and gives the answer to the last. */
async function answerTo(values: readonly unknown[], options: FakeMaiBotOptions = {}): Promise<MessageBase> {
  await using bot = new FakeMaiBot({ answers: "echo", ...options });
  await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
  let text: string | null = null;
  for (const value of values) {
    peer.socket.send(JSON.stringify(value));
    text = await peer.text();
  }
  return JSON.parse(text ?? "null");
}

/** Sends any JSON and gives what the fake made of it. */
async function receiptOf(value: unknown): Promise<MaibotReceipt> {
  await using bot = new FakeMaiBot();
  await using peer = await dial(listen(bot), "qq");
  peer.text(JSON.stringify(value));
  return await bot.received();
}

function texts(peer: NativePeer, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, async () => plainText(JSON.parse(await peer.text() ?? "null"))));
}

describe("FakeMaiBot.listen()", () => {
  it("gives the URL an adapter dials", async () => {
    await using bot = new FakeMaiBot({ path: "/bot" });
    assertMatch(listen(bot), /^ws:\/\/127\.0\.0\.1:\d+\/bot$/);
  });

  it("throws closed when it listens already", async () => {
    await using bot = new FakeMaiBot();
    listen(bot);
    assertEquals(assertThrows(() => listen(bot), MessageConnectionError).code, "closed");
  });

  it("throws closed when it is closed", async () => {
    const bot = new FakeMaiBot();
    await bot.close();
    assertEquals(assertThrows(() => listen(bot), MessageConnectionError).code, "closed");
  });

  for (const port of [-1, 65536, 1.5]) {
    it(`throws a RangeError when the port is ${port}`, async () => {
      await using bot = new FakeMaiBot();
      assertThrows(() => bot.listen({ port }), RangeError, "port");
    });
  }
});

describe("new FakeMaiBot() throws when", () => {
  const cases: readonly (readonly [name: string, options: object])[] = [
    ["answers", { answers: "hello" }],
    ["tokens", { tokens: [""] }],
    ["path", { path: "ws" }],
    ["account", { account: 1 }],
    ["nickname", { nickname: null }],
    ["delay", { delay: -1 }],
    ["keep", { keep: NaN }],
    ["closeTimeout", { closeTimeout: "1" }],
  ];
  for (const [name, options] of cases) {
    it(`'${name}' is wrong`, () => {
      assertThrows(() => new FakeMaiBot(options as FakeMaiBotOptions), Error, name);
    });
  }
});

describe("FakeMaiBot at the wire", () => {
  it("answers a WebSocket at another path with 403", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(`${listen(bot)}/`);
    assertEquals(peer.response.status, 403);
  });

  it("answers a plain GET with 404 as FastAPI does", async () => {
    await using bot = new FakeMaiBot();
    const response = await fetch(listen(bot).replace("ws:", "http:"));
    assertEquals([response.status, await response.text()], [404, '{"detail":"Not Found"}']);
  });

  it("lets in a raw token", async () => {
    await using bot = new FakeMaiBot({ tokens: ["secret"] });
    await using _peer = await dial(listen(bot), "qq", [["Authorization", "secret"]]);
    await bot.connected("qq");
  });

  for (const token of [undefined, "", "wrong", "Bearer secret"]) {
    it(`accepts and closes with 1008 when the token is ${token}`, async () => {
      await using bot = new FakeMaiBot({ tokens: ["secret"] });
      const url = listen(bot);
      await using peer = await dial(url, "qq", token === undefined ? [] : [["Authorization", token]]);
      assertEquals(peer.response.status, 101);
      const { code, reason } = await peer.frame({ opcode: 8 }) ?? {};
      assertEquals([code, reason, bot.platforms], [1008, "无效的令牌", []]);
      assertEquals(bot.log, [{ level: "warning", text: "拒绝平台 qq 的连接请求: 令牌无效" }]);
    });
  }

  it("does not read what a caller with a bad token sends", async () => {
    await using bot = new FakeMaiBot({ tokens: ["secret"] });
    await using peer = await dial(listen(bot), "qq");
    peer.text(JSON.stringify(hello()));
    assertEquals((await peer.frame({ opcode: 8 }))?.code, 1008);
    assertEquals(bot.receipts, []);
  });

  it("lets everybody in when the list of tokens is empty", async () => {
    await using bot = new FakeMaiBot({ tokens: [] });
    await using _peer = await dial(listen(bot), "qq");
    await bot.connected("qq");
  });

  it("says nothing first, and agrees on no extension of ours", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq", [["maim-hello", "1; chunks, ping"]]);
    await bot.connected("qq");
    bot.say("first", { platform: "qq", user: "u1" });
    assertEquals(plainText(JSON.parse((await peer.message())?.text ?? "")), "first");
  });

  it("closes the older of two connections of a platform with 1000 新的连接已建立", async () => {
    await using bot = new FakeMaiBot();
    const url = listen(bot);
    await using older = await dial(url, "qq");
    await bot.connected("qq");
    await using newer = await dial(url, "qq");
    const { code, reason } = await older.frame({ opcode: 8 }) ?? {};
    assertEquals([code, reason], [1000, "新的连接已建立"]);
    bot.say("to the newer", { platform: "qq", user: "u1" });
    assertEquals(plainText(JSON.parse((await newer.message())?.text ?? "")), "to the newer");
  });

  it("takes messages of a caller without a platform and answers none", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    const lines = new Heard<[MaibotLogLine]>((handler) => bot.on("log", handler));
    await using peer = await dial(listen(bot));
    await lines.next(({ text }) => text === "收到未标记平台的 WebSocket 连接");
    peer.text(JSON.stringify(hello()));
    const { platform, isAccepted } = await bot.received();
    assertEquals([platform, isAccepted, bot.platforms], ["unknown", true, []]);
    await lines.next(({ text }) => text === "未找到目标平台: qq");
  });

  it("routes an answer by the platform of the message, not of the connection", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    const url = listen(bot);
    await using qq = await dial(url, "qq");
    await using tg = await dial(url, "tg");
    await bot.connected("qq");
    tg.text(JSON.stringify(hello("from tg")));
    assertEquals(plainText(JSON.parse((await qq.message())?.text ?? "")), "from tg");
  });

  it("skips what is no JSON and reads on", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq");
    peer.text("{");
    peer.text(JSON.stringify(hello("后来")));
    const { message } = await bot.received();
    assertEquals(message === null ? null : plainText(message), "后来");
    const [broken] = bot.receipts;
    assertEquals([broken?.kind, broken?.log?.text], ["broken", "平台 qq 收到无法解析的 JSON"]);
  });

  it("goes deaf after a binary frame, and can not be answered", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq");
    const receipts = new Heard<[MaibotReceipt]>((handler) => bot.on("received", handler));
    peer.send(2, new Uint8Array([1]));
    await receipts.next(({ log }) => log?.text === "平台 qq WebSocket 处理异常");
    peer.text(JSON.stringify(hello()));
    await assertRejects(() => bot.received(undefined, { timeoutMs: 100 }), MessageConnectionError, "in time");
    assertEquals(bot.platforms, []);
    peer.send(9, "still there?");
    assertEquals((await peer.frame({ opcode: 10 }))?.payload.length, 12);
  });
});

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

  it("takes an account with white space around it as MaiBot reads one, and refuses a blank one", async () => {
    await using bot = new FakeMaiBot({ account: " 42 ", answers: ["answer"] });
    await using peer = await dial(listen(bot), "qq");
    const message = hello();
    const message_info = { ...message.message_info, additional_config: { self_id: "42" } };
    peer.text(JSON.stringify({ ...message, message_info }));
    const answer = JSON.parse((await peer.message())?.text ?? "");
    assertEquals(answer.message_info.user_info.user_id, "42");
    assertThrows(() => new FakeMaiBot({ account: "  " }), TypeError, "'account'");
  });

  it("names what a message was dropped for, and not what damages it before", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq");
    const { message_info, message_segment } = hello();
    const receipts = new Heard<[unknown]>((handler) => bot.on("received", handler));
    peer.text(JSON.stringify({ message_info: { ...message_info, message_id: null, time: 0 }, message_segment }));
    await receipts.next();
    const accepted = bot.received(({ isAccepted }) => isAccepted, { timeoutMs: 1 });
    await assertRejects(() => accepted, MessageConnectionError, "drops for $.message_info.time");
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
  // What MaiBot 1.2.1 logs after "预处理消息失败: "; recorded with its own code.
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

describe("FakeMaiBot answers", () => {
  it("nothing when no answers are given", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    client.send(hello());
    await bot.received();
    assertEquals(bot.sent, []);
  });

  it("with the content of the message when told to echo", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    await using client = await adapter(listen(bot));
    const messages = heard(client, "message");
    client.send(createMessage({ platform: "qq", user: "u1" }, seg.text("看"), seg.image("AQID")));
    const [{ message_segment }] = await messages.next();
    assertEquals(message_segment.data, [{ type: "text", data: "看" }, { type: "image", data: "AQID" }]);
  });

  it("one of a list for each message, and then nothing", async () => {
    await using bot = new FakeMaiBot({ answers: ["一", null, [seg.at("u1"), seg.text("三")]] });
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    for (let count = 0; count < 5; count++) peer.socket.send(JSON.stringify(hello()));
    assertEquals(await texts(peer, 2), ["一", "@u1三"]);
    for (let count = 0; count < 5; count++) await bot.received();
    assertEquals(bot.sent.length, 2);
  });

  it("by a function, waiting for its promise", async () => {
    await using bot = new FakeMaiBot({
      answers: async (message) => await Promise.resolve(`你说：${plainText(message)}`),
    });
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    peer.socket.send(JSON.stringify(hello("早")));
    assertEquals(await texts(peer, 1), ["你说：早"]);
  });

  it("in the shape MaiBot was recorded to send, for a group", async () => {
    const content = [seg.reply("m1"), seg.at("u1"), seg.text("你好")];
    await using bot = new FakeMaiBot({ answers: () => content });
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    const group = { group_id: "g1", group_name: "群" };
    peer.socket.send(JSON.stringify(createMessage({ platform: "qq", user: "u1", group }, seg.text("hi"))));
    const answer = withoutStamp(await peer.text());
    assertEquals(answer, RECORDED_GROUP);
    assertEquals(order(answer), order(RECORDED_GROUP));
  });

  it("in the shape MaiBot was recorded to send, for a private chat", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    peer.socket.send(JSON.stringify(hello()));
    const answer = withoutStamp(await peer.text());
    assertEquals(answer, RECORDED_PRIVATE);
    assertEquals(order(answer), order(RECORDED_PRIVATE));
  });

  it("as its account, with the keys of account and scope as the adapter wrote them", async () => {
    const asked = hello("hi", { self_id: 20002, account_id: " ", connection_id: "c1", other: 1 });
    const { message_info } = await answerTo([asked], { account: "20002", nickname: "小麦" });
    assertEquals([message_info.user_info?.user_id, message_info.user_info?.user_nickname], ["20002", "小麦"]);
    assertEquals(message_info.additional_config, {
      self_id: 20002,
      connection_id: "c1",
      platform_io_target_user_id: "u1",
    });
  });

  for (const config of [{ self_id: 20002 }, { platform_io_account_id: "20002", self_id: "10001" }]) {
    it(`nothing to one that names another account by ${Object.keys(config)[0]}, as MaiBot has no route for it`, async () => {
      await using bot = new FakeMaiBot({ answers: "echo" });
      const lines = new Heard<[MaibotLogLine]>((handler) => bot.on("log", handler));
      await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
      peer.socket.send(JSON.stringify(hello("lost", config)));
      await lines.next(({ text }) => text === "未找到目标平台: qq");
      peer.socket.send(JSON.stringify(hello("here", { bot_account: " 10001 " })));
      assertEquals(await texts(peer, 1), ["here"]);
      assertEquals(bot.receipts.map(({ isAccepted }) => isAccepted), [true, true]);
      assertEquals(bot.sent.length, 1);
    });
  }

  const inGroup = (group_info: unknown, more: object = {}) => {
    const { message_info, message_segment } = hello();
    return { message_info: { ...message_info, group_info, ...more }, message_segment };
  };
  const NAMELESS = inGroup({ group_id: "g1", group_name: "" });

  it("in a group without a name by naming it in additional_config alone", async () => {
    const { message_info } = await answerTo([NAMELESS]);
    assertEquals(message_info.additional_config, {
      platform_io_account_id: "10001",
      platform_io_target_group_id: "g1",
    });
    assertEquals(["group_info", "receiver_info"].filter((name) => name in message_info), []);
    assertEquals(message_info.sender_info?.group_info, null);
    const message = { message_info, message_segment: seg.text("") };
    assertEquals(replyTarget(message), { kind: "group", id: "g1", platform: "qq", account: "10001" });
  });

  it("in a group without a name by the one that it had before", async () => {
    const { message_info } = await answerTo([inGroup({ group_id: "g1", group_name: "群" }), NAMELESS]);
    assertEquals(message_info.group_info, { platform: "qq", group_id: "g1", group_name: "群" });
    const other = await answerTo([inGroup({ group_id: "g2", group_name: "群" }), NAMELESS]);
    assertEquals(other.message_info.group_info, undefined);
  });

  const targets: readonly (readonly [what: string, message: unknown, target: string])[] = [
    ['in a group whose id is null to the group "None"', inGroup({ group_id: null, group_name: "群" }), "group None"],
    [
      'to an author whose id is null as "None"',
      inGroup(null, {
        user_info: { user_id: null, user_nickname: "n" },
      }),
      "private None",
    ],
    ["in a group whose id is empty to the author", inGroup({ group_id: "", group_name: "群" }), "private u1"],
    ["in a group whose id is a number to that group", inGroup({ group_id: 987, group_name: "群" }), "group 987"],
    ["what MaiBot takes although it is no message of the protocol", inGroup(null, { time: true }), "private u1"],
  ];
  for (const [what, message, expected] of targets) {
    it(what, async () => {
      const answer = await answerTo([message]);
      const target = replyTarget(answer);
      assertEquals(`${target?.kind} ${target?.id}`, expected);
      assertEquals(answer.message_info.group_info?.group_id ?? null, target?.kind === "group" ? target.id : null);
    });
  }

  it("nothing to a message that MaiBot drops", async () => {
    await using bot = new FakeMaiBot({ answers: ["answer"] });
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    peer.socket.send(JSON.stringify({ type: "ping" }));
    peer.socket.send(JSON.stringify(hello()));
    assertEquals(await texts(peer, 1), ["answer"]);
    assertEquals(bot.sent.length, 1);
  });

  it("after the delay, and no more once it is closed", async () => {
    const bot = new FakeMaiBot({ answers: "echo", delay: 50 });
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    const start = performance.now();
    peer.socket.send(JSON.stringify(hello()));
    assertEquals(await texts(peer, 1), ["你好"]);
    assert(performance.now() - start >= 49);
    bot.delayAnswers(60_000);
    peer.socket.send(JSON.stringify(hello("late")));
    await bot.received(({ message }) => message !== null && plainText(message) === "late");
    await bot.close();
    assertEquals(bot.sent.length, 1);
  });

  it("the rest when its function throws while it catches up after a pause", async () => {
    const answers = (message: MessageBase): string => {
      if (plainText(message) === "bad") throw new Error("script");
      return "good";
    };
    await using bot = new FakeMaiBot({ answers });
    const errors = new Heard<[unknown]>((handler) => bot.on("error", handler));
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    await bot.connected("qq");
    bot.on("received", () => {
      throw new Error("handler");
    });
    bot.pause();
    for (const text of ["bad", "good"]) peer.socket.send(JSON.stringify(hello(text)));
    await assertRejects(() => bot.received(undefined, { timeoutMs: 100 }), MessageConnectionError);
    bot.resume();
    assertEquals(await texts(peer, 1), ["good"]);
    const failures = [await errors.next(), await errors.next(), await errors.next()].map(([error]) => String(error));
    assertEquals(failures.toSorted(), ["Error: handler", "Error: handler", "Error: script"]);
  });

  it("goes on when its function throws, and tells of it", async () => {
    await using bot = new FakeMaiBot({
      answers: (message) => {
        if (plainText(message) === "bad") throw new Error("script");
        return "good";
      },
    });
    const errors = new Heard<[unknown]>((handler) => bot.on("error", handler));
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    peer.socket.send(JSON.stringify(hello("bad")));
    peer.socket.send(JSON.stringify(hello("good")));
    assertEquals(await texts(peer, 1), ["good"]);
    assertEquals(String((await errors.next())[0]), "Error: script");
  });
});

describe("FakeMaiBot.say()", () => {
  it("sends to a group, and gives what it sent", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    await bot.connected("qq");
    const said = bot.say([seg.reply("m1"), seg.at("u1"), seg.text("你好")], {
      platform: "qq",
      group: { group_id: "g1", group_name: "群" },
    });
    const text = await peer.text();
    assertEquals(JSON.parse(text ?? ""), said);
    assertEquals(withoutStamp(text), RECORDED_GROUP);
    assert(isMessageBase(said));
  });

  it("never uses an id twice", async () => {
    await using bot = new FakeMaiBot();
    await using _peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    await bot.connected("qq");
    const ids = Array.from({ length: 50 }, () => bot.say("x", { platform: "qq", user: "u1" }).message_info.message_id);
    assertEquals(new Set(ids).size, 50);
  });

  it("flattens a list of segments", async () => {
    await using bot = new FakeMaiBot();
    await using _peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    await bot.connected("qq");
    const { message_segment } = bot.say(seg.list(seg.text("a"), seg.text("b")), { platform: "qq", user: "u1" });
    assertEquals((message_segment.data as Seg[]).map(({ type }) => type), ["text", "text"]);
  });

  it("throws no_route and logs MaiBot's line when nobody is connected", async () => {
    await using bot = new FakeMaiBot();
    const error = assertThrows(() => bot.say("x", { platform: "tg", user: "u1" }), MessageConnectionError);
    assertEquals([error.code, bot.log.at(-1)?.text], ["no_route", "未找到目标平台: tg"]);
  });

  it("throws no_route and logs MaiBot's line when told to answer by another account", async () => {
    await using bot = new FakeMaiBot();
    await using _peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    await bot.connected("qq");
    const error = assertThrows(() => bot.say("x", hello("hi", { self_id: "2" })), MessageConnectionError, "account");
    assertEquals([error.code, bot.log.at(-1)?.text, bot.sent], ["no_route", "未找到目标平台: qq", []]);
  });

  it("cuts a long name in its error and in the log", async () => {
    await using bot = new FakeMaiBot();
    const error = assertThrows(() => bot.say("x", { platform: "p".repeat(5000), user: "u" }), MessageConnectionError);
    assert(error.message.length < 200 && (bot.log.at(-1)?.text.length ?? 999) < 100, error.message);
  });

  for (const to of [{ platform: "qq" }, { platform: "qq", user: "u", group: "g" }, { platform: "", user: "u" }]) {
    it(`throws a TypeError when told to say it to ${JSON.stringify(to)}`, async () => {
      await using bot = new FakeMaiBot();
      assertThrows(() => bot.say("x", to), TypeError, "to");
    });
  }
});

describe("FakeMaiBot.send()", () => {
  it("sends any JSON as it is", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
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
      "1 of others",
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

describe("FakeMaiBot makes faults:", () => {
  it("kick() ends an adapter as if it were replaced, and ours does not come back", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    const states = heard(client, "status");
    await bot.connected("qq");
    bot.kick("qq");
    await states.next((status) => status.state === "closed");
    assertEquals(bot.platforms, []);
  });

  it("kick() leaves other platforms alone", async () => {
    await using bot = new FakeMaiBot();
    await using _peer = await dial(listen(bot), "qq");
    await bot.connected("qq");
    bot.kick("tg");
    assertEquals(bot.platforms, ["qq"]);
  });

  it("disconnect() closes with 1012, upon which an adapter comes back", async () => {
    await using bot = new FakeMaiBot();
    await using _client = await adapter(listen(bot));
    await bot.connected("qq");
    const ends = new Heard<[string, FakeMaiBotEnd]>((handler) => bot.on("close", handler));
    bot.disconnect();
    assertEquals((await ends.next())[1].code, 1012);
    await bot.connected("qq");
  });

  it("disconnect() closes with any code and reason, also while the other side talks", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await NativePeer.connect(listen(bot), {
      headers: { platform: "qq" },
      onOpen: (socket) => {
        for (let count = 0; count < 20; count++) socket.send(JSON.stringify(hello()));
      },
    });
    await bot.connected("qq");
    bot.disconnect({ code: 1008, reason: "无效的令牌" });
    assertEquals(await peer.end(), { code: 1008, reason: "无效的令牌" });
  });

  for (const options of [{ code: 999 }, { code: 1006 }, { code: 5000 }, { reason: "很".repeat(42) }]) {
    it(`disconnect() throws a RangeError for ${JSON.stringify(options).slice(0, 20)}`, async () => {
      await using bot = new FakeMaiBot();
      assertThrows(() => bot.disconnect(options), RangeError);
    });
  }

  it("cut() is 1006 to the other side", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    await bot.connected("qq");
    bot.cut();
    assertEquals((await peer.end()).code, 1006);
  });

  it("cut() sends no close frame under Bun, and one that is illegal under Deno", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq");
    await bot.connected("qq");
    bot.cut();
    const frame = await peer.frame({ opcode: 8 });
    assertEquals(frame === null ? null : frame.code, currentRuntime === "deno" ? 1006 : null);
  });

  it("cut() makes an adapter of ours come back", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    await using client = await adapter(listen(bot));
    await bot.connected("qq");
    bot.cut("qq");
    await bot.connected("qq");
    const messages = heard(client, "message");
    client.send(hello("again"));
    assertEquals(plainText((await messages.next())[0]), "again");
  });

  it("pause() takes no notice until resume(), and then of everything in order", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    bot.pause();
    for (const text of ["一", "二"]) client.send(hello(text));
    await assertRejects(() => bot.received(undefined, { timeoutMs: 100 }), MessageConnectionError);
    bot.resume();
    const read = [await bot.received(), await bot.received()];
    assertEquals(read.map(({ message }) => message && plainText(message)), ["一", "二"]);
  });

  it("delayAnswers() throws a RangeError for less than nothing", async () => {
    await using bot = new FakeMaiBot();
    assertThrows(() => bot.delayAnswers(-1), RangeError, "ms");
  });

  it("restart() closes with 1012, frees the port and listens there again", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    const url = listen(bot);
    await using client = await adapter(url);
    await bot.connected("qq");
    const ends = new Heard<[string, FakeMaiBotEnd]>((handler) => bot.on("close", handler));
    const restarted = bot.restart({ downtime: 100 });
    assertEquals((await ends.next())[1].code, 1012);
    await restarted;
    await bot.connected("qq");
    const messages = heard(client, "message");
    client.send(hello("after"));
    assertEquals(plainText((await messages.next())[0]), "after");
  });

  it("restart() rejects with not_open when nothing listens", async () => {
    await using bot = new FakeMaiBot();
    assertEquals((await assertRejects(() => bot.restart(), MessageConnectionError)).code, "not_open");
  });

  it("close() has the last word during a restart", async () => {
    const bot = new FakeMaiBot();
    const url = listen(bot);
    const restarted = bot.restart({ downtime: 60_000 });
    await bot.close();
    await restarted;
    await assertRejects(() => RawPeer.open(url));
  });
});

describe("FakeMaiBot.close()", () => {
  it("closes with 1000 服务器关闭, and may be called twice", async () => {
    const bot = new FakeMaiBot();
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
    await Promise.all([bot.close(), bot.close()]);
    assertEquals(await peer.end(), { code: 1000, reason: "服务器关闭" });
  });

  it("does not wait for ever for a peer that never answers", async () => {
    const bot = new FakeMaiBot({ closeTimeout: 100 });
    await using peer = await dial(listen(bot), "qq");
    await bot.connected("qq");
    await bot.close();
    assertEquals((await peer.frame({ opcode: 8 }))?.code, 1000);
  });
});

describe("FakeMaiBot keeps", () => {
  it("the newest receipts, sent messages and log lines only", async () => {
    await using bot = new FakeMaiBot({ keep: 2, answers: "echo" });
    await using peer = await NativePeer.connect(listen(bot), { headers: { platform: "qq" } });
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

/** What a server does at the wire, whoever it is. Its one token is "secret". */
async function probe(url: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const token of [undefined, "", "wrong", "Bearer secret"]) {
    await using peer = await dial(url, "qq", token === undefined ? [] : [["Authorization", token]]);
    const frame = await peer.frame({ opcode: 8 });
    seen.push(["token", token, peer.response.status, frame?.code, frame?.reason]);
  }
  for (const path of ["/ws/", "/", "/ws/x"]) {
    await using peer = await dial(new URL(path, url).href, "qq", SECRET);
    seen.push(["path", path, peer.response.status, peer.response.body]);
  }
  for (const path of ["/ws", "/ws/", "/socket.io/?EIO=4&transport=polling"]) {
    const response = await fetch(new URL(path, url.replace("ws:", "http:")));
    seen.push(["GET", path, response.status, await response.text()]);
  }
  await using older = await dial(`${url}?platform=tg&token=none`, "qq", [...SECRET, ["Origin", "http://evil.example"]]);
  older.text("{");
  older.text("");
  older.text("null");
  await using newer = await dial(url, "qq", SECRET);
  const frame = await older.frame({ opcode: 8 });
  seen.push(["replaced", frame?.code, frame?.reason]);
  newer.close(4000, "bye");
  const goodbye = await newer.frame({ opcode: 8 });
  seen.push(["goodbye", goodbye?.code, goodbye?.reason]);
  return seen;
}

const SECRET: readonly Header[] = [["Authorization", "secret"]];

describe("FakeMaiBot and maim_message 0.6.8", () => {
  peerTest("do the same at the wire", async () => {
    await using bot = new FakeMaiBot({ tokens: ["secret"] });
    await using python = await PythonServer.start({ tokens: ["secret"] });
    assertEquals(await probe(listen(bot)), await probe(python.url));
  });

  peerTest("hold a conversation", async () => {
    await using bot = new FakeMaiBot({ answers: "echo", tokens: ["secret"] });
    await using python = await PythonClient.start({
      url: listen(bot),
      platform: "qq",
      token: "secret",
      custom: ["poke"],
    });
    await python.next("connected");
    await bot.connected("qq");
    python.send({ do: "send", message: hello("来自 Python") });
    const { isAccepted, message } = await bot.received();
    assertEquals([isAccepted, message && plainText(message)], [true, "来自 Python"]);
    const answer = await python.next("message");
    assertStringIncludes(JSON.stringify(answer), "来自 Python");
    bot.send({ is_custom_message: true, message_type_name: "poke", content: 1, platform: "qq" }, "qq");
    await python.next("custom");
  });
});
