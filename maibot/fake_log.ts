import { shorten } from "./shorten.ts";

/** How MaiBot's logger marks a line. */
export type MaibotLogLevel = "debug" | "info" | "warning" | "error";

/** One line of MaiBot's log. */
export interface MaibotLogLine {
  /** Its mark. */
  readonly level: MaibotLogLevel;
  /** Its text, in MaiBot's words; a long name in it is cut. */
  readonly text: string;
}

function line(level: MaibotLogLevel, text: string): MaibotLogLine {
  return { level, text };
}

/** What MaiBot writes about connections. Source: maim_message 0.6.8, ws_connection.py and api.py; MaiBot 1.2.1, bot.py. */
export const LINES = {
  connected: (platform: string): MaibotLogLine => line("info", `平台 ${shorten(platform)} WebSocket 已连接`),
  nameless: (): MaibotLogLine => line("info", "收到未标记平台的 WebSocket 连接"),
  replaced: (platform: string): MaibotLogLine =>
    line("warning", `检测到平台 ${shorten(platform)} 已有连接，正在关闭旧连接以接受新连接`),
  refused: (platform: string): MaibotLogLine => line("warning", `拒绝平台 ${shorten(platform)} 的连接请求: 令牌无效`),
  disconnected: (platform: string): MaibotLogLine => line("info", `平台 ${shorten(platform)} WebSocket 已断开`),
  /** MaiBot adds what Python's parser says; that is left out. */
  unparsable: (platform: string): MaibotLogLine => line("warning", `平台 ${shorten(platform)} 收到无法解析的 JSON`),
  binary: (platform: string): MaibotLogLine => line("error", `平台 ${shorten(platform)} WebSocket 处理异常`),
  unknownCustom: (name: string): MaibotLogLine => line("warning", `收到未注册的自定义消息类型: ${shorten(name)}`),
  noTarget: (platform: string): MaibotLogLine => line("warning", `未找到目标平台: ${shorten(platform)}`),
  echoed: (id: string, actualId: string, isKnown: boolean): MaibotLogLine => {
    const text = isKnown ? "收到回送消息ID" : "收到回送消息 ID，但未找到可回填的本地消息";
    return line("debug", `${text}: ${shorten(id)} -> ${shorten(actualId)}`);
  },
} as const;
