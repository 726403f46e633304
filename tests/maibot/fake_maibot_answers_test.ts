import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { type MaibotVersion, replyTarget } from "../../maibot/mod.ts";
import { FakeMaiBot, type MaibotLogLine } from "../../maibot/fake/mod.ts";
import { MAIBOT_VERSIONS } from "../../maibot/rules.ts";
import { MessageConnectionError } from "../../mod.ts";
import { createMessage, isMessageBase, type MessageBase, plainText, type Seg, seg } from "../../schema.ts";
import { adapter, answerTo, connect, hello, listen, texts } from "../support/fake_maibot.ts";
import { Heard, heard } from "../support/peers/listen.ts";

/** The configuration of the MaiBot 1.2.1 that was recorded. */
const RECORDED_WITH = { version: "1.2.1", account: "10001" } as const;

/** The group message that it sent, but for id and time. */
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
    const message = createMessage({ platform: "qq", user: "u1", account: "777" }, seg.text("看"), seg.image("AQID"));
    client.send(message);
    const [{ message_segment }] = await messages.next();
    assertEquals(message_segment.data, [{ type: "text", data: "看" }, { type: "image", data: "AQID" }]);
  });

  it("one of a list for each message, and then nothing", async () => {
    await using bot = new FakeMaiBot({ answers: ["一", null, [seg.at("u1"), seg.text("三")]] });
    await using peer = await connect(bot);
    for (let count = 0; count < 5; count++) peer.socket.send(JSON.stringify(hello()));
    assertEquals(await texts(peer, 2), ["一", "@u1三"]);
    for (let count = 0; count < 5; count++) await bot.received();
    assertEquals(bot.sent.length, 2);
  });

  it("by a function, waiting for its promise", async () => {
    await using bot = new FakeMaiBot({
      answers: async (message) => await Promise.resolve(`你说：${plainText(message)}`),
    });
    await using peer = await connect(bot);
    peer.socket.send(JSON.stringify(hello("早")));
    assertEquals(await texts(peer, 1), ["你说：早"]);
  });

  it("in the shape MaiBot 1.2.1 was recorded to send, for a group", async () => {
    const content = [seg.reply("m1"), seg.at("u1"), seg.text("你好")];
    await using bot = new FakeMaiBot({ ...RECORDED_WITH, answers: () => content });
    await using peer = await connect(bot);
    const group = { group_id: "g1", group_name: "群" };
    peer.socket.send(JSON.stringify(createMessage({ platform: "qq", user: "u1", group }, seg.text("hi"))));
    const answer = withoutStamp(await peer.text());
    assertEquals(answer, RECORDED_GROUP);
    assertEquals(order(answer), order(RECORDED_GROUP));
  });

  it("in the shape MaiBot 1.2.1 was recorded to send, for a private chat", async () => {
    await using bot = new FakeMaiBot({ ...RECORDED_WITH, answers: "echo" });
    await using peer = await connect(bot);
    peer.socket.send(JSON.stringify(createMessage({ platform: "qq", user: "u1" }, seg.text("你好"))));
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

  const NO_ROUTE = "[SendService] Platform IO 发送失败: platform=qq 未命中任何发送路由";
  const strangers: readonly (readonly [MaibotVersion, line: string])[] = [
    ["1.2.1", NO_ROUTE],
    ["1.3.15", "适配器名单禁止创建聊天运行实例"],
  ];
  for (const [version, line] of strangers) {
    for (const config of [{ self_id: 20002 }, { platform_io_account_id: "20002", self_id: "777" }]) {
      it(`nothing to one that names another account by ${Object.keys(config)[0]}, as ${version} does`, async () => {
        await using bot = new FakeMaiBot({ answers: "echo", version });
        const lines = new Heard<[MaibotLogLine]>((handler) => bot.on("log", handler));
        await using peer = await connect(bot);
        peer.socket.send(JSON.stringify(hello("lost", config)));
        await lines.next(({ text }) => text === line);
        peer.socket.send(JSON.stringify(hello("here", { bot_account: " 777 " })));
        assertEquals(await texts(peer, 1), ["here"]);
        const receipts = bot.receipts.map(({ isAccepted, isAnswerable }) => [isAccepted, isAnswerable]);
        assertEquals(receipts, [[true, false], [true, true]]);
        assertEquals(bot.sent.length, 1);
      });
    }
  }

  const inGroup = (group_info: unknown, more: object = {}) => {
    const { message_info, message_segment } = hello();
    return { message_info: { ...message_info, group_info, ...more }, message_segment };
  };
  const NAMELESS = inGroup({ group_id: "g1", group_name: "" });

  const GROUP_KEYS = { platform_io_account_id: "777", platform_io_target_group_id: "g1" };
  const WHERE = { kind: "group", id: "g1", platform: "qq", account: "777" } as const;

  it("in a group without a name by naming it in additional_config alone, as 1.2.1 does", async () => {
    const { message_info } = await answerTo([NAMELESS], { version: "1.2.1" });
    assertEquals(message_info.additional_config, GROUP_KEYS);
    assertEquals(["group_info", "receiver_info"].filter((name) => name in message_info), []);
    assertEquals(message_info.sender_info?.group_info, null);
    assertEquals(replyTarget({ message_info, message_segment: seg.text("") }), WHERE);
  });

  it("in a group without a name by an empty name, as 1.3.15 does", async () => {
    const { message_info } = await answerTo([NAMELESS]);
    const group = { platform: "qq", group_id: "g1", group_name: "" };
    const { group_info, receiver_info, sender_info, additional_config } = message_info;
    assertEquals([group_info, receiver_info?.group_info, sender_info?.group_info], [group, group, group]);
    assertEquals(additional_config, GROUP_KEYS);
    assertEquals(replyTarget({ message_info, message_segment: seg.text("") }), WHERE);
  });

  it("in a group without a name by the one that it had before", async () => {
    for (const version of MAIBOT_VERSIONS) {
      const named = await answerTo([inGroup({ group_id: "g1", group_name: " 群 " }), NAMELESS], { version });
      assertEquals(named.message_info.group_info, { platform: "qq", group_id: "g1", group_name: "群" });
      const other = await answerTo([inGroup({ group_id: "g2", group_name: "群" }), NAMELESS], { version });
      assertEquals(other.message_info.group_info?.group_name, version === "1.2.1" ? undefined : "");
    }
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
    await using peer = await connect(bot);
    peer.socket.send(JSON.stringify({ type: "ping" }));
    peer.socket.send(JSON.stringify(hello()));
    assertEquals(await texts(peer, 1), ["answer"]);
    assertEquals(bot.sent.length, 1);
  });

  it("after the delay, and no more once it is closed", async () => {
    const bot = new FakeMaiBot({ answers: "echo", delay: 50 });
    await using peer = await connect(bot);
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
    await using peer = await connect(bot);
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
    await using peer = await connect(bot);
    peer.socket.send(JSON.stringify(hello("bad")));
    peer.socket.send(JSON.stringify(hello("good")));
    assertEquals(await texts(peer, 1), ["good"]);
    assertEquals(String((await errors.next())[0]), "Error: script");
  });
});

describe("FakeMaiBot.say()", () => {
  const to = { platform: "qq", group: { group_id: "g1", group_name: "群" } };
  const content = [seg.reply("m1"), seg.at("u1"), seg.text("你好")];

  it("sends to a group as 1.2.1 does, and gives what it sent", async () => {
    await using bot = new FakeMaiBot(RECORDED_WITH);
    await using peer = await connect(bot);
    await bot.connected("qq");
    const said = bot.say(content, to);
    const text = await peer.text();
    assertEquals(JSON.parse(text ?? ""), said);
    assertEquals(withoutStamp(text), RECORDED_GROUP);
    assert(isMessageBase(said));
  });

  it("sends to a group as 1.3.15 does: the account stands in user_info and sender_info alone", async () => {
    await using bot = new FakeMaiBot({ account: "10001" });
    await using peer = await connect(bot);
    await bot.connected("qq");
    bot.say(content, to);
    const { message_info, message_segment } = RECORDED_GROUP;
    const expected = { ...message_info, additional_config: { platform_io_target_group_id: "g1" } };
    assertEquals(withoutStamp(await peer.text()), { message_info: expected, message_segment });
  });

  it("never uses an id twice", async () => {
    await using bot = new FakeMaiBot();
    await using _peer = await connect(bot);
    await bot.connected("qq");
    const ids = Array.from({ length: 50 }, () => bot.say("x", { platform: "qq", user: "u1" }).message_info.message_id);
    assertEquals(new Set(ids).size, 50);
  });

  it("flattens a list of segments", async () => {
    await using bot = new FakeMaiBot();
    await using _peer = await connect(bot);
    await bot.connected("qq");
    const { message_segment } = bot.say(seg.list(seg.text("a"), seg.text("b")), { platform: "qq", user: "u1" });
    assertEquals((message_segment.data as Seg[]).map(({ type }) => type), ["text", "text"]);
  });

  it("throws no_route and logs MaiBot's line when nobody is connected", async () => {
    await using bot = new FakeMaiBot();
    const error = assertThrows(() => bot.say("x", { platform: "tg", user: "u1" }), MessageConnectionError);
    assertEquals([error.code, bot.log.at(-1)?.text], ["no_route", "未找到目标平台: tg"]);
  });

  for (const version of MAIBOT_VERSIONS) {
    it(`throws no_route and logs the line of ${version} when told to answer a message to another account`, async () => {
      await using bot = new FakeMaiBot({ version });
      await using _peer = await connect(bot);
      await bot.connected("qq");
      const line = "[SendService] Platform IO 发送失败: platform=qq 未命中任何发送路由";
      const error = assertThrows(() => bot.say("x", hello("hi", { self_id: "2" })), MessageConnectionError, line);
      assertEquals([error.code, bot.log.at(-1)?.text, bot.sent], ["no_route", line, []]);
    });
  }

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
