import { shorten } from "../shorten.ts";

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

/** What MaiBot writes. Source: maim_message 0.6.8, ws_connection.py and api.py; MaiBot 1.3.15, by the file named. */
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
  /** Python tells of it when the task that failed is thrown away. */
  unhashable: (error: string): MaibotLogLine => line("error", `TypeError: ${error}`),
  noTarget: (platform: string): MaibotLogLine => line("warning", `未找到目标平台: ${shorten(platform)}`),
  echoed: (id: string, actualId: string, isKnown: boolean): MaibotLogLine => {
    const text = isKnown ? "收到回送消息ID" : "收到回送消息 ID，但未找到可回填的本地消息";
    return line("debug", `${text}: ${shorten(id)} -> ${shorten(actualId)}`);
  },
  /** route_key_factory.py; MaiBot 1.3.15 says it up to five times for one message. */
  oldRoute: (platform: string, id: string): MaibotLogLine => {
    const advice = "消息使用旧版路由归属格式，请及时更新适配器，迁移到消息顶层 account_id/scope";
    return line("warning", `${advice}: platform=${shorten(platform)}, message_id=${shorten(id)}`);
  },
  /** message.py, SessionMessage.process. */
  emptyImage: (): MaibotLogLine => line("error", "处理消息组件时发生错误: 必须提供图片哈希值或图片字节数据"),
  /** heartflow_manager.py; MaiBot adds the digest that is the id of the chat. */
  noChat: (): MaibotLogLine => line("warning", "适配器名单禁止创建聊天运行实例"),
  /** builtin_tool/reply.py. */
  noAccount: (): MaibotLogLine => line("error", "固定引用规则需要明确的 bot 发送账号"),
  /** send_service.py. */
  notConfigured: (platform: string): MaibotLogLine =>
    line("error", `[SendService] 平台 ${shorten(platform)} 未配置机器人账号，无法发送消息`),
  noRoute: (platform: string): MaibotLogLine =>
    line("warning", `[SendService] Platform IO 发送失败: platform=${shorten(platform)} 未命中任何发送路由`),
  /** platform_io/manager.py. */
  denied: (platform: string, chat: string, id: string): MaibotLogLine =>
    line(
      "info",
      `适配器策略拒绝出站消息: driver=legacy.send.${shorten(platform)} chat_type=${chat} target_id=${shorten(id)}`,
    ),
} as const;
