import { encodeErrors } from "./errors.ts";
import { survey, writeJson } from "./json.ts";
import { MAX_BYTES } from "./limits.ts";
import { isLongBase64, isMostlyBase64 } from "./mostly_base64.ts";
import { withoutInfoNulls } from "./nulls.ts";
import { cutMessageAt } from "./stream/message_text.ts";
import type { StreamMessage } from "./stream/types.ts";
import { isCustom } from "../schema/guards.ts";
import { checkOutgoing } from "../schema/rules.ts";
import type { WireMessage } from "../schema/types.ts";
import { base64Length, encodeBase64 } from "../util/base64.ts";
import { exceedsUtf8 } from "../util/utf8.ts";
import { type ByteSource, isByteSource } from "../util/values.ts";

/** Options of {@linkcode encodeMessage}. */
export interface EncodeOptions {
  /**
   * Largest text that may be written, in UTF-8 bytes.
   *
   * @default {104857600}
   */
  maxBytes?: number;
}

/**
 * Writes a message in ASCII without its base64, and then inserts the base64. This is fast, because `JSON.stringify`
 * does not process the base64.
 */
function encodeAround(
  message: WireMessage,
  isData: (value: unknown) => value is ByteSource | string,
  maxBytes: number,
): string {
  // The message may also be a custom message, which has no segments. If a custom message holds bytes, `cutMessageAt`
  // refuses it.
  const { texts, binaries, paths } = cutMessageAt(message as StreamMessage, isData);
  let left = maxBytes;
  for (const text of texts) left -= text.length;
  const inMemory = binaries.map((binary, index) => {
    if (typeof binary !== "string" && !(binary instanceof Uint8Array)) throw notInMemory(paths[index] ?? "$");
    left -= typeof binary === "string" ? binary.length : base64Length(binary.length);
    return binary;
  });
  if (left < 0) throw encodeErrors.tooManyBytes(maxBytes);
  return texts.reduce((before, text, index) => {
    const data = inMemory[index - 1] ?? "";
    return before + (typeof data === "string" ? data : encodeBase64(data)) + text;
  });
}

function notInMemory(path: string): Error {
  return encodeErrors.shape(
    { path, expected: "a Uint8Array or base64", received: "a Blob or a stream" },
    "send it with sendStream(), or write it with encodeStream()",
  );
}

/**
 * Encodes one message as compact JSON.
 *
 * Nulls inside `message_info` and its infos are left out, because maim_message 0.3.0 to 0.5.4 crash on them. A lone
 * surrogate becomes U+FFFD. Everything else is written unchanged. A segment may hold a `Uint8Array` instead of base64.
 * If the message holds bytes or is mostly base64, all other characters are written as ASCII escapes.
 *
 * @param message The message.
 * @param options Limit on the size of the text.
 * @returns The text of one frame.
 * @throws {MessageEncodeError} If the message is too large, is nested too deep, breaks a rule of the protocol or cannot
 * be written as JSON.
 *
 * @example The text that is sent
 * ```ts
 * import { createCustom, encodeMessage } from "@maim/message";
 *
 * console.log(encodeMessage({ ...createCustom("poke", { times: 2 }, "qq"), timestamp: 1 }));
 * // {"platform":"qq","message_type_name":"poke","content":{"times":2},"timestamp":1,"is_custom_message":true}
 * ```
 */
export function encodeMessage(message: WireMessage, { maxBytes = MAX_BYTES }: EncodeOptions = {}): string {
  const { issue, holdsBytes } = checkOutgoing(message);
  if (issue !== null) throw encodeErrors.issue(issue);
  if (holdsBytes) return encodeAround(message, isByteSource, maxBytes);
  const { left, hasNull, hasBytes } = survey(message, maxBytes);
  if (hasBytes) return encodeAround(message, isByteSource, maxBytes);
  if (left < 0) {
    // `survey` also counted the nulls that are left out. Without them, the message may fit.
    const clean = isCustom(message) ? message : withoutInfoNulls(message);
    if (clean === message) throw encodeErrors.tooManyBytes(maxBytes);
    return encodeMessage(clean, { maxBytes });
  }
  const units = maxBytes - left;
  if (isMostlyBase64(message, units)) {
    const ascii = encodeAround(message, isLongBase64, Infinity);
    // `isMostlyBase64` looks only at the beginning of data. If the rest is not base64, the escapes may make the ASCII
    // text too large. Then the message is written again below, without escapes.
    if (!exceedsUtf8(ascii, maxBytes)) return ascii;
  }
  const text = writeJson(isCustom(message) || !hasNull ? message : withoutInfoNulls(message), units);
  if (exceedsUtf8(text, maxBytes)) throw encodeErrors.tooManyBytes(maxBytes);
  return text;
}
