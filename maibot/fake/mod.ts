/**
 * A stand-in for MaiBot to develop and test adapters against: `FakeMaiBot`. Runs on Deno and Bun.
 *
 * ```ts
 * import { MessageClient } from "@maim/message";
 * import { FakeMaiBot } from "@maim/message/maibot/fake";
 *
 * await using bot = new FakeMaiBot({ answers: ["你好！"] });
 * await using adapter = new MessageClient(bot.listen({ port: 0 }), { platform: "qq", account: "777" });
 * await adapter.connect();
 * adapter.sendText("在吗？", { user: "10001" });
 * const { isAnswerable } = await bot.received();
 * console.log(isAnswerable); // true
 * ```
 *
 * As a program: `deno run -A maibot/main.ts --help`.
 *
 * @module
 */

export type { SayTarget } from "./destination.ts";
export { FakeMaiBot } from "./fake.ts";
export type { MaibotLogLevel, MaibotLogLine } from "./log.ts";
export type {
  DisconnectOptions,
  FakeMaiBotEnd,
  FakeMaiBotEvents,
  FakeMaiBotListenOptions,
  FakeMaiBotOptions,
  MaibotAnswer,
  MaibotAnswers,
  MaibotChat,
  MaibotPolicy,
  MaibotReceipt,
  RestartOptions,
} from "./options.ts";
export type { MaibotWaitOptions } from "./inbox.ts";
export type { SayContent } from "./bot_message.ts";
