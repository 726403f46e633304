import { findFaults } from "./faults.ts";
import { RULES } from "./rules.ts";
import { shorten } from "./shorten.ts";

/**
 * The line that MaiBot 1.2.1 logs for a message it drops: after "预处理消息失败: " nothing at all where an assertion has no
 * text. `null` where it takes the message, or drops it without a word. A long name is cut.
 */
export function maibotLogLine(frame: unknown): string | null {
  let line: string | null | undefined;
  findFaults(frame, (rule, _path, said) => {
    const isCustom = rule === "custom_nameless" || rule === "custom_unknown";
    if (line !== undefined || (RULES[rule].level !== "drop" && !isCustom)) return;
    // Source: maim_message 0.6.8, api.py, BaseMessageHandler.process_message.
    if (isCustom) line = `收到未注册的自定义消息类型: ${shorten(said ?? "")}`;
    else line = said === undefined ? null : `预处理消息失败: ${said}`;
  });
  return line ?? null;
}
