import { base64Member, notBase64 } from "./base64_member.ts";
import { decodeErrors } from "../errors.ts";
import type { Seg } from "../../schema/types.ts";
import { decodeBase64 } from "../../util/base64.ts";
import { hasMember, typeName } from "../../util/values.ts";

/**
 * Returns the bytes of an image, emoji, voice, video or file segment.
 *
 * Base64 is accepted in every form that peers send: with a `data:` prefix, without padding, with line breaks, or in the
 * URL-safe alphabet. If the data is already a `Uint8Array`, it is returned unchanged.
 *
 * @param segment The segment.
 * @returns The bytes of the segment.
 * @throws {MessageDecodeError} If the segment holds no bytes, for example an emoji that is a character, a file without
 * content, or a text. Also if the data is not valid base64.
 *
 * @example The bytes given to a builder
 * ```ts
 * import { seg, segBytes } from "@maim/message";
 *
 * console.log(segBytes(seg.image(new Uint8Array([1, 2, 3])))); // Uint8Array [1, 2, 3]
 * console.log(segBytes(seg.of("voice", "data:audio/wav;base64,AQI"))); // Uint8Array [1, 2]
 * ```
 */
export function segBytes(segment: Seg): Uint8Array {
  const { type, data } = segment;
  const isFile = type === "file" && hasMember(data, "base64");
  const content: unknown = isFile ? data.base64 : data;
  if (content instanceof Uint8Array) return content;
  const path = isFile ? "$.data.base64" : "$.data";
  const member = base64Member(segment);
  if (member === null) throw decodeErrors.shape({ path, expected: "base64", received: typeName(content) });
  const bytes = decodeBase64(member.text);
  if (bytes === null) throw notBase64(path);
  return bytes;
}
