import { type Fault, findFaults } from "./faults.ts";
import { RULES } from "./rules.ts";
import type { Asked } from "./chat_session.ts";
import { shorten } from "./shorten.ts";

/** The line of one fault that drops. */
function lineOf({ rule, said, stage }: Fault): string | null {
  if (said === undefined) return null;
  if (stage === "preprocess") return `预处理消息失败: ${said}`;
  if (stage === "store") return `消息处理失败: ${said}`;
  // Source: maim_message 0.6.8, api.py, BaseMessageHandler.process_message.
  return rule === "custom_unhashable" ? said : `收到未注册的自定义消息类型: ${shorten(said)}`;
}

/**
 * The line that MaiBot logs for a message it drops: after "预处理消息失败: " nothing at all where an assertion has no text.
 * `null` where it takes the message, or drops it without a word. A long name is cut.
 */
export function maibotLogLine(frame: unknown, asked: Asked): string | null {
  let line: string | null | undefined;
  findFaults(frame, asked, (fault) => {
    if (line === undefined && RULES[fault.rule].level === "drop") line = lineOf(fault);
  });
  // A text that can not be encoded can not be printed either.
  return line?.isWellFormed() ? line : null;
}
