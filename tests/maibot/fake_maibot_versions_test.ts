import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import type { MaibotVersion } from "../../maibot/mod.ts";
import { FakeMaiBot, type FakeMaiBotOptions, type MaibotChat, type MaibotReceipt } from "../../maibot/fake/mod.ts";
import { MAIBOT_VERSIONS } from "../../maibot/rules.ts";
import { MessageConnectionError } from "../../mod.ts";
import { createMessage, type CreateMessageOptions, type MessageBase, plainText, seg } from "../../schema.ts";
import { adapter, connect, hello, listen, receiptOf, texts } from "../support/fake_maibot.ts";
import { Heard } from "../support/peers/listen.ts";

/** A private message that names no account unless told one. */
function asked(text: string, more: Partial<CreateMessageOptions> = {}): MessageBase {
  return createMessage({ platform: "qq", user: "u1", ...more }, seg.text(text));
}

/** What a fake did about some messages. */
interface Story {
  /** Texts that its script was asked about. */
  readonly asked: readonly string[];
  /** Texts of its answers. */
  readonly said: readonly string[];
  readonly log: readonly string[];
  readonly receipts: readonly MaibotReceipt[];
  readonly errors: readonly unknown[];
}

/** Sends messages one after the other to a fake that answers each with its text. */
async function storyOf(messages: readonly unknown[], options: FakeMaiBotOptions = {}): Promise<Story> {
  const heard: string[] = [];
  const errors: unknown[] = [];
  const answers = (message: MessageBase): string => {
    heard.push(plainText(message));
    return `re: ${plainText(message)}`;
  };
  await using bot = new FakeMaiBot({ answers, ...options });
  const received = new Heard<[MaibotReceipt]>((handler) => bot.on("received", handler));
  bot.on("error", (error) => void errors.push(error));
  await using peer = await connect(bot);
  await bot.connected("qq");
  // An answer is out before the next frame is read: one that is no JSON comes last.
  for (const text of [...messages.map((message) => JSON.stringify(message)), "{"]) {
    peer.socket.send(text);
    await received.next();
  }
  const log = bot.log.map(({ text }) => text).filter((text) => !text.includes("WebSocket") && !text.includes("JSON"));
  return { asked: heard, said: bot.sent.map(plainText), log, receipts: bot.receipts.slice(0, -1), errors };
}

const OLD_ROUTE =
  "消息使用旧版路由归属格式，请及时更新适配器，迁移到消息顶层 account_id/scope: platform=qq, message_id=";
const NO_ACCOUNT = "固定引用规则需要明确的 bot 发送账号";
const NO_CHAT = "适配器名单禁止创建聊天运行实例";
const NO_ROUTE = "[SendService] Platform IO 发送失败: platform=qq 未命中任何发送路由";
const NOT_CONFIGURED = "[SendService] 平台 tp 未配置机器人账号，无法发送消息";

describe("FakeMaiBot plays a version:", () => {
  it("1.3.15 unless told otherwise, with the account 777", async () => {
    await using bot = new FakeMaiBot();
    await using _peer = await connect(bot);
    await bot.connected("qq");
    const { message_info } = bot.say("hi", { platform: "qq", user: "u1" });
    assertEquals(message_info.user_info?.user_id, "777");
    assertEquals(message_info.sender_info?.user_info?.user_id, "777");
    assertEquals(message_info.additional_config, { platform_io_target_user_id: "u1" });
    const { issues } = await receiptOf(asked("hi"));
    assertEquals(issues.map(({ rule }) => rule), ["account_missing"]);
  });

  it("1.3.15 thinks about a message without an account and loses its answer", async () => {
    const story = await storyOf([asked("hi", { message_id: "m1" })]);
    assertEquals([story.asked, story.said], [["hi"], []]);
    assertEquals(story.log, [`${OLD_ROUTE}m1`, NO_ACCOUNT]);
    const [receipt] = story.receipts;
    assertEquals([receipt?.isAccepted, receipt?.isAnswerable, receipt?.log], [true, false, null]);
  });

  it("1.3.15 says nothing of an account when its script has no answer", async () => {
    const story = await storyOf([asked("hi", { message_id: "m1" })], { answers: [] });
    assertEquals([story.said, story.log], [[], [`${OLD_ROUTE}m1`]]);
  });

  it("1.2.1 answers a message without an account", async () => {
    const story = await storyOf([asked("hi")], { version: "1.2.1" });
    assertEquals([story.asked, story.said, story.log], [["hi"], ["re: hi"], []]);
    const [receipt] = story.receipts;
    assertEquals([receipt?.isAccepted, receipt?.isAnswerable, receipt?.issues], [true, true, []]);
  });

  it("1.3.15 hears the account at the top alone, 1.2.1 among the free data alone", async () => {
    const top = { ...asked("top"), account_id: "778" };
    const config = asked("config", { additional_config: { account_id: "778" } });
    const [now, before] = [await storyOf([top, config]), await storyOf([top, config], { version: "1.2.1" })];
    assertEquals([now.asked, now.said, before.said], [[], [], ["re: top"]]);
    assertEquals(before.log, [NO_ROUTE]);
  });

  const routes: readonly (readonly [what: string, message: object, id: string | null])[] = [
    ["an account at the top", { ...asked("hi", { message_id: "m1" }), account_id: "777" }, null],
    ["account and scope at the top", { ...asked("hi", { message_id: "m1" }), account_id: " 777 ", scope: "s" }, null],
    ["what createMessage writes", asked("hi", { message_id: "m1", account: "777" }), null],
    ["an account among the free data", asked("hi", { message_id: "m1", additional_config: { self_id: 777 } }), ""],
    ["an account beside message_info", { ...asked("hi", { message_id: "m1" }), self_id: "777" }, ""],
    ["a blank account and one among the free data", {
      ...asked("hi", { message_id: "m1", additional_config: { self_id: "777" } }),
      account_id: "",
    }, "m1"],
  ];
  for (const [what, message, id] of routes) {
    it(`1.3.15 answers a message with ${what}${id === null ? "" : ", and warns that it is the old way"}`, async () => {
      const story = await storyOf([message]);
      assertEquals([story.said, story.log], [["re: hi"], id === null ? [] : [OLD_ROUTE + id]]);
    });
  }

  it("1.2.1 never says that a way is old", async () => {
    assertEquals((await storyOf([asked("hi", { additional_config: { self_id: 777 } })], { version: "1.2.1" })).log, []);
  });

  const image = (type: string) => createMessage({ platform: "qq", user: "u1", account: "777" }, seg.of(type, ""));
  const pictures: readonly (readonly [MaibotVersion, type: string, log: readonly string[]])[] = [
    ["1.3.15", "image", ["处理消息组件时发生错误: 必须提供图片哈希值或图片字节数据"]],
    ["1.3.15", "voice", []],
    ["1.2.1", "image", []],
  ];
  for (const [version, type, log] of pictures) {
    it(`${version} ${log.length === 0 ? "is quiet about" : "has a line about"} an empty ${type}`, async () => {
      const story = await storyOf([image(type)], { version });
      assertEquals([story.log, story.said.length], [log, 1]);
      const bare = { ...image(type), message_segment: seg.of(type, "") };
      assertEquals((await storyOf([bare], { version })).log, log);
    });
  }

  it("1.3.15 has a line about an image whose base64 holds no bytes", async () => {
    const message = createMessage({ platform: "qq", user: "u1", account: "777" }, seg.text("看"));
    const story = await storyOf([{ ...message, message_segment: { type: "image", data: "!!!!" } }]);
    assertEquals(story.log, ["处理消息组件时发生错误: 必须提供图片哈希值或图片字节数据"]);
  });

  const commands: readonly (readonly [text: string, refusal: string])[] = [
    ["/clear", "你没有权限使用此命令。"],
    [" /clear\n", "你没有权限使用此命令。"],
    ["/offline", "你没有权限使用适配器管理命令。"],
    ["/online", "你没有权限使用适配器管理命令。"],
  ];
  for (const [text, refusal] of commands) {
    it(`1.3.15 answers ${JSON.stringify(text)} by itself, with and without an account; 1.2.1 asks its script`, async () => {
      const messages = [asked(text), asked(text, { account: "777" })];
      const [now, before] = [await storyOf(messages), await storyOf(messages, { version: "1.2.1" })];
      assertEquals([now.asked, now.said], [[], [refusal, refusal]]);
      assertEquals([before.asked, before.said], [[text, text], [`re: ${text}`, `re: ${text}`]]);
      assertEquals(now.receipts.map(({ isAnswerable }) => isAnswerable), [true, true]);
    });
  }

  it("1.3.15 takes a command with more words for a message", async () => {
    assertEquals((await storyOf([hello("/clear all")])).said, ["re: /clear all"]);
  });
});

describe("FakeMaiBot with accounts", () => {
  const accounts = { qq: "777", tp: " 888 " };

  it("speaks on each platform as the account there, however the platform is written", async () => {
    await using bot = new FakeMaiBot({ answers: "echo", accounts: { QQ: "777", tp: " 888 " } });
    const url = listen(bot);
    for (const [platform, account] of [["qq", "777"], ["tp", "888"], ["TP", "888"]] as const) {
      await using peer = await connect(bot, platform, url);
      peer.socket.send(JSON.stringify(asked("hi", { platform, account })));
      assertEquals(JSON.parse(await peer.text() ?? "").message_info.user_info.user_id, account);
      assertEquals(bot.say("hi", { platform, user: "u1" }).message_info.user_info?.user_id, account);
    }
  });

  it("opens no chat on a platform that is not configured, as 1.3.15 does", async () => {
    const story = await storyOf([asked("hi", { platform: "tp", account: "777" })], { accounts: { qq: "777" } });
    assertEquals([story.asked, story.said, story.log], [[], [], [NO_CHAT]]);
    const [receipt] = story.receipts;
    assertEquals([receipt?.isAccepted, receipt?.isAnswerable], [true, false]);
    assertEquals(receipt?.issues.map(({ rule }) => rule), ["platform_foreign"]);
  });

  it("thinks on a platform that is not configured and finds no account, as 1.2.1 does", async () => {
    const options = { accounts: { qq: "777" }, version: "1.2.1" } as const;
    const story = await storyOf([asked("hi", { platform: "tp" })], options);
    assertEquals([story.asked, story.said, story.log], [["hi"], [], [NOT_CONFIGURED]]);
  });

  it("answers no message to the account of another platform", async () => {
    const story = await storyOf([asked("hi", { account: "888" })], { accounts });
    assertEquals([story.asked, story.said, story.log], [[], [], [NO_CHAT]]);
    assertEquals(story.receipts[0]?.issues.map(({ rule }) => rule), ["account_foreign"]);
  });

  it("throws no_route from say() and logs MaiBot's line when the platform is not configured", async () => {
    await using bot = new FakeMaiBot({ accounts: { qq: "777" } });
    await using _peer = await connect(bot, "tp");
    await bot.connected("tp");
    const say = () => bot.say("hi", { platform: "tp", user: "u1" });
    const error = assertThrows(say, MessageConnectionError, NOT_CONFIGURED);
    assertEquals([error.code, bot.log.at(-1), bot.sent], ["no_route", { level: "error", text: NOT_CONFIGURED }, []]);
  });

  it("opens no chat for a user or a group of white space, as 1.3.15 does and 1.2.1 does not", async () => {
    const group = { group_id: "\t", group_name: "g" };
    const blanks = [asked("user", { user: " ", account: "777" }), asked("group", { group, account: "777" })];
    const [now, before] = [await storyOf(blanks), await storyOf(blanks, { version: "1.2.1" })];
    assertEquals([now.asked, now.log], [[], [NO_CHAT, NO_CHAT]]);
    assertEquals(before.said, ["re: user", "re: group"]);
  });
});

describe("FakeMaiBot with a policy", () => {
  const DENIED = "适配器策略拒绝出站消息: driver=legacy.send.qq chat_type=private target_id=u1";
  const denying = ({ id }: MaibotChat): boolean => id !== "u1";
  const here = (text: string, more: Partial<CreateMessageOptions> = {}) => asked(text, { account: "777", ...more });

  it("asks it about the chat, and not about the author in a group", async () => {
    const chats: MaibotChat[] = [];
    const policy = (chat: MaibotChat): boolean => chats.push(chat) > 0;
    const story = await storyOf([here("a"), here("b", { platform: "qq", group: "g1" })], { policy });
    assertEquals(story.said, ["re: a", "re: b"]);
    const known = new Set(chats.map((chat) => JSON.stringify(chat)));
    assertEquals([...known].map((chat) => JSON.parse(chat)), [
      { platform: "qq", account: "777", type: "private", id: "u1" },
      { platform: "qq", account: "777", type: "group", id: "g1" },
    ]);
  });

  it("opens no chat that it keeps out, and answers others, as 1.3.15 does", async () => {
    const story = await storyOf([here("out"), here("in", { user: "u2" })], { policy: denying });
    assertEquals([story.asked, story.said, story.log], [["in"], ["re: in"], [NO_CHAT]]);
    const receipts = story.receipts.map(({ isAccepted, isAnswerable }) => [isAccepted, isAnswerable]);
    assertEquals(receipts, [[true, false], [true, true]]);
  });

  it("thinks about what it keeps out and sends nothing, as 1.2.1 does", async () => {
    const story = await storyOf([here("out")], { policy: denying, version: "1.2.1" });
    assertEquals([story.asked, story.said, story.log], [["out"], [], [DENIED]]);
  });

  it("throws no_route from say() when it keeps the chat out", async () => {
    await using bot = new FakeMaiBot({ policy: denying });
    await using peer = await connect(bot);
    await bot.connected("qq");
    const error = assertThrows(() => bot.say("x", { platform: "qq", user: "u1" }), MessageConnectionError, DENIED);
    assertEquals([error.code, bot.log.at(-1)], ["no_route", { level: "info", text: DENIED }]);
    bot.say("y", { platform: "qq", user: "u2" });
    assertEquals(await texts(peer, 1), ["y"]);
  });

  it("tells what it throws as an error, and goes on", async () => {
    const policy = ({ id }: MaibotChat): boolean => {
      if (id === "u1") throw new Error("policy");
      return true;
    };
    const story = await storyOf([here("out"), here("in", { user: "u2" })], { policy });
    assertEquals([story.said, story.errors.map(String)], [["re: in"], ["Error: policy"]]);
  });
});

describe("FakeMaiBot and the bot's own messages", () => {
  const own = (text: string) => asked(text, { user: "777", account: "777" });
  const many = (count: number) => Array.from({ length: count }, (_, index) => own(`${index}`));

  it("answers five in a row as 1.3.15 does, and then says what is wrong by name", async () => {
    const story = await storyOf(many(7));
    assertEquals(story.said, many(5).map((message) => `re: ${plainText(message)}`));
    assertEquals(story.errors.length, 2);
    assertMatch(String(story.errors[0]), /message_info\.user_info.*replyTarget\(message\).*forward/);
    assertEquals(story.receipts[0]?.issues.map(({ rule }) => rule), ["own_message"]);
  });

  it("begins anew once somebody else speaks, in that chat", async () => {
    const inGroup = (user: string, group: string) => asked(`${user} ${group}`, { user, group, account: "777" });
    const five = Array.from({ length: 5 }, () => inGroup("777", "g1"));
    const quiet = await storyOf([...five, inGroup("u1", "g1"), ...five]);
    assertEquals([quiet.said.length, quiet.errors], [11, []]);
    const loud = await storyOf([...five, inGroup("u1", "g2"), inGroup("777", "g2"), ...five]);
    assertEquals([loud.said.length, loud.errors.length], [7, 5]);
  });

  it("begins anew with another adapter of the platform", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    const errors: unknown[] = [];
    const ends = new Heard<[string, unknown]>((handler) => bot.on("close", handler));
    bot.on("error", (error) => void errors.push(error));
    const url = listen(bot);
    for (let count = 0; count < 2; count++) {
      await using peer = await connect(bot, "qq", url);
      for (const message of many(5)) peer.socket.send(JSON.stringify(message));
      assertEquals(await texts(peer, 5), ["0", "1", "2", "3", "4"]);
      await peer[Symbol.asyncDispose]();
      await ends.next();
    }
    assertEquals(errors, []);
  });

  it("answers none as 1.2.1 does", async () => {
    const story = await storyOf([...many(7), asked("hi")], { version: "1.2.1" });
    assertEquals([story.asked, story.said, story.errors], [["hi"], ["re: hi"], []]);
  });

  for (const version of MAIBOT_VERSIONS) {
    it(`ends the talk of ${version} with an adapter that answers message_info.user_info`, async () => {
      await using bot = new FakeMaiBot({ answers: "echo", version });
      const errors = new Heard<[unknown]>((handler) => bot.on("error", handler));
      const receipts = new Heard<[MaibotReceipt]>((handler) => bot.on("received", handler));
      await using client = await adapter(listen(bot));
      client.on("message", ({ message_info: { user_info } }) => {
        client.send(asked("again", { user: user_info?.user_id ?? "", account: "777" }));
      });
      client.send(hello());
      const isOwn = ({ message }: MaibotReceipt) => message?.message_info.user_info?.user_id === "777";
      await receipts.next(isOwn);
      if (version === "1.3.15") assertMatch(String((await errors.next())[0]), /message_info\.user_info/);
      assertEquals(bot.sent.length, version === "1.3.15" ? 6 : 1);
    });
  }
});
