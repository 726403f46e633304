/**
 * Conversations of the first adapter alone.
 * @module
 */

import { deepStrictEqual as assertEquals } from "node:assert/strict";

import { ACCOUNTS, OPERATOR, TOKEN } from "./config.ts";
import { holdConversations, say, type Stage, talk, USERS } from "./conversations.ts";
import { startExample } from "./examples.ts";
import { FirstPlatform } from "./first_platform.ts";
import { ANSWER } from "./platform.ts";

const ACCOUNT = ACCOUNTS.my_platform;
const FORBIDDEN = "你没有权限使用此命令。";

async function leave(platform: FirstPlatform): Promise<void> {
  assertEquals(await platform.leave(), { code: 0, signal: null });
}

/** Tells what becomes of a message whose adapter has forgotten the account. */
async function forgetAccount(stage: Stage): Promise<void> {
  const { runtime, maibot, transcript } = stage;
  await using platform = new FirstPlatform(runtime, { url: maibot.url, token: TOKEN });
  await platform.connected();
  const stranger = `${USERS[runtime]}0`;
  say(stage, platform, stranger, { text: "hello?" });
  await maibot.logged(new RegExp(`\\[user ${stranger}的私聊\\] 回复工具未生成可见消息`));
  transcript.line("MaiBot logs", (await maibot.logged(/ValueError: 固定引用规则需要明确的 bot 发送账号/)).trim());
  // A command is answered without a model, and so without a quote. Had there been an answer, it would come before.
  await talk(stage, platform, stranger, { text: "/clear" }, FORBIDDEN);
  await leave(platform);
  for (const text of platform.warnings) transcript.line("the library warns", text);
}

async function useWrongToken({ runtime, maibot, transcript }: Stage): Promise<void> {
  await using platform = new FirstPlatform(runtime, { url: maibot.url, account: ACCOUNT, token: "wrong" });
  const code = await platform.refused();
  transcript.line("adapter is refused", code);
  assertEquals([code, (await platform.exit()).code], ["unauthorized", 1]);
}

/** `examples/echo_bot.ts`: it greets, repeats three answers, and leaves after the fourth. */
async function runEchoBot({ runtime, maibot, transcript }: Stage): Promise<void> {
  await using child = startExample(runtime, "echo_bot.ts", maibot.url);
  const { code } = await child.exit(ANSWER);
  for (const line of child.lines) transcript.line("echo_bot.ts", line);
  const answers = child.lines.filter((line) => line.startsWith("MaiBot: "));
  assertEquals([code, answers.length, answers[0]?.endsWith("You said: hello")], [0, 4, true]);
}

/** Holds every conversation of the first adapter in one runtime. */
export async function holdFirstConversations(stage: Stage): Promise<void> {
  const { runtime, maibot, transcript } = stage;
  const hold = (name: string, conversation: () => Promise<unknown>) =>
    transcript.hold(`${runtime}, my_platform: ${name}`, conversation);
  {
    await using platform = new FirstPlatform(runtime, { url: maibot.url, account: ACCOUNT, token: TOKEN });
    await holdConversations(stage, platform);
    await hold("/clear with permission", () => talk(stage, platform, OPERATOR, { text: "/clear" }, "我暂时失忆了"));
    await hold("leaves", () => leave(platform));
  }
  await hold("no answer without an account", () => forgetAccount(stage));
  await hold("wrong token", () => useWrongToken(stage));
  await transcript.hold(`${runtime}, echo: the echo bot`, () => runEchoBot(stage));
}
