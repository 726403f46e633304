import type { Fault } from "./fault.ts";
import { findFaults } from "./faults.ts";
import { RULES } from "./rules.ts";
import type { MaibotSetup } from "./setup.ts";
import { shorten } from "./shorten.ts";

/** Returns the text that MaiBot logs for a fault that makes it drop the frame; `null` if it logs nothing. */
function logText({ rule, error, step }: Fault): string | null {
  if (error === undefined) return null;
  if (step === "preprocess") return `预处理消息失败: ${error}`;
  if (step === "store") return `消息处理失败: ${error}`;
  // Source: maim_message 0.6.8, api.py, BaseMessageHandler.process_message.
  return rule === "custom_unhashable" ? error : `收到未注册的自定义消息类型: ${shorten(error)}`;
}

/**
 * Returns the text that MaiBot logs when it drops a frame; `null` if MaiBot accepts the frame, or if it logs nothing.
 * The error of a failed assertion has no text, so the log text then ends after "预处理消息失败: ". Long names are cut.
 */
export function dropLogText(frame: unknown, setup: MaibotSetup): string | null {
  let text: string | null | undefined;
  findFaults(frame, setup, (fault) => {
    if (text === undefined && RULES[fault.rule].level === "drop") text = logText(fault);
  });
  // A text with half a surrogate pair cannot be encoded, so MaiBot cannot print it.
  return text?.isWellFormed() ? text : null;
}
