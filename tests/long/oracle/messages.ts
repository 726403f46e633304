/**
 * Messages that carry an id.
 * @module
 */

import { createCustom, createMessage, isCustomMessage, seg, type WireMessage } from "../../../mod.ts";

/** Creates a message with an id. */
export function numbered(id: string, platform: string, size: number, isCustom: boolean = false): WireMessage {
  const padding = "x".repeat(size);
  if (isCustom) return createCustom("note", { id, padding }, platform);
  const message = createMessage({ platform, user: "10001" }, seg.text(padding));
  return { ...message, message_info: { ...message.message_info, message_id: id } };
}

/** The id of such a message. */
export function idOf(message: WireMessage): string {
  if (!isCustomMessage(message)) return message.message_info.message_id ?? "?";
  return (message.content as { id: string }).id;
}
