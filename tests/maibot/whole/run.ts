/**
 * Lets our adapters talk with a whole MaiBot, in Deno and in Bun:
 *
 *     deno task maibot [--maibot=VERSION] [deno] [bun]
 *
 * Takes the Python of `MAIM_MAIBOT_PYTHON`, else installs that version of MaiBot from PyPI. MaiBot starts only once a
 * person has accepted its licence by the variables `EULA_AGREE` and `PRIVACY_AGREE`: nothing here sets them, which is
 * why this is no part of `deno task test`.
 *
 * Exit codes: 0 every conversation held, 1 one did not, or MaiBot may not or can not be started.
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";

import { OneBotPeer } from "../../support/peers/onebot_peer.ts";
import { runtimeIssue, type RuntimeName } from "../../support/peers/process.ts";
import { TelegramApi } from "../../support/peers/telegram_api.ts";
import { PINNED_VERSION } from "../oracle/python.ts";
import { holdConversations, type Stage } from "./conversations.ts";
import { holdFirstConversations } from "./first_conversations.ts";
import { MaiBot } from "./instance.ts";
import { licenceIssue } from "./licence.ts";
import { FakeModel } from "./model.ts";
import { OneBotPlatform } from "./onebot_platform.ts";
import { findMaiBot, type InstalledMaiBot } from "./python.ts";
import { holdRestart, type MakeBridges } from "./restart.ts";
import { TelegramFront } from "./telegram_front.ts";
import { TelegramPlatform } from "./telegram_platform.ts";
import { Transcript } from "./transcript.ts";

const RUNTIMES: readonly RuntimeName[] = ["deno", "bun"];
const LOG_LINES = 25;
/** Lines of MaiBot's log that do not help to understand a failure. */
const NOISE = /\[ +DEBUG\]|\[httpx2\]|缓存 |表达方式选择/;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function holdIn(stage: Stage, makeBridges: MakeBridges): Promise<void> {
  await holdFirstConversations(stage);
  {
    await using stack = new AsyncDisposableStack();
    const bridges = makeBridges(stage, stage.maibot.url).map((bridge) => stack.use(bridge));
    for (const bridge of bridges) await holdConversations(stage, bridge);
  }
  await holdRestart(stage, makeBridges);
}

async function holdAll(installed: InstalledMaiBot, runtimes: readonly RuntimeName[]): Promise<number> {
  await using model = await FakeModel.listen();
  await using maibot = await MaiBot.create(installed, model.url);
  await using onebot = new OneBotPeer({ reportsOwn: true });
  await using telegram = new TelegramApi();
  await using front = await TelegramFront.listen(telegram.url);
  const makeBridges: MakeBridges = ({ runtime }, url) => [
    new OneBotPlatform(runtime, url, onebot),
    new TelegramPlatform(runtime, url, telegram, front.url),
  ];
  const transcript = new Transcript(print, () => maibot.lines.filter((line) => !NOISE.test(line)).slice(-LOG_LINES));
  await transcript.hold(`MaiBot ${installed.version} starts`, () => maibot.start());
  for (const runtime of runtimes) {
    if (!maibot.isRunning) break; // it has not started, or not again
    await holdIn({ runtime, maibot, transcript }, makeBridges);
  }
  const { passed, failed } = transcript.totals;
  print(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const options = { maibot: { type: "string", default: PINNED_VERSION } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const runtimes = RUNTIMES.filter((runtime) => positionals.length === 0 || positionals.includes(runtime));
  const issue = runtimes.map(runtimeIssue).find((issue) => issue !== null);
  const installed = await findMaiBot(values.maibot, print);
  const problem = licenceIssue(installed.resources) ?? issue;
  if (problem === undefined) return await holdAll(installed, runtimes);
  print(problem);
  return 1;
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  print(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
