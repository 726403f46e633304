import type { FlagTexts } from "../../util/program.ts";
import type { MaibotLevel } from "../rules.ts";

/** The texts of the program in one language. */
export interface ProgramTexts extends FlagTexts {
  readonly help: string;
  /** The beginning of every error text. */
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
  readonly portInUse: string;
  readonly addressNotLocal: string;
  readonly addressUnknown: string;
  readonly forbidden: string;
  readonly runAgain: string;
  /** Printed for a message that MaiBot accepts and can answer. */
  readonly accepted: string;
  /** Printed for a message that MaiBot accepts, but cannot answer. */
  readonly stored: string;
  /** Printed if an adapter sends the bot's own messages back to it. */
  readonly loop: string;
  /** Printed for a message that MaiBot drops without a log line. */
  readonly droppedSilently: string;
  readonly levels: Readonly<Record<MaibotLevel, string>>;
  /** Says how many more issues there are, which are not printed. */
  readonly more: (count: number) => string;
  /** Says how many more issues there are at least, which are not printed. Used if the exact number is not known. */
  readonly moreAtLeast: (count: number) => string;
}

const EN: ProgramTexts = {
  help: `Simulates MaiBot, and prints for each message what MaiBot would do with it.

Usage: deno run -A maibot/main.ts [flags]      (or: bun maibot/main.ts [flags])

  --host ADDRESS   address to listen on (default 127.0.0.1; 0.0.0.0 for every interface)
  --port PORT      port to listen on; 0 picks a free one (default 8000, as MaiBot)
  --path PATH      path of the WebSocket (default /ws)
  --token TOKEN    lets this token in; may be repeated; without it every adapter is let in
  --maibot VERSION version of MaiBot to simulate: 1.3.15 (default; 1.3.10 and newer) or 1.2.1 (older versions)
  --account ID     the bot's account on every platform (default 777)
  --bot PLATFORM:ID  the bot's account on one platform, such as qq:777; may be repeated; the bot then has no account on
                   other platforms
  --echo           answers each message that MaiBot would answer with its own content
  --answer TEXT    answers each message that MaiBot would answer with this text
  --quiet          prints only the URL
  --help           prints this help

The language is set by LC_ALL, LC_MESSAGES or LANG: Chinese for zh, otherwise English.
`,
  error: "error: ",
  flagUnknown: (flag) => `unknown flag ${flag}; --help lists all flags`,
  flagValue: "a flag has no value, or a value too many; --help lists all flags",
  echoOrAnswer: "--echo and --answer cannot be used together",
  port: (text) => `--port must be from 0 to 65535; received ${text}`,
  token: "--token must not be empty",
  path: '--path must start with "/", without "?" and "#"',
  accountEmpty: "--account must not be empty",
  botForm: "--bot must be PLATFORM:ID, such as qq:777",
  accountOrBot: "--account and --bot cannot be used together",
  version: (text) => `--maibot must be 1.3.15 or 1.2.1; received ${text}`,
  answerEmpty: "--answer must not be empty",
  portInUse: "the port is taken by another program; choose another one with --port, or 0 for a free one",
  addressNotLocal: "this machine does not have the address in --host",
  addressUnknown: "the address in --host is not known",
  forbidden: "the system does not allow it; choose another port with --port",
  runAgain: "run it with all permissions: deno run -A maibot/main.ts",
  accepted: "MaiBot takes it",
  stored: "MaiBot stores it and does not answer",
  loop:
    "the adapter sends the bot's own messages back: no more answers in this chat until somebody else writes. Take " +
    "the recipient from replyTarget(message), and do not forward what the bot has sent",
  droppedSilently: "MaiBot drops it and logs nothing",
  levels: { drop: "drop", unanswered: "no answer", damage: "damage", warn: "warning" },
  more: (count) => `… and ${count} more`,
  moreAtLeast: (count) => `… and at least ${count} more`,
};

const ZH: ProgramTexts = {
  help: `模拟 MaiBot，并显示每条消息到了 MaiBot 会怎样。

用法：deno run -A maibot/main.ts [参数]      （或：bun maibot/main.ts [参数]）

  --host 地址      监听地址（默认 127.0.0.1；0.0.0.0 为所有网卡）
  --port 端口      监听端口，0 为任选空闲端口（默认 8000，与 MaiBot 相同）
  --path 路径      WebSocket 路径（默认 /ws）
  --token 令牌     允许使用该令牌连接；可重复；不写则不检查令牌
  --maibot 版本    模拟的 MaiBot 版本：1.3.15（默认，适用于 1.3.10 及以上）或 1.2.1（更早的版本）
  --account 账号   机器人在所有平台上的账号（默认 777）
  --bot 平台:账号  机器人在某个平台上的账号，如 qq:777；可重复；写了之后，机器人在其他平台没有账号
  --echo           对 MaiBot 会回复的消息，原样回复其内容
  --answer 文本    对 MaiBot 会回复的消息，回复这段文本
  --quiet          只打印 URL
  --help           打印本说明

语言由 LC_ALL、LC_MESSAGES 或 LANG 决定：zh 为中文，其余为英文。
`,
  error: "错误：",
  flagUnknown: (flag) => `未知参数 ${flag}；用 --help 查看全部参数`,
  flagValue: "某个参数缺少值，或多了一个值；用 --help 查看全部参数",
  echoOrAnswer: "--echo 与 --answer 不能同时使用",
  port: (text) => `--port 必须在 0 到 65535 之间；收到 ${text}`,
  token: "--token 不能为空",
  path: '--path 必须以 "/" 开头，且不含 "?" 与 "#"',
  accountEmpty: "--account 不能为空",
  botForm: "--bot 应为 平台:账号，例如 qq:777",
  accountOrBot: "--account 与 --bot 不能同时使用",
  version: (text) => `--maibot 必须是 1.3.15 或 1.2.1；收到 ${text}`,
  answerEmpty: "--answer 不能为空",
  portInUse: "端口已被其他程序占用；用 --port 换一个，0 为任选空闲端口",
  addressNotLocal: "本机没有 --host 指定的地址",
  addressUnknown: "无法识别 --host 指定的地址",
  forbidden: "系统不允许；请用 --port 换一个端口",
  runAgain: "请授予全部权限后运行：deno run -A maibot/main.ts",
  accepted: "MaiBot 会接受",
  stored: "MaiBot 会存下，但不会回复",
  loop:
    "适配器把机器人自己的消息又发了回来：在别人发言之前，这个会话不再回复。请用 replyTarget(message) 取得回复对象，" +
    "也不要转发机器人自己发出的消息",
  droppedSilently: "MaiBot 会丢弃它，且不写日志",
  levels: { drop: "丢弃", unanswered: "不会回复", damage: "损坏", warn: "提醒" },
  more: (count) => `……还有 ${count} 处`,
  moreAtLeast: (count) => `……还有至少 ${count} 处`,
};

/** Tells whether the language is Chinese. The variables are read in the same order as in the C library. */
export function isChinese(env: Readonly<Record<string, string | undefined>>, fallback: string): boolean {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || fallback;
  return locale.toLowerCase().startsWith("zh");
}

/** Returns the texts of the program in a language. */
export function textsOf(language: "en" | "zh"): ProgramTexts {
  return language === "zh" ? ZH : EN;
}
