import { decodeErrors, type MessageDecodeError } from "../errors.ts";
import { base64Place } from "../../schema/segments.ts";
import type { Seg } from "../../schema/types.ts";
import { hasMember } from "../../util/values.ts";

/** The member of a segment that holds base64. */
export interface Base64Member {
  readonly holder: object;
  readonly key: "data" | "base64";
  readonly text: string;
}

/** Number of characters at the beginning of an emoji's data that decide whether the data is base64. */
export const BASE64_START = 4;

/** Returns true if the first characters of an emoji's data look like base64. Otherwise the data is a character. */
export function isBase64Start(text: string): boolean {
  return /^[\w+/=\-\t\n\f\r ]*$/.test(text.slice(0, BASE64_START));
}

/** Finds the member of a segment that holds base64, as the type of the segment defines; null if there is none. */
export function base64Member(segment: Seg): Base64Member | null {
  const { type, data } = segment;
  const place = base64Place(type);
  if (place === "base64") {
    if (!hasMember(data, "base64") || typeof data.base64 !== "string") return null;
    return { holder: data, key: "base64", text: data.base64 };
  }
  if (place === null || typeof data !== "string" || (place === "data or text" && !isBase64Start(data))) return null;
  return { holder: segment, key: "data", text: data };
}

/** Makes the error for a text that should be base64 but is not. The error does not contain the text. */
export function notBase64(path: string): MessageDecodeError {
  return decodeErrors.shape({ path, expected: "base64", received: "string" });
}
