/**
 * All adapters at once, and MaiBot's restart.
 * @module
 */

import { deepStrictEqual as assertEquals, match as assertMatch } from "node:assert/strict";

import { ACCOUNTS, TOKEN } from "./config.ts";
import { expectAnswer, knowsId, quote, say, type Stage, talk } from "./conversations.ts";
import { FirstPlatform } from "./first_platform.ts";
import type { Platform } from "./platform.ts";
import { Relay } from "./relay.ts";

/** Makes the bridges that dial a MaiBot. */
export type MakeBridges = (stage: Stage, url: string) => Platform[];

const USERS = { deno: "30001", bun: "30002" } as const;

/** Each platform's user writes; then each must get the own answer. */
async function talkAtOnce(stage: Stage, platforms: readonly Platform[], user: string): Promise<void> {
  for (const platform of platforms) say(stage, platform, user, { text: `one ${platform.name}` });
  for (const platform of platforms) {
    await expectAnswer(stage, platform, `user ${user}`, `You said: one ${platform.name}`);
  }
}

async function restart(stage: Stage, relay: Relay, platforms: readonly Platform[], user: string): Promise<void> {
  const { maibot, transcript } = stage;
  const { code } = await maibot.stop();
  relay.target = null;
  transcript.line("MaiBot", `has ended with ${code}`);
  for (const platform of platforms) await platform.waiting();
  for (const platform of platforms) say(stage, platform, user, { text: `two ${platform.name}` });
  await maibot.start();
  relay.target = maibot.port;
  transcript.line("MaiBot", "runs again, on another port");
  for (const platform of platforms) {
    await platform.connected();
    await expectAnswer(stage, platform, `user ${user}`, `You said: two ${platform.name}`);
  }
  assertEquals(code, 0);
}

/** Holds the conversations of all adapters of one runtime, with a restart between them. */
export async function holdRestart(stage: Stage, makeBridges: MakeBridges): Promise<void> {
  const { runtime, maibot, transcript } = stage;
  const user = USERS[runtime];
  const hold = (name: string, conversation: () => Promise<void>) =>
    transcript.hold(`${runtime}, all platforms: ${name}`, conversation);
  await using relay = await Relay.listen();
  relay.target = maibot.port;
  await using stack = new AsyncDisposableStack();
  const options = { url: relay.url, token: TOKEN, account: ACCOUNTS.my_platform };
  const platforms = [new FirstPlatform(runtime, options), ...makeBridges(stage, relay.url)];
  for (const platform of platforms) stack.use(platform);
  const ids = new Map<Platform, string>();
  await hold("connect", async () => {
    for (const platform of platforms) await platform.connected();
  });
  await hold("talk at once", () => talkAtOnce(stage, platforms, user));
  await hold("MaiBot learns the ids of its answers", async () => {
    for (const platform of platforms) {
      const { id } = await talk(stage, platform, user, { text: "zero" }, "You said: zero");
      await knowsId(stage, id);
      ids.set(platform, id);
    }
  });
  await hold("MaiBot restarts, and answers what was written meanwhile", () => restart(stage, relay, platforms, user));
  for (const [platform, id] of ids) {
    await hold(`a quote of an answer from before the restart, on ${platform.name}`, async () => {
      assertMatch(await quote(stage, platform, user, id), /^\[回复了麦麦的消息: (zero )?You said: zero\]$/);
    });
  }
}
