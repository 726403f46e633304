import type { Fault } from "./fault.ts";
import { findFaults } from "./faults.ts";
import { RULES } from "./rules.ts";
import type { MaibotSetup } from "./setup.ts";
import { shorten } from "./shorten.ts";

/** Returns the log text for a fault that drops; `null` if MaiBot logs nothing. */
function logText({ rule, error, step }: Fault): string | null {
  if (error === undefined) return null;
  if (step === "preprocess") return `预处理消息失败: ${error}`;
  if (step === "store") return `消息处理失败: ${error}`;
  // Source: maim_message 0.6.8, api.py, BaseMessageHandler.process_message.
  return rule === "custom_unhashable" ? error : `收到未注册的自定义消息类型: ${shorten(error)}`;
}

/**
 * Returns the text that MaiBot logs when it drops a frame; `null` if it accepts the frame, or logs nothing. For a failed
 * assertion the text ends after "预处理消息失败: ". Long names are cut.
 */
export function dropLogText(frame: unknown, setup: MaibotSetup): string | null {
  let text: string | null | undefined;
  findFaults(frame, setup, (fault) => {
    if (text === undefined && RULES[fault.rule].level === "drop") text = logText(fault);
  });
  // MaiBot cannot print a text that cannot be encoded.
  return text?.isWellFormed() ? text : null;
}
