/**
 * `FakeMaiBot`, a simulated MaiBot for developing and testing adapters. It runs on Deno and Bun.
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
 * The simulated MaiBot can also be run as a program: `deno run -A maibot/main.ts --help`.
 *
 * @module
 */

export type { SayContent } from "./bot_message.ts";
export type { SayTarget } from "./destination.ts";
export type { FakeMaiBotEnd, FakeMaiBotEvents, MaibotReceipt } from "./events.ts";
export { FakeMaiBot } from "./fake.ts";
export type { MaibotWaitOptions } from "./inbox.ts";
export type { MaibotLogLevel, MaibotLogLine } from "./log.ts";
export type {
  DisconnectOptions,
  FakeMaiBotListenOptions,
  FakeMaiBotOptions,
  MaibotAnswer,
  MaibotAnswers,
  MaibotChat,
  MaibotPolicy,
  RestartOptions,
} from "./options.ts";
