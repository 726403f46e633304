import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import type { FakeMaiBot } from "../../maibot/fake/mod.ts";
import { plainText, seg } from "../../schema.ts";
import { answer, assertWhole, assertWholeOf, Conversation, kill } from "../support/peers/conversation.ts";
import { BotProgram, contentOf, newBot, START, start } from "../support/peers/example.ts";
import { currentRuntime, type LineProcess, type SpawnOptions } from "../support/peers/process.ts";
import { signalTest } from "../support/peers/program.ts";
import { FILE, ME, TELEGRAM_TOKEN, TelegramApi } from "../support/peers/telegram_api.ts";

function telegramAdapter(bot: Pick<FakeMaiBot, "listen">, api: TelegramApi, options: SpawnOptions = {}): LineProcess {
  const env = { MAIBOT_URL: bot.listen({ port: 0 }), TELEGRAM_API: api.url, TELEGRAM_TOKEN };
  return start("examples/telegram_adapter.ts", { ...options, env });
}

describe("examples/telegram_adapter.ts", () => {
  it("holds a conversation of 200 messages while MaiBot is killed twice", async () => {
    const conversation = new Conversation();
    const restarts: Promise<void>[] = [];
    await using bot = newBot({ answers: answer, delay: 5 });
    await using api = new TelegramApi({
      onSent: ({ chatId, text, messageId }) => conversation.answered(text, `${chatId}:${messageId}`),
    });
    await using child = telegramAdapter(bot, api, { onLine: conversation.heard });
    await api.polled(START);
    await conversation.hold({
      say: (words, index) => {
        if (index % 2 === 0) api.say({ text: words }, 20001 + index % 3);
        else api.say({ text: `@mai_bot ${words}` }, -100987);
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
    await using api = new TelegramApi({
      onSent: ({ chatId, text, messageId }) => conversation.answered(text, `${chatId}:${messageId}`),
    });
    const env = { MAIBOT_URL: bot.url, TELEGRAM_API: api.url, TELEGRAM_TOKEN };
    await using child = start("examples/telegram_adapter.ts", { env, onLine: conversation.heard });
    await api.polled(START);
    await conversation.hold({
      say: (words, index) => void api.say({ text: words }, index % 2 === 0 ? 20001 + index % 3 : -100987),
      kill: () => restarts.push(bot.restart()),
    });
    await Promise.all(restarts);
    assertEquals(restarts.length, 2);
    await assertWholeOf(conversation, bot, child);
  });

  signalTest(currentRuntime, "leaves to Telegram what comes while it is leaving", async () => {
    await using bot = new BotProgram();
    await bot.start();
    await using api = new TelegramApi();
    const env = { MAIBOT_URL: bot.url, TELEGRAM_API: api.url, TELEGRAM_TOKEN };
    await using child = start("examples/telegram_adapter.ts", { env });
    await api.polled(START);
    api.say({ text: "m1." });
    await bot.printed(/m1\.$/);
    await api.polled(); // and with that m1 is confirmed
    bot.signal("SIGSTOP"); // it does not answer the goodbye, which is waited for
    child.kill("SIGINT");
    await child.line(/^MaiBot: closing$/);
    const kept = [api.say({ text: "m2." }), api.say({ text: "m3." })];
    assertEquals(await child.exit({ timeoutMs: 15_000 }), { code: 0, signal: null });
    assertEquals(api.unconfirmed, kept);
  });

  it("names the account that getMe tells, so that MaiBot can answer", async () => {
    await using bot = newBot();
    await using api = new TelegramApi();
    await using child = telegramAdapter(bot, api);
    await api.polled(START);
    await child.line(/^Telegram: @mai_bot, account 123: MaiBot must have it in \[bot\]$/);
    for (const chatId of [20001, -100987]) {
      api.say({ text: "你好" }, chatId);
      const { message, isAnswerable } = await bot.received(undefined, START);
      assertEquals([message?.account_id, message?.scope, isAnswerable], ["123", undefined, true]);
    }
  });

  for (const answers of [["--echo"], ["--answer", "嗯"]]) {
    it(`does not have MaiBot answer itself with ${answers[0]} where updates hold what the bot says`, async () => {
      await using bot = new BotProgram(...answers);
      await bot.start();
      await using api: TelegramApi = new TelegramApi({
        onSent: ({ chatId, text }) => void api.say({ text, from: ME }, Number(chatId)),
      });
      await using _child = telegramAdapter({ listen: () => bot.url }, api);
      await api.polled(START);
      for (const [words, chatId] of [["m1.", 20001], ["m2.", -100987], ["m3.", 20001]] as const) {
        api.say({ text: words }, chatId);
        await api.next(); // the answer, which is an update before anything else is said
      }
      await bot.printed(/m3\.$/);
      assertEquals(bot.complaints, []);
      assertEquals(bot.verdicts, ["m1.", "m2.", "m3."].map((words) => `< telegram ✓ MaiBot takes it: ${words}`));
      assertEquals(api.sent.length, 3);
    });
  }

  const mentions: readonly (readonly [words: string, isCalled: boolean])[] = [
    ["@mai_bot 在吗", true],
    ["在吗@MAI_BOT？", true],
    ["/help@mai_bot", true],
    ["@mai_bot2 在吗", false],
    ["/help@mai_bot_test @mai", false],
    ["mai_bot", false],
  ];
  it("takes for a mention what names the bot, and not one whose name starts alike", async () => {
    await using bot = newBot();
    await using api = new TelegramApi();
    await using _child = telegramAdapter(bot, api);
    await api.polled(START);
    for (const [words] of mentions) api.say({ text: words }, -100987);
    const found: [string, boolean][] = [];
    while (found.length < mentions.length) {
      const { message } = await bot.received(undefined, START);
      assert(message !== null);
      found.push([plainText(message), Object.hasOwn(message.message_info.additional_config ?? {}, "at_bot")]);
    }
    assertEquals(found, mentions.map(([words, isCalled]) => [words, isCalled]));
  });

  it("carries photo, sticker, file, quote and mention of a group to MaiBot", async () => {
    await using bot = newBot();
    await using api = new TelegramApi();
    await using _child = telegramAdapter(bot, api);
    await api.polled(START);
    const id = api.say({
      photo: [{ file_id: "small" }, { file_id: "large" }],
      sticker: { file_id: "s", is_animated: false, is_video: false },
      document: { file_id: "d", file_name: "a.txt", mime_type: "text/plain", file_size: 12 },
      caption: "@Mai_Bot 看",
      reply_to_message: { message_id: 3, date: 1, chat: { id: -100987, type: "supergroup" } },
    }, -100987);
    const { message, isAnswerable, issues } = await bot.received(undefined, START);
    assertEquals([isAnswerable, issues], [true, []]);
    assertEquals(contentOf(message), [
      seg.reply("-100987:3"),
      seg.image(FILE),
      seg.emoji(FILE),
      seg.file({ file_id: "d", name: "a.txt", size: 12, mime_type: "text/plain" }),
      seg.text("@Mai_Bot 看"),
    ]);
    const { message_id, group_info, user_info, additional_config } = message?.message_info ?? {};
    assertEquals(message_id, `-100987:${id}`);
    assertEquals(group_info, { platform: "telegram", group_id: "-100987", group_name: "群" });
    assertEquals(user_info, { platform: "telegram", user_id: "20001", user_nickname: "用户" });
    assertEquals(additional_config, { is_mentioned: true, at_bot: true, platform_io_account_id: `${ME.id}` });
  });

  it("says what MaiBot says, texts and pictures, waits when told to, and echoes the ids", async () => {
    await using bot = newBot();
    await using api = new TelegramApi();
    await using _child = telegramAdapter(bot, api);
    await api.polled(START);
    api.say({ text: "你好" });
    await bot.received(undefined, START);
    api.refuseOnce();
    const words = "很".repeat(3000);
    const long = bot.say([seg.reply("-100987:3"), seg.at("20001"), seg.text(words), seg.image(FILE)], {
      platform: "telegram",
      group: "-100987",
    });
    const parts = [await api.next(), await api.next(), await api.next()];
    assertEquals(parts.map(({ method, chatId, quoted }) => [method, chatId, quoted]), [
      ["sendMessage", "-100987", 3],
      ["sendMessage", "-100987", null],
      ["sendPhoto", "-100987", null],
    ]);
    assertEquals(parts.map((part) => part.text).join(""), `@user_20001 ${words}`);
    assertEquals(parts[2]?.photo, new Uint8Array(FILE));
    assertEquals(await bot.echoed(long), `-100987:${parts[0]?.messageId}`);
    const inPrivate = bot.say("你好", { platform: "telegram", user: "20001" });
    const { chatId, text, messageId } = await api.next();
    assertEquals([chatId, text], ["20001", "你好"]);
    assertEquals(await bot.echoed(inPrivate), `20001:${messageId}`);
  });

  it("ends with 1 when another adapter takes its place", async () => {
    await using bot = newBot();
    await using api = new TelegramApi();
    await using child = telegramAdapter(bot, api);
    await api.polled(START);
    bot.kick("telegram");
    assertEquals((await child.exit(START)).code, 1);
  });

  it("never prints its token", async () => {
    await using bot = newBot();
    await using child = start("examples/telegram_adapter.ts", {
      env: { MAIBOT_URL: bot.listen({ port: 0 }), TELEGRAM_API: "http://127.0.0.1:1", TELEGRAM_TOKEN },
    });
    await child.exit(START);
    const printed = child.lines.join("\n");
    assertMatch(printed, /Telegram can not be reached for getMe/);
    assert(!printed.includes(TELEGRAM_TOKEN), printed);
  });
});
