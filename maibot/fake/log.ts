/**
 * Lines that MaiBot logs. The lines about a message that MaiBot drops are not here: `dropLogText` returns them.
 * @module
 */

import { shorten } from "../shorten.ts";

/** Level of a log line. */
export type MaibotLogLevel = "debug" | "info" | "warning" | "error";

/** A line of MaiBot's log. */
export interface MaibotLogLine {
  /** Level of the line. */
  readonly level: MaibotLogLevel;
  /** Text of the line, as MaiBot writes it. Long names in it are cut. */
  readonly text: string;
}

function line(level: MaibotLogLevel, text: string): MaibotLogLine {
  return { level, text };
}

/** Lines about a refused connection, or about an answer that is not sent. Only the event `log` reports such a line. */
const notices = new WeakSet<MaibotLogLine>();

function notice(level: MaibotLogLevel, text: string): MaibotLogLine {
  const created = line(level, text);
  notices.add(created);
  return created;
}

/** Tells whether a line is about a refused connection, or about an answer that is not sent. */
export function isNotice(line: MaibotLogLine): boolean {
  return notices.has(line);
}

/**
 * The log lines. If the comment of a line names a file, the line comes from this file of MaiBot 1.3.15. Otherwise it
 * comes from ws_connection.py or api.py of maim_message 0.6.8.
 */
export const LOG = {
  connected: (platform: string): MaibotLogLine => line("info", `平台 ${shorten(platform)} WebSocket 已连接`),
  connectedWithoutPlatform: (): MaibotLogLine => line("info", "收到未标记平台的 WebSocket 连接"),
  replaced: (platform: string): MaibotLogLine =>
    line("warning", `检测到平台 ${shorten(platform)} 已有连接，正在关闭旧连接以接受新连接`),
  tokenRefused: (platform: string): MaibotLogLine =>
    notice("warning", `拒绝平台 ${shorten(platform)} 的连接请求: 令牌无效`),
  disconnected: (platform: string): MaibotLogLine => line("info", `平台 ${shorten(platform)} WebSocket 已断开`),
  /** MaiBot also logs the error of Python's parser. */
  invalidJson: (platform: string): MaibotLogLine => line("warning", `平台 ${shorten(platform)} 收到无法解析的 JSON`),
  binaryFrame: (platform: string): MaibotLogLine => line("error", `平台 ${shorten(platform)} WebSocket 处理异常`),
  unknownCustom: (name: string): MaibotLogLine => line("warning", `收到未注册的自定义消息类型: ${shorten(name)}`),
  /** Python logs this line when it discards the task that has failed. */
  unhashableName: (error: string): MaibotLogLine => line("error", `TypeError: ${error}`),
  platformNotConnected: (platform: string): MaibotLogLine => notice("warning", `未找到目标平台: ${shorten(platform)}`),
  echoed: (id: string, actualId: string): MaibotLogLine =>
    line("debug", `收到回送消息ID: ${shorten(id)} -> ${shorten(actualId)}`),
  echoOfUnknown: (id: string, actualId: string): MaibotLogLine =>
    line("debug", `收到回送消息 ID，但未找到可回填的本地消息: ${shorten(id)} -> ${shorten(actualId)}`),
  /** route_key_factory.py. MaiBot 1.3.15 logs this line up to five times for one message. */
  legacyRoute: (platform: string, id: string): MaibotLogLine => {
    const text = "消息使用旧版路由归属格式，请及时更新适配器，迁移到消息顶层 account_id/scope";
    return line("warning", `${text}: platform=${shorten(platform)}, message_id=${shorten(id)}`);
  },
  /** message.py, SessionMessage.process. */
  emptyImage: (): MaibotLogLine => line("error", "处理消息组件时发生错误: 必须提供图片哈希值或图片字节数据"),
  /** heartflow_manager.py. MaiBot also logs the id of the chat. */
  chatRefused: (): MaibotLogLine => notice("warning", "适配器名单禁止创建聊天运行实例"),
  /** builtin_tool/reply.py. */
  accountMissing: (): MaibotLogLine => notice("error", "固定引用规则需要明确的 bot 发送账号"),
  /** send_service.py. */
  platformNotConfigured: (platform: string): MaibotLogLine =>
    notice("error", `[SendService] 平台 ${shorten(platform)} 未配置机器人账号，无法发送消息`),
  /** send_service.py. */
  noRoute: (platform: string): MaibotLogLine =>
    notice("warning", `[SendService] Platform IO 发送失败: platform=${shorten(platform)} 未命中任何发送路由`),
  /** platform_io/manager.py. */
  deniedByPolicy: (platform: string, chatType: string, id: string): MaibotLogLine => {
    const chat = `chat_type=${chatType} target_id=${shorten(id)}`;
    return notice("info", `适配器策略拒绝出站消息: driver=legacy.send.${shorten(platform)} ${chat}`);
  },
} as const;
