import { isCustom } from "../../schema/guards.ts";
import type { MessageBase, WireMessage } from "../../schema/types.ts";

/** Each message carries its number where the oracle finds it in a text, too. */
const MARK = /~(\d+)~/;

/** Number of the message in a text; `null` for what the library itself sends. */
export function numberInText(text: string): number | null {
  const match = MARK.exec(text);
  return match === null ? null : Number(match[1]);
}

/** Number of a message. */
export function numberOf(message: WireMessage): number {
  const id = isCustom(message) ? (message.content as { id?: string }).id : message.message_info.message_id;
  return Number(id?.slice(1, -1));
}

/** True for the answer of a handler. */
export function isReply(message: WireMessage): boolean {
  const marked = isCustom(message) ? message.content : message.message_info.additional_config;
  return (marked as { reply?: boolean } | null | undefined)?.reply === true;
}

const paddings = new Map<number, string>();

function padding(size: number): string {
  let text = paddings.get(size);
  if (text === undefined) paddings.set(size, text = "x".repeat(size));
  return text;
}

export function newMessage(number: number, platform: string, size: number, reply: boolean): MessageBase {
  return {
    message_info: { platform, message_id: `~${number}~`, time: 1, additional_config: { reply } },
    message_segment: { type: "text", data: padding(size) },
  };
}

/** Content of a custom message. */
export function newContent(number: number, size: number, reply: boolean): { id: string; reply: boolean; data: string } {
  return { id: `~${number}~`, reply, data: padding(size) };
}
