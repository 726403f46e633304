import type { MessageBase, Seg } from "./types.ts";
import { isSeg } from "./guards.ts";
import { labelOf } from "./segments.ts";

/** Writes a segment as plain text. */
export function segmentText(segment: Seg): string {
  if (isSeg(segment, "text")) return segment.data;
  if (isSeg(segment, "seglist")) return segment.data.map(segmentText).join("");
  if (segment.type !== "at") return `[${labelOf(segment.type)}]`;
  return typeof segment.data === "string" ? `@${segment.data}` : "@";
}

/**
 * Writes a message as one line of plain text, for logs and `raw_message`. Text stays as it is, a mention becomes `@`
 * with the account id, and every other segment becomes a label like `[图片]`.
 *
 * @param message A message or a segment.
 * @returns The text; it never contains base64.
 *
 * @example A text with a picture
 * ```ts
 * import { createMessage, plainText, seg } from "@maim/message/schema";
 *
 * const message = createMessage(
 *   { platform: "qq", user: "10001" },
 *   seg.text("请查看这张图片："),
 *   seg.image("AQID"),
 *   seg.text(" 这是效果图。"),
 * );
 * console.log(plainText(message)); // 请查看这张图片：[图片] 这是效果图。
 * ```
 */
export function plainText(message: MessageBase | Seg): string {
  // Both members are checked, because a segment may also have an unknown member with the name `message_segment`.
  return segmentText("message_info" in message && "message_segment" in message ? message.message_segment : message);
}
