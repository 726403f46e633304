import type { Seg } from "../../schema/types.ts";
import { bytesOf } from "../../util/base64.ts";
import { MessageDecodeError } from "../errors.ts";
import { base64Member } from "./segment_shape.ts";

/**
 * Gives the bytes of an image, emoji, voice, video or file segment.
 *
 * Takes base64 as it is found in the wild: with a `data:` prefix, without padding, with line breaks, in the URL-safe
 * alphabet. Data that is bytes already is given as it is.
 *
 * @param segment The segment.
 * @returns Its bytes.
 * @throws {MessageDecodeError} If it holds none: an emoji that is a character, a file without content, text.
 *
 * @example The way back of a builder
 * ```ts
 * import { seg, segBytes } from "@maim/message";
 *
 * console.log(segBytes(seg.image(new Uint8Array([1, 2, 3])))); // Uint8Array [1, 2, 3]
 * console.log(segBytes(seg.of("voice", "data:audio/wav;base64,AQI"))); // Uint8Array [1, 2]
 * ```
 */
export function segBytes(segment: Seg): Uint8Array {
  const { type, data } = segment;
  const isFile = type === "file" && typeof data === "object" && data !== null && Object.hasOwn(data, "base64");
  const content: unknown = isFile ? (data as { base64: unknown }).base64 : data; // an own member of an object
  if (content instanceof Uint8Array) return content;
  const path = isFile ? "$.data.base64" : "$.data";
  const member = base64Member(segment);
  if (member !== null) return bytesOf(member.text, path);
  const received = content === null ? "null" : Array.isArray(content) ? "array" : typeof content;
  throw new MessageDecodeError(`Cannot read bytes as ${path} must be base64: received ${received}`, {
    ...{ code: "invalid_shape", path, expected: "base64", received },
  });
}
