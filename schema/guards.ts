import type { CustomMessage, MessageBase, Seg, SegOf, SegType, WireMessage } from "./types.ts";
import { decodedIssue, isSegment, ownSegment } from "./rules.ts";
import { isKnownData } from "./segments.ts";

/**
 * Tells whether a value is an ordinary message whose ids are strings, as {@linkcode decodeMessage} returns it.
 *
 * Never throws. For a custom message it returns false.
 *
 * @param value Any value.
 * @returns True if it is a {@linkcode MessageBase}.
 *
 * @example Guard
 * ```ts
 * import { isMessageBase } from "@maim/message/schema";
 *
 * const value: unknown = { message_info: { platform: "qq" }, message_segment: { type: "text", data: "hi" } };
 * console.log(isMessageBase(value)); // true
 * ```
 */
export function isMessageBase(value: unknown): value is MessageBase {
  return decodedIssue(value, "ordinary") === null;
}

/**
 * Tells whether a value is a custom message. Never throws.
 *
 * @param value Any value.
 * @returns True if it is a {@linkcode CustomMessage}.
 *
 * @example Guard
 * ```ts
 * import { createCustom, isCustomMessage } from "@maim/message/schema";
 *
 * console.log(isCustomMessage(createCustom("poke", { times: 2 }, "qq"))); // true
 * ```
 */
export function isCustomMessage(value: unknown): value is CustomMessage {
  return decodedIssue(value, "custom") === null;
}

/**
 * Tells whether a value is a segment. If a type is given as the second argument, the type of `data` is narrowed too.
 * Never throws.
 *
 * @param value Any value.
 * @returns True if it is a segment.
 *
 * @example Narrowing
 * ```ts
 * import { isSeg } from "@maim/message/schema";
 *
 * const segment: unknown = { type: "text", data: "hi" };
 * if (isSeg(segment, "text")) console.log(segment.data.toUpperCase()); // HI
 * ```
 */
export function isSeg(value: unknown): value is Seg;
/**
 * Tells whether a value is a segment of one type with data of the documented JSON type.
 *
 * @typeParam T The known segment type to check for.
 * @param value Any value.
 * @param type The type to narrow to.
 * @returns True if it is a segment of this type and its data has the documented JSON type.
 */
export function isSeg<T extends SegType>(value: unknown, type: T): value is SegOf<T>;
export function isSeg(value: unknown, type?: SegType): boolean {
  try {
    if (type === undefined) return isSegment(value);
    const segment = ownSegment(value);
    return segment !== null && segment.type === type && isKnownData(type, segment.data);
  } catch {
    return false;
  }
}

/**
 * Returns true for a custom message and false for an ordinary message. The function checks nothing else, so it is only
 * for messages that the rules have accepted, or that are checked later.
 */
export function isCustom(message: WireMessage): message is CustomMessage {
  return (message as CustomMessage).is_custom_message === true && Object.hasOwn(message, "is_custom_message");
}

/** Returns the platform that a message names; an empty string if it names none. */
export function platformOf(message: WireMessage): string {
  if (isCustom(message)) return message.platform ?? "";
  return (message as Partial<MessageBase>).message_info?.platform ?? "";
}
