import type { FlagTexts } from "../../util/program.ts";
import type { MaibotLevel } from "../rules.ts";

/** What the program says, in one language. */
export interface ProgramTexts extends FlagTexts {
  readonly help: string;
  /** Stands before a mistake. */
  readonly error: string;
  readonly echoOrAnswer: string;
  readonly port: (text: string) => string;
  readonly token: string;
  readonly path: string;
  readonly accountEmpty: string;
  readonly botForm: string;
  readonly accountOrBot: string;
  readonly version: (text: string) => string;
  readonly answerEmpty: string;
  readonly portTaken: string;
  readonly addressForeign: string;
  readonly addressUnknown: string;
  readonly forbidden: string;
  readonly runAgain: string;
  readonly accepted: string;
  /** For what MaiBot takes and cannot answer. */
  readonly stored: string;
  /** For an adapter that sends the bot's own messages back. */
  readonly loop: string;
  /** For what MaiBot drops without a word. */
  readonly silent: string;
  readonly levels: Readonly<Record<MaibotLevel, string>>;
  /** For the issues that are not printed; there may be more than that. */
  readonly more: (count: number, isLeast: boolean) => string;
}

const EN: ProgramTexts = {
  help: `Stands in for MaiBot, and says of each message what MaiBot would do with it.

Usage: deno run -A maibot/main.ts [flags]      (or: bun maibot/main.ts [flags])

  --host ADDRESS   address to bind (default 127.0.0.1; 0.0.0.0 is every interface)
  --port PORT      port to bind, 0 picks a free one (default 8000, as MaiBot)
  --path PATH      path of the WebSocket (default /ws)
  --token TOKEN    lets this token in; repeat it for several; without one everybody is let in
  --maibot VERSION the version of MaiBot: 1.3.15 (default; 1.3.10 and newer) or 1.2.1 (all that are older)
  --account ID     the bot's account on every platform (default 777)
  --bot PLATFORM:ID  the bot's account on one platform, as qq:777; repeat it for several; other platforms are then not
                   configured
  --echo           answers each message that MaiBot would answer with its own content
  --answer TEXT    answers each message that MaiBot would answer with this text
  --quiet          prints the URL only
  --help           prints this

The language is that of LC_ALL, LC_MESSAGES or LANG: Chinese for zh, else English.
`,
  error: "error: ",
  flagUnknown: (flag) => `unknown flag ${flag}; --help lists them`,
  flagValue: "a flag lacks its value or has one too many; --help lists them",
  echoOrAnswer: "--echo and --answer cannot be used together",
  port: (text) => `--port must be from 0 to 65535: received ${text}`,
  token: "--token must not be empty",
  path: '--path must start with "/" and hold neither "?" nor "#"',
  accountEmpty: "--account must not be empty",
  botForm: "--bot must be PLATFORM:ID, as qq:777",
  accountOrBot: "--account and --bot cannot be used together",
  version: (text) => `--maibot must be 1.3.15 or 1.2.1: received ${text}`,
  answerEmpty: "--answer must not be empty",
  portTaken: "the port is taken; choose another with --port, or 0 for a free one",
  addressForeign: "this machine does not have that address; see --host",
  addressUnknown: "the address to bind is not known; see --host",
  forbidden: "the system does not permit it",
  runAgain: "run it again as: deno run -A maibot/main.ts",
  accepted: "MaiBot takes it",
  stored: "MaiBot stores it and does not answer",
  loop:
    "the adapter sends the bot's own messages back: no more answers in this chat until somebody else writes. Take " +
    "the recipient from replyTarget(message), and do not forward what the bot has sent",
  silent: "MaiBot drops it and logs nothing",
  levels: { drop: "drop", unanswered: "no answer", damage: "damage", warn: "warning" },
  more: (count, isLeast) => `… and ${isLeast ? "at least " : ""}${count} more`,
};

const ZH: ProgramTexts = {
  help: `模拟 MaiBot，并说明每条消息到了 MaiBot 会怎样。

用法：deno run -A maibot/main.ts [参数]      （或：bun maibot/main.ts [参数]）

  --host 地址      监听地址（默认 127.0.0.1；0.0.0.0 为所有网卡）
  --port 端口      监听端口，0 为任选空闲端口（默认 8000，与 MaiBot 相同）
  --path 路径      WebSocket 路径（默认 /ws）
  --token 令牌     允许该令牌连接；可重复；不写则不检查令牌
  --maibot 版本    模拟的 MaiBot 版本：1.3.15（默认，1.3.10 起）或 1.2.1（更早的版本）
  --account 账号   机器人在所有平台上的账号（默认 777）
  --bot 平台:账号  机器人在某个平台上的账号，如 qq:777；可重复；写了之后，其他平台视为未配置
  --echo           对 MaiBot 会回复的消息，原样回复其内容
  --answer 文本    对 MaiBot 会回复的消息，回复这段文本
  --quiet          只打印 URL
  --help           打印本说明

语言取自 LC_ALL、LC_MESSAGES 或 LANG：zh 为中文，其余为英文。
`,
  error: "错误：",
  flagUnknown: (flag) => `未知参数 ${flag}；用 --help 查看全部参数`,
  flagValue: "某个参数缺少值，或多了一个值；用 --help 查看全部参数",
  echoOrAnswer: "--echo 与 --answer 不能同时使用",
  port: (text) => `--port 必须在 0 到 65535 之间：收到 ${text}`,
  token: "--token 不能为空",
  path: '--path 必须以 "/" 开头，且不含 "?" 与 "#"',
  accountEmpty: "--account 不能为空",
  botForm: "--bot 应为 平台:账号，例如 qq:777",
  accountOrBot: "--account 与 --bot 不能同时使用",
  version: (text) => `--maibot 必须是 1.3.15 或 1.2.1：收到 ${text}`,
  answerEmpty: "--answer 不能为空",
  portTaken: "端口已被占用；用 --port 换一个，0 为任选空闲端口",
  addressForeign: "本机没有这个地址；见 --host",
  addressUnknown: "无法识别要监听的地址；见 --host",
  forbidden: "系统不允许",
  runAgain: "请这样重新运行：deno run -A maibot/main.ts",
  accepted: "MaiBot 会接受",
  stored: "MaiBot 会存下，但不会回复",
  loop:
    "适配器把机器人自己的消息又发了回来：在别人说话之前，这个会话不再回复。请用 replyTarget(message) 取得回复对象，" +
    "也不要转发机器人自己发出的消息",
  silent: "MaiBot 会丢弃它，且不写日志",
  levels: { drop: "丢弃", unanswered: "不会回复", damage: "损坏", warn: "提醒" },
  more: (count, isLeast) => `……还有${isLeast ? "至少" : ""} ${count} 处`,
};

/** Chooses the language, by the variables in the order in which the C library looks at them. */
export function isChinese(env: Readonly<Record<string, string | undefined>>, fallback: string): boolean {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || fallback;
  return locale.toLowerCase().startsWith("zh");
}

/** What the program says in a language. */
export function textsOf(language: "en" | "zh"): ProgramTexts {
  return language === "zh" ? ZH : EN;
}
