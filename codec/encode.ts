import { type MessageIssue, messageIssue } from "../schema/rules.ts";
import type { Seg, WireMessage } from "../schema/types.ts";
import { isBase64 } from "../util/base64.ts";
import { MAX_BYTES, MessageEncodeError, ruleText } from "./errors.ts";
import { isCustom } from "../schema/guards.ts";
import { survey, writeJson } from "./json.ts";
import { withoutInfoNulls } from "./nulls.ts";
import { base64Length } from "./stream/blocks.ts";
import { type BinaryData, isBinary, splitAt, type StreamMessage } from "./stream/message_text.ts";
import { exceedsUtf8 } from "../util/utf8.ts";

/** Options of {@linkcode encodeMessage}. */
export interface EncodeOptions {
  /**
   * Largest text made, in UTF-8 bytes.
   *
   * @default {104857600}
   */
  maxBytes?: number;
}

function tooLarge(maxBytes: number): MessageEncodeError {
  return new MessageEncodeError(`Cannot encode message as it must take at most ${maxBytes} bytes`, {
    code: "too_large",
    path: "$",
  });
}

/** Characters from which on base64 is worth a place of its own in the text. */
const LONG = 2 ** 15;

/** How many times the rest of a message its base64 must be: the rest grows when it is written in ASCII. */
const MOSTLY = 8;

function isLongBase64(value: unknown): value is string {
  return typeof value === "string" && value.length >= LONG && isBase64(value);
}

/** Whether a string is long, and begins as base64 does: most that do are. */
function isLikelyBase64(text: string): boolean {
  return text.length >= LONG && isBase64(text.slice(0, 64));
}

/** How many characters stand in what is likely base64; none in what writes itself in its own way. */
function base64Units(segment: Seg): number {
  const { type, data } = segment;
  if ("toJSON" in segment) return 0;
  if (typeof data === "string") return isLikelyBase64(data) ? data.length : 0;
  if (type !== "seglist" || "toJSON" in (data as Seg[])) return 0; // the walk has proved it a list
  let units = 0;
  for (const inner of data as Seg[]) units += base64Units(inner);
  return units;
}

/** Whether a message is little else than base64: JSON would write it in two bytes a character for one "字". */
function isMostlyBase64(message: WireMessage, units: number): boolean {
  if (units < LONG || isCustom(message) || "toJSON" in message) return false;
  const base64 = base64Units(message.message_segment);
  return (units - base64) * MOSTLY <= base64;
}

/** Writes the envelope alone, in ASCII, and puts the base64 between its parts: nothing goes over that again. */
function spliced(
  message: WireMessage,
  takes: (value: unknown) => value is BinaryData | string,
  maxBytes: number,
): string {
  // A custom message has no segments, so bytes in it are a fault that is found there.
  const { parts, binaries, paths } = splitAt(message as StreamMessage, withoutInfoNulls, takes);
  let left = maxBytes;
  for (const part of parts) left -= part.length;
  const inMemory = binaries.map((binary, index) => {
    const isText = typeof binary === "string";
    if (!isText && !(binary instanceof Uint8Array)) throw notInMemory(paths[index] ?? "$");
    left -= isText ? binary.length : base64Length(binary.length);
    return binary;
  });
  if (left < 0) throw tooLarge(maxBytes);
  return parts.reduce((text, part, index) => {
    const data = inMemory[index - 1] ?? "";
    return text + (typeof data === "string" ? data : data.toBase64()) + part;
  });
}

function notInMemory(path: string): MessageEncodeError {
  return new MessageEncodeError(
    `Cannot encode message as ${path} must be in memory: send it by sendStream, or write it by encodeStream`,
    { code: "invalid_shape", path, expected: "a Uint8Array or base64", received: "a source of bytes" },
  );
}

/** The rules know base64 only as a string: bytes in its place are looked for once something is wrong. */
function refusedOrSpliced(message: WireMessage, issue: MessageIssue, maxBytes: number): string {
  if (issue.received === "object" && issue.expected === "a string") return spliced(message, isBinary, maxBytes);
  throw new MessageEncodeError(ruleText("encode", issue), issue);
}

/**
 * Encodes one message as compact JSON.
 *
 * Nulls inside `message_info` and its infos are left out, because maim_message 0.3.0 to 0.5.4 crash on them; a lone
 * surrogate becomes U+FFFD. A segment may hold a `Uint8Array` in the place of its base64. With that, or with long base64,
 * the text is ASCII, and made without a second look at the base64. Everything else is written as it stands.
 *
 * @param message The message.
 * @param options The limit on its size.
 * @returns The text of one frame.
 * @throws {MessageEncodeError} If the message is too large, too deep, breaks a rule of the wire or is not JSON.
 *
 * @example What goes on the wire
 * ```ts
 * import { createCustom, encodeMessage } from "@maim/message";
 *
 * console.log(encodeMessage({ ...createCustom("poke", { times: 2 }, "qq"), timestamp: 1 }));
 * // {"platform":"qq","message_type_name":"poke","content":{"times":2},"timestamp":1,"is_custom_message":true}
 * ```
 */
export function encodeMessage(message: WireMessage, { maxBytes = MAX_BYTES }: EncodeOptions = {}): string {
  const issue = messageIssue(message);
  if (issue !== null) return refusedOrSpliced(message, issue, maxBytes);
  const { left, hasNull, hasBytes } = survey(message, maxBytes);
  if (hasBytes) return spliced(message, isBinary, maxBytes);
  if (left < 0) throw tooLarge(maxBytes);
  const units = maxBytes - left;
  if (isMostlyBase64(message, units)) {
    const ascii = spliced(message, isLongBase64, Infinity);
    if (!exceedsUtf8(ascii, maxBytes)) return ascii; // what only began as base64 has left it as it was
  }
  const text = writeJson(isCustom(message) || !hasNull ? message : withoutInfoNulls(message), units);
  if (exceedsUtf8(text, maxBytes)) throw tooLarge(maxBytes);
  return text;
}
