import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { pathToFileURL } from "node:url";

import type { FakeMaiBot } from "../../maibot/fake/mod.ts";
import { plainText, seg } from "../../schema.ts";
import { answer, assertWhole, assertWholeOf, Conversation, kill } from "../support/peers/conversation.ts";
import { BotProgram, contentOf, newBot, ROOT, START, start } from "../support/peers/example.ts";
import { ONEBOT_TOKEN, OneBotPeer, type OneBotSegment, PICTURE, SELF_ID } from "../support/peers/onebot_peer.ts";
import type { LineProcess, SpawnOptions } from "../support/peers/process.ts";

const PICTURE_BASE64 = PICTURE.toBase64();

function oneBotAdapter(bot: Pick<FakeMaiBot, "listen">, peer: OneBotPeer, options: SpawnOptions = {}): LineProcess {
  const env = { MAIBOT_URL: bot.listen({ port: 0 }), ONEBOT_URL: peer.url, ONEBOT_TOKEN, PLATFORM: "qq" };
  return start("examples/onebot_adapter.ts", { ...options, env });
}

/** Waits until either end knows of the other. */
async function ready(child: LineProcess, peer: OneBotPeer): Promise<void> {
  await peer.connected(START);
  await child.line(/^OneBot is connected$/, START);
}

function text(content: string): OneBotSegment {
  return { type: "text", data: { text: content } };
}

function oneBotText(message: readonly OneBotSegment[]): string {
  return message.map(({ data }) => data.text ?? "").join("");
}

describe("examples/onebot_adapter.ts", () => {
  it("holds a conversation of 200 messages while MaiBot is killed twice", async () => {
    const conversation = new Conversation();
    const restarts: Promise<void>[] = [];
    await using bot = newBot({ answers: answer, delay: 5 });
    await using peer = new OneBotPeer({
      onSent: ({ params, messageId }) => conversation.answered(oneBotText(params.message), `${messageId}`),
    });
    await using child = oneBotAdapter(bot, peer, { onLine: conversation.heard });
    await ready(child, peer);
    await conversation.hold({
      say: (words, index) => {
        const at = { type: "at", data: { qq: `${SELF_ID}` } };
        if (index % 2 === 0) peer.say([text(words)], { user: 20001 + index % 3 });
        else peer.say([at, text(` ${words}`)], { user: 20001 + index % 3, group: 987 });
      },
      kill: () => kill(bot, restarts),
    });
    await Promise.all(restarts);
    assertEquals(restarts.length, 2);
    await assertWhole(conversation, bot, child);
  });

  it("holds it as well with maibot/main.ts, killed by SIGKILL and started again", async () => {
    const conversation = new Conversation();
    const restarts: Promise<void>[] = [];
    await using bot = new BotProgram();
    await bot.start();
    await using peer = new OneBotPeer({
      onSent: ({ params, messageId }) => conversation.answered(oneBotText(params.message), `${messageId}`),
    });
    const env = { MAIBOT_URL: bot.url, ONEBOT_URL: peer.url, ONEBOT_TOKEN };
    await using child = start("examples/onebot_adapter.ts", { env, onLine: conversation.heard });
    await ready(child, peer);
    await conversation.hold({
      say: (words) => void peer.say([text(words)]),
      kill: () => restarts.push(bot.restart()),
    });
    await Promise.all(restarts);
    assertEquals(restarts.length, 2);
    await assertWholeOf(conversation, bot, child);
  });

  it("carries text, image, at, reply, face and file of a group to MaiBot", async () => {
    await using bot = newBot();
    await using peer = new OneBotPeer();
    await using child = oneBotAdapter(bot, peer);
    await ready(child, peer);
    const id = peer.say([
      { type: "reply", data: { id: "17" } },
      { type: "at", data: { qq: `${SELF_ID}` } },
      { type: "at", data: { qq: "all" } },
      text(" 看 "),
      { type: "face", data: { id: "14" } },
      { type: "image", data: { file: "a.png", url: peer.pictureUrl } },
      { type: "image", data: { file: "b.gif", url: peer.pictureUrl, sub_type: 1 } },
      { type: "image", data: { file: `base64://${PICTURE_BASE64}` } },
      { type: "file", data: { file: "a.txt", file_id: "f1", file_size: "12", url: "http://127.0.0.1/a.txt" } },
      { type: "poke", data: {} },
    ], { group: 987 });
    const { message, isAnswerable, issues } = await bot.received(undefined, START);
    assertEquals([isAnswerable, issues], [true, []]);
    assertEquals(contentOf(message), [
      seg.reply("17"),
      seg.at(`${SELF_ID}`),
      seg.text("@全体成员"),
      seg.text(" 看 "),
      seg.text("[表情:14]"),
      seg.image(PICTURE),
      seg.emoji(PICTURE),
      seg.image(PICTURE),
      seg.file({ name: "a.txt", file_id: "f1", size: 12, url: "http://127.0.0.1/a.txt" }),
      seg.text("[poke]"),
    ]);
    const { message_id, group_info, user_info, additional_config } = message?.message_info ?? {};
    assertEquals(message_id, `${id}`);
    assertEquals(group_info, { platform: "qq", group_id: "987", group_name: "群987" });
    assertEquals(user_info, {
      platform: "qq",
      user_id: "20001",
      user_nickname: "用户20001",
      user_cardname: "名片",
    });
    assertEquals(additional_config, { is_mentioned: true, at_bot: true, platform_io_account_id: `${SELF_ID}` });
  });

  it("carries a private message to MaiBot, and does not call it a mention", async () => {
    await using bot = newBot();
    await using peer = new OneBotPeer();
    await using child = oneBotAdapter(bot, peer);
    await ready(child, peer);
    peer.say([text("你好")]);
    const { message } = await bot.received(undefined, START);
    assertEquals(contentOf(message), [seg.text("你好")]);
    assertEquals(message?.message_info.group_info, undefined);
    assertEquals(message?.message_info.additional_config, { platform_io_account_id: `${SELF_ID}` });
  });

  it("names the account that OneBot tells, so that MaiBot can answer", async () => {
    await using bot = newBot();
    await using peer = new OneBotPeer();
    await using child = oneBotAdapter(bot, peer);
    await ready(child, peer);
    await child.line(/^The bot is 麦麦, account 10001: MaiBot must have it in \[bot\]$/);
    for (const from of [{ user: 20001 }, { user: 20002, group: 987 }]) {
      peer.say([text("你好")], from);
      const { message, isAnswerable } = await bot.received(undefined, START);
      assertEquals([message?.account_id, message?.scope, isAnswerable], ["10001", undefined, true]);
    }
  });

  for (const answers of [["--echo"], ["--answer", "嗯"]]) {
    it(`does not have MaiBot answer itself with ${answers[0]} where OneBot reports what the bot says`, async () => {
      await using bot = new BotProgram(...answers);
      await bot.start();
      await using peer = new OneBotPeer({ reportsOwn: true });
      await using child = oneBotAdapter({ listen: () => bot.url }, peer);
      await ready(child, peer);
      for (const [number, group] of [[1, undefined], [2, 987], [3, undefined]] as const) {
        peer.say([text(`m${number}.`)], group === undefined ? {} : { group });
        await peer.next(); // the answer, which is reported before anything else is said
      }
      await bot.printed(/m3\.$/);
      assertEquals(bot.complaints, []);
      assertEquals(bot.verdicts, ["m1.", "m2.", "m3."].map((words) => `< qq ✓ MaiBot takes it: ${words}`));
      assertEquals(peer.sent.length, 3);
    });
  }

  it("keeps to the order in which messages came, and outlives what is none", async () => {
    await using bot = newBot();
    await using peer = new OneBotPeer();
    await using child = oneBotAdapter(bot, peer);
    await ready(child, peer);
    for (const noise of ["{", "null", { post_type: "notice", notice_type: "group_upload" }, { echo: "unknown" }]) {
      peer.tell(noise);
    }
    peer.say([{ type: "image", data: { file: "gone.png", url: "http://127.0.0.1:1/gone.png" } }]);
    peer.say([text("二")]);
    const received = [await bot.received(undefined, START), await bot.received(undefined, START)];
    assertEquals(received.map(({ message }) => message && plainText(message)), ["[图片]", "二"]);
  });

  it("says what MaiBot says in a group and in private, and echoes the ids", async () => {
    await using bot = newBot();
    await using peer = new OneBotPeer();
    await using child = oneBotAdapter(bot, peer);
    await ready(child, peer);
    const content = [
      seg.reply("17"),
      seg.at("20001"),
      seg.text("看"),
      seg.image(PICTURE),
      seg.emoji(PICTURE),
      seg.dict({ type: "face", data: 14 }),
      seg.file({ name: "a.txt", url: "http://127.0.0.1/a.txt" }),
      seg.voice(PICTURE),
    ];
    const file = `base64://${PICTURE_BASE64}`;
    const inGroup = bot.say(content, { platform: "qq", group: "987" });
    const sent = await peer.next();
    assertEquals([sent.action, sent.params], ["send_group_msg", {
      group_id: 987,
      message: [
        { type: "reply", data: { id: "17" } },
        { type: "at", data: { qq: "20001" } },
        text("看"),
        { type: "image", data: { file } },
        { type: "image", data: { file, sub_type: 1 } },
        { type: "face", data: { id: "14" } },
        { type: "file", data: { file: "http://127.0.0.1/a.txt", name: "a.txt" } },
        { type: "record", data: { file } },
      ],
    }]);
    assertEquals(await bot.echoed(inGroup), `${sent.messageId}`);
    const inPrivate = bot.say("你好", { platform: "qq", user: "20001" });
    const second = await peer.next();
    assertEquals([second.action, second.params], ["send_private_msg", { user_id: 20001, message: [text("你好")] }]);
    assertEquals(await bot.echoed(inPrivate), `${second.messageId}`);
  });

  it("says one message after the other, however long OneBot takes over one", async () => {
    const answered = Promise.withResolvers<void>();
    const story: string[] = [];
    await using bot = newBot();
    await using peer = new OneBotPeer({
      onSent: ({ params }) => story.push(`${oneBotText(params.message)} said`),
      answerAfter: async ({ params }) => {
        if (params.group_id === undefined) await answered.promise;
        story.push(`${oneBotText(params.message)} answered`);
      },
    });
    await using child = oneBotAdapter(bot, peer);
    await ready(child, peer);
    const first = bot.say("一", { platform: "qq", user: "20001" });
    const second = bot.say("二", { platform: "qq", group: "987" });
    await peer.next();
    peer.say([text("m1.")], { group: 987 }); // asks for the name of the group, after all that was said before
    await bot.received(undefined, START);
    answered.resolve();
    const ids = [await bot.echoed(first), await bot.echoed(second)];
    assertEquals(ids, peer.sent.map(({ messageId }) => `${messageId}`));
    assertEquals(story, ["一 said", "一 answered", "二 said", "二 answered"]);
  });

  for (const url of [pathToFileURL(`${ROOT}LICENSE`).href, `data:image/png;base64,${PICTURE_BASE64}`, "a.png"]) {
    it(`fetches no picture from ${url.slice(0, 5)}`, async () => {
      await using bot = newBot();
      await using peer = new OneBotPeer();
      await using child = oneBotAdapter(bot, peer);
      await ready(child, peer);
      peer.say([{ type: "image", data: { file: "a.png", url } }]);
      const { message } = await bot.received(undefined, START);
      assertEquals(contentOf(message), [seg.text("[图片]")]);
      await child.line(/^! a picture is missing: TypeError$/);
    });
  }

  it("ends with 1 when another adapter takes its place", async () => {
    await using bot = newBot();
    await using peer = new OneBotPeer();
    await using child = oneBotAdapter(bot, peer);
    await ready(child, peer);
    peer.say([text("m1.")]);
    await bot.received(undefined, START);
    bot.kick("qq");
    assertEquals((await child.exit(START)).code, 1);
    assertEquals(child.lines.filter((line) => line === "! unconfirmed: m1."), ["! unconfirmed: m1."]);
  });

  it("dials OneBot again when that is gone, and says what it could not deliver", async () => {
    await using bot = newBot();
    await using peer = new OneBotPeer();
    await using child = oneBotAdapter(bot, peer);
    await ready(child, peer);
    peer.hangUp();
    await child.line(/^OneBot is gone/);
    bot.say("你好", { platform: "qq", user: "20001" });
    await child.line(/^! OneBot is not connected/);
    await ready(child, peer);
    bot.say("还在吗", { platform: "qq", user: "20001" });
    assertEquals((await peer.next()).params.message, [text("还在吗")]);
  });
});
