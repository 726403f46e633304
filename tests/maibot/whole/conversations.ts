/**
 * Conversations that every adapter must be able to carry.
 * @module
 */

import { deepStrictEqual as assertEquals, match as assertMatch } from "node:assert/strict";

import type { RuntimeName } from "../../support/peers/process.ts";
import type { MaiBot } from "./instance.ts";
import { PICTURE } from "./media.ts";
import { ANSWER, ASIDE, fingerprint, SEND_BACK } from "./mind.ts";
import { describe, describeHeard, type Heard, type Platform, type Utterance } from "./platform.ts";
import type { Transcript } from "./transcript.ts";

/** Where conversations are held. */
export interface Stage {
  readonly runtime: RuntimeName;
  readonly maibot: MaiBot;
  readonly transcript: Transcript;
}

/** The user of each runtime: no conversation goes on from one runtime to the next. */
export const USERS: Readonly<Record<RuntimeName, string>> = { deno: "20001", bun: "20002" };
const GROUPS: Readonly<Record<RuntimeName, string>> = { deno: "901", bun: "902" };
/** So many messages of one user in a row make MaiBot certain to quote the first, if it answers that one. */
const BURST = 16;

let questions = 0;

/** Has a user write; returns the id of that. */
export function say({ transcript }: Stage, platform: Platform, user: string, utterance: Utterance): string {
  transcript.said(platform.name, user, utterance.group, describe(utterance));
  return platform.say(user, utterance);
}

/** Takes the next message of MaiBot. */
export async function hear({ transcript }: Stage, platform: Platform): Promise<Heard> {
  const heard = await platform.hear();
  transcript.heard(platform.name, heard.to, describeHeard(heard));
  return heard;
}

/** Takes the next message of MaiBot, which must have these words for this chat. */
export async function expectAnswer(stage: Stage, platform: Platform, to: string, text: string): Promise<Heard> {
  const heard = await hear(stage, platform);
  assertEquals([heard.to, heard.text], [to, text]);
  return heard;
}

/** Has a user write in private, and expects the answer there. */
export async function talk(
  stage: Stage,
  platform: Platform,
  user: string,
  utterance: Utterance,
  text: string,
): Promise<Heard> {
  say(stage, platform, user, utterance);
  return await expectAnswer(stage, platform, `user ${user}`, text);
}

async function talkInGroup(stage: Stage, platform: Platform, user: string): Promise<void> {
  const group = GROUPS[stage.runtime];
  say(stage, platform, user, { group, isMention: true, text: " hello all" });
  await expectAnswer(stage, platform, `group ${group}`, `You said: ${platform.shows.mention} hello all`);
}

/** MaiBot sends the words and the picture as two messages. */
async function getPictureBack(stage: Stage, platform: Platform, user: string): Promise<void> {
  await talk(stage, platform, user, { text: SEND_BACK }, "Here it is");
  const { to, pictures } = await hear(stage, platform);
  assertEquals([to, pictures], [`user ${user}`, [fingerprint(PICTURE)]]);
}

/** Has a user quote a message; returns what MaiBot takes that for. */
export async function quote(stage: Stage, platform: Platform, user: string, id: string): Promise<string> {
  const question = `what is ${++questions}?`;
  say(stage, platform, user, { quote: id, text: question });
  const line = await stage.maibot.logged(new RegExp(`\\[回复了.*\\] what is ${questions}\\?`));
  const quoted = /\[回复了.*\]/.exec(line)?.[0] ?? "";
  stage.transcript.line("MaiBot logs", quoted);
  await expectAnswer(stage, platform, `user ${user}`, `You said: ${question}`);
  return quoted;
}

/** Waits until MaiBot knows a message by its id on the platform: it does not keep the order of what it gets. */
export async function knowsId({ maibot, transcript }: Stage, id: string): Promise<void> {
  await maibot.logged(new RegExp(`收到回送消息ID: \\S+ -> ${id}$`));
  transcript.line("MaiBot logs", `收到回送消息ID: … -> ${id}`);
}

/** A user quotes an answer by the id it has on the platform, which MaiBot knows only from the echo. */
async function quoteAnAnswer(stage: Stage, platform: Platform, user: string): Promise<void> {
  const { id } = await talk(stage, platform, user, { text: "say something" }, "You said: say something");
  await knowsId(stage, id);
  const quoted = await quote(stage, platform, user, id);
  // By chance the answer quotes as well, and MaiBot keeps that in the text of the answer.
  assertMatch(quoted, /^\[回复了麦麦的消息: (say something )?You said: say something\]$/);
}

async function getQuoted(stage: Stage, platform: Platform, user: string): Promise<void> {
  const { maibot, runtime } = stage;
  const words = `the first of ${BURST} on ${platform.name}, ${runtime}`; // no other line of the log has them
  const id = say(stage, platform, user, { text: `${ASIDE}${words}` });
  await maibot.logged(new RegExp(`${words}$`)); // one by one: it does not keep the order of what it gets
  for (let number = 2; number < BURST; number++) {
    platform.say(user, { text: `${ASIDE}${number} after ${words}` });
    await maibot.logged(new RegExp(`${number} after ${words}$`));
  }
  const question = { text: `${ANSWER}${ASIDE}${words}` };
  const { quoted } = await talk(stage, platform, user, question, `You said: ${ASIDE}${words}`);
  assertEquals(quoted, id);
}

/** Holds every conversation with one adapter. */
export async function holdConversations(stage: Stage, platform: Platform): Promise<void> {
  const user = USERS[stage.runtime];
  const { picture, voice, file } = platform.shows;
  const hold = (name: string, conversation: () => Promise<unknown>) =>
    stage.transcript.hold(`${stage.runtime}, ${platform.name}: ${name}`, conversation);
  const simple = (utterance: Utterance, text: string) => () => talk(stage, platform, user, utterance, text);
  await hold("connects", () => platform.connected());
  await hold("private chat", simple({ text: "hello" }, "You said: hello"));
  await hold("group, with a mention", () => talkInGroup(stage, platform, user));
  await hold("picture", simple({ attached: "picture", text: "look" }, `You said: ${picture}look`));
  await hold("the picture comes back", () => getPictureBack(stage, platform, user));
  if (voice !== null) await hold("voice", simple({ attached: "voice" }, `You said: ${voice}`));
  await hold("file", simple({ attached: "file" }, `You said: ${file}`));
  await hold("id echo, and a quote by that id", () => quoteAnAnswer(stage, platform, user));
  await hold(`MaiBot quotes the first of ${BURST} messages`, () => getQuoted(stage, platform, user));
  await hold("/clear without permission", simple({ text: "/clear" }, "你没有权限使用此命令。"));
}
