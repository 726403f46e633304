import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { FakeMaiBot, type FakeMaiBotOptions } from "../../maibot/mod.ts";
import { type MessageBase, plainText, type Seg, seg } from "../../schema.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { ONEBOT_TOKEN, OneBotPeer, type OneBotSegment, PICTURE, SELF_ID } from "../support/peers/onebot_peer.ts";
import {
  currentRuntime,
  type LineProcess,
  runtimeCommand,
  runtimeProgram,
  spawnLines,
} from "../support/peers/process.ts";
import type { SignalName, SpawnOptions } from "../support/peers/process.ts";
import { signalTest } from "../support/peers/program.ts";
import { runtimeTest } from "../support/peers/skip.ts";
import { FILE, TELEGRAM_TOKEN, TelegramApi } from "../support/peers/telegram_api.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const START = { timeoutMs: 60_000 };
const PICTURE_BASE64 = PICTURE.toBase64();

/** Starts a program of this repository in the runtime that runs the tests. */
function start(program: string, options: SpawnOptions, args: readonly string[] = []): LineProcess {
  const [command, flags] = runtimeCommand(currentRuntime, resolve(ROOT, program), args);
  return spawnLines(command, flags, { ...options, env: { NO_COLOR: "1", ...options.env } });
}

/** Starts a program that needs `@std`: those of JSR, or the stand-ins. */
function startInDeno(args: readonly string[]): LineProcess {
  return spawnLines(runtimeProgram("deno"), ["run", "-A", "tests/support/std/run.ts", ...args], {
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
}

// ---------------------------------------------------------------------------------------------- a long conversation

const MESSAGES = 200;
/** Messages that may wait for what becomes of them. */
const WINDOW = 8;
/** MaiBot is killed once so many are settled. */
const KILL_AT = [60, 130];

interface Script {
  /** Has somebody write on the platform. */
  readonly say: (text: string, index: number) => void;
  readonly kill: () => void;
}

/** Numbered messages, each answered or reported lost; a new one is said as soon as there is room. */
class Conversation {
  /** Ids that the answers to a number have on the platform. */
  readonly answers = new Map<number, string[]>();
  readonly reported = new Set<number>();
  readonly #done = Promise.withResolvers<void>();
  #script: Script | null = null;
  #said = 0;
  #kills = 0;

  /** Says everything, and waits until all of it is settled. */
  async hold(script: Script): Promise<void> {
    this.#script = script;
    this.#advance();
    await withTimeout(this.#done.promise, 90_000, () => `a conversation: ${this.#describe()}`);
  }

  answered(text: string, id: string): void {
    const number = numberIn(text);
    this.answers.set(number, [...this.answers.get(number) ?? [], id]);
    this.#advance();
  }

  /** Reads what the adapter prints about messages that are lost, or may be. */
  readonly heard = (line: string): void => {
    if (!line.startsWith("! unconfirmed: ")) return;
    this.reported.add(numberIn(line));
    this.#advance();
  };

  get unanswered(): number[] {
    return Array.from({ length: MESSAGES }, (_, number) => number).filter((number) => !this.answers.has(number));
  }

  get #settled(): number {
    return new Set([...this.answers.keys(), ...this.reported]).size;
  }

  #advance(): void {
    const settled = this.#settled;
    if (settled === MESSAGES) this.#done.resolve();
    if (settled >= (KILL_AT[this.#kills] ?? Infinity)) {
      this.#kills++;
      this.#script?.kill();
    }
    while (this.#said < MESSAGES && this.#said - settled < WINDOW) {
      const number = this.#said++;
      this.#script?.say(`m${number}.`, number);
    }
  }

  #describe(): string {
    const open = this.unanswered.filter((number) => number < this.#said && !this.reported.has(number));
    return `${this.#said} said, ${this.answers.size} answered, ${this.reported.size} reported, open: ${open}`;
  }
}

function numberIn(text: string): number {
  return Number(/m(\d+)\./.exec(text)?.[1]);
}

function answer(message: MessageBase): Seg[] {
  return [seg.reply(message.message_info.message_id ?? ""), seg.text(`re ${plainText(message)}`)];
}

/** Killed, not closed: what is under way is lost, and the port is dead for a while. */
function kill(bot: FakeMaiBot, restarts: Promise<void>[]): void {
  bot.cut();
  restarts.push(bot.restart({ downtime: 200 }));
}

function newBot(options: FakeMaiBotOptions = {}): FakeMaiBot {
  return new FakeMaiBot({ closeTimeout: 500, ...options });
}

/** The program `maibot/main.ts`, which can be killed and started again on its port. */
class BotProgram implements AsyncDisposable {
  readonly #children: LineProcess[] = [];
  /** Where it listens. */
  url = "";

  /** Starts it on a free port, or again on the one it had. */
  async start(): Promise<void> {
    const port = this.url === "" ? "0" : new URL(this.url).port;
    const child = start("maibot/main.ts", { env: { LC_ALL: "en_US.UTF-8" } }, ["--port", port, "--echo"]);
    this.#children.push(child);
    this.url = await child.line(/^ws:/, START);
  }

  /** Ends it without a word, and starts it again. */
  async restart(): Promise<void> {
    this.signal("SIGKILL");
    await this.#children.at(-1)?.exit();
    await this.start();
  }

  /** Sends a signal to the life it has now. */
  signal(name: SignalName): void {
    this.#children.at(-1)?.kill(name);
  }

  /** All that its lives have printed. */
  get lines(): readonly string[] {
    return this.#children.flatMap(({ lines }) => lines);
  }

  /** Waits until one of its lives has printed a line that fits. */
  async printed(fits: RegExp): Promise<void> {
    if (this.lines.some((line) => fits.test(line))) return;
    await this.#children.at(-1)?.line(fits);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await child[Symbol.asyncDispose]();
  }
}

/** Every message settled, every echo of an answer back, nothing that MaiBot would refuse, nothing sent twice. */
async function assertWhole(conversation: Conversation, bot: FakeMaiBot, child: LineProcess): Promise<void> {
  const { answers } = conversation;
  assertSettled(conversation, child);
  for (const message of bot.sent) {
    const [id] = answers.get(numberIn(plainText(message))) ?? [];
    if (id !== undefined) assertEquals(await bot.echoed(message), id);
  }
  const messages = bot.receipts.filter(({ kind }) => kind === "message");
  assertEquals(messages.filter(({ isAccepted, issues }) => !isAccepted || issues.length > 0), []);
  const ids = messages.map(({ message }) => message?.message_info.message_id);
  assertEquals(new Set(ids).size, ids.length);
}

/** The same of a bot that was killed: all that is known of it is what its lives have printed. */
async function assertWholeOf(conversation: Conversation, bot: BotProgram, child: LineProcess): Promise<void> {
  assertSettled(conversation, child);
  for (const [id] of conversation.answers.values()) await bot.printed(new RegExp(`message_id_echo.* -> ${id}$`));
  const verdicts = bot.lines.filter((line) => line.startsWith("< ") && !line.includes("{message_id_echo}"));
  assertEquals(verdicts.filter((line) => !line.includes(" ✓ ")), []);
  const numbers = verdicts.map(numberIn);
  assertEquals(new Set(numbers).size, numbers.length);
}

/** Every message answered or reported, no answer twice, nothing else complained about. */
function assertSettled({ answers, reported, unanswered }: Conversation, child: LineProcess): void {
  assertEquals(unanswered.filter((number) => !reported.has(number)), []);
  assert(unanswered.length <= 2 * WINDOW * KILL_AT.length, `${unanswered.length} are unanswered`);
  assert(reported.size > 0, "nothing was in doubt");
  assertEquals([...answers].filter(([, ids]) => ids.length > 1), []);
  assertEquals(child.lines.filter((line) => /^! (?!unconfirmed: )/.test(line)), []);
}

function contentOf(message: MessageBase | null): unknown {
  return message?.message_segment.data;
}

// ---------------------------------------------------------------------------------------------- OneBot

function oneBotAdapter(bot: FakeMaiBot, peer: OneBotPeer, options: SpawnOptions = {}): LineProcess {
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
    const { message, isAccepted, issues } = await bot.received(undefined, START);
    assertEquals([isAccepted, issues], [true, []]);
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
    assertEquals(additional_config, { is_mentioned: true, at_bot: true });
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
    assertEquals(message?.message_info.additional_config, undefined);
  });

  it("keeps to the order in which messages came, and outlives what is none", async () => {
    await using bot = newBot();
    await using peer = new OneBotPeer();
    await using child = oneBotAdapter(bot, peer);
    await ready(child, peer);
    for (const noise of ["{", "null", { post_type: "notice", notice_type: "group_upload" }, { echo: "unknown" }]) {
      peer.tell(noise);
    }
    peer.say([text("from the bot itself")], { user: SELF_ID });
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

// ---------------------------------------------------------------------------------------------- Telegram

function telegramAdapter(bot: FakeMaiBot, api: TelegramApi, options: SpawnOptions = {}): LineProcess {
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
      found.push([plainText(message), message.message_info.additional_config !== undefined]);
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
    const { message, isAccepted, issues } = await bot.received(undefined, START);
    assertEquals([isAccepted, issues], [true, []]);
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
    assertEquals(additional_config, { is_mentioned: true, at_bot: true });
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

// ---------------------------------------------------------------------------------------------- echo bot and chat

/** Lets the echo bot of a folder talk to the program that stands in for MaiBot. */
async function talkTo(folder: string): Promise<void> {
  await using bot = start("maibot/main.ts", { env: { LC_ALL: "en_US.UTF-8" } }, ["--port", "0", "--answer", "嗯"]);
  const MAIBOT_URL = await bot.line(/^ws:/, START);
  await using child = start(join(folder, "echo_bot.ts"), { cwd: folder, env: { MAIBOT_URL } });
  assertEquals(await child.exit(START), { code: 0, signal: null });
  assertEquals(child.lines, [
    "user: hello",
    ...["MaiBot: 嗯", "user: echo: 嗯"],
    ...["MaiBot: 嗯", "user: echo: 嗯"],
    ...["MaiBot: 嗯", "user: echo: 嗯"],
    "MaiBot: 嗯",
  ]);
  await bot.line(/^- echo/);
  const heard = bot.lines.filter((line) => line.startsWith("< "));
  assertEquals(heard.filter((line) => !line.includes(" ✓ ")), []);
  assertEquals(heard.filter((line) => line.includes("message_id_echo")).length, 4);
}

describe("examples/echo_bot.ts", () => {
  it("is under 40 lines", async () => {
    const source = await readFile(`${ROOT}examples/echo_bot.ts`, "utf8");
    assert(source.trimEnd().split("\n").length < 40);
  });

  it("says so and ends with 1 when MaiBot may not have got what it said", async () => {
    await using bot = newBot();
    await using child = start("examples/echo_bot.ts", { env: { MAIBOT_URL: bot.listen({ port: 0 }) } });
    await bot.received(undefined, START);
    bot.cut();
    assertEquals(await child.exit(START), { code: 1, signal: null });
    assertEquals(child.lines, ["user: hello", "lost, or in doubt: unconfirmed"]);
  });

  it("talks to maibot/main.ts and ends with 0", async () => {
    await talkTo(`${ROOT}examples/`);
  });

  it("talks to maibot/main.ts from a fresh folder that knows the package by name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "maim-echo-"));
    try {
      const [main, maibot] = [`${ROOT}mod.ts`, `${ROOT}maibot/mod.ts`];
      const imports = { "@maim/message": pathToFileURL(main).href, "@maim/message/maibot": pathToFileURL(maibot).href };
      const paths = { "@maim/message": [main], "@maim/message/maibot": [maibot] };
      await writeFile(join(folder, "deno.json"), JSON.stringify({ imports }));
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { paths } }));
      await copyFile(`${ROOT}examples/echo_bot.ts`, join(folder, "echo_bot.ts"));
      await talkTo(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("examples/chat.ts", () => {
  runtimeTest("deno", "talks to its stand-in and ends with the input", async () => {
    await using child = startInDeno(["run", "-A", "examples/chat.ts", "--user", "小明"]);
    await child.line(/^\(open\)/, START);
    child.write("你好\n");
    await child.line(/^麦麦 You said: 你好$/);
    child.endInput();
    assertEquals(await child.exit(START), { code: 0, signal: null });
  });

  runtimeTest("deno", "takes its input from a pipe that ends at once", async () => {
    await using child = startInDeno(["run", "-A", "examples/chat.ts"]);
    child.write("你好");
    child.endInput();
    assertEquals(await child.exit(START), { code: 0, signal: null });
    const words = child.lines.filter((line) => !/^(?:@std|\()/.test(line));
    assertEquals(words.filter((line) => line !== "麦麦 You said: 你好"), []);
  });

  runtimeTest("deno", "talks to a MaiBot in a group", async () => {
    await using bot = newBot({ answers: ["在的"], tokens: ["secret"] });
    const url = bot.listen({ port: 0 });
    await using child = startInDeno([
      ...["run", "-A", "examples/chat.ts", "--url", url, "--token", "secret", "--group", "987", "--platform", "tty"],
    ]);
    await child.line(/^\(open\)/, START);
    child.write("在吗\n");
    const { message, isAccepted } = await bot.received();
    assertEquals([isAccepted, message?.message_info.group_info?.group_id], [true, "987"]);
    assertEquals(message?.message_info.additional_config, { is_mentioned: true, at_bot: true });
    await child.line(/^麦麦 in 987 在的$/);
    child.endInput();
    assertEquals((await child.exit(START)).code, 0);
  });

  runtimeTest("deno", "ends with 1 when nobody is there", async () => {
    await using child = startInDeno(["run", "-A", "examples/chat.ts", "--url", "ws://127.0.0.1:1/ws"]);
    assertEquals((await child.exit(START)).code, 1);
  });
});

describe("examples/", () => {
  runtimeTest("deno", "has the right types", async () => {
    const names = ["echo_bot", "onebot_adapter", "telegram_adapter", "chat"].map((name) => `examples/${name}.ts`);
    await using child = startInDeno(["check", ...names]);
    const { code } = await child.exit({ timeoutMs: 120_000 });
    assertEquals(code, 0, child.lines.join("\n"));
  });
});
