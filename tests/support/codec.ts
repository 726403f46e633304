/**
 * Texts and errors for the tests of the codec.
 * @module
 */

import { assertThrows } from "@std/assert";

import { decodeMessage, encodeMessage, MessageDecodeError, MessageEncodeError } from "../../codec.ts";
import { wrong } from "./samples.ts";

/** Gives the error of a text that cannot be decoded. */
export function decodeError(text: string, options?: Parameters<typeof decodeMessage>[1]): MessageDecodeError {
  return assertThrows(() => decodeMessage(text, options), MessageDecodeError);
}

/** Gives the error of a message that cannot be encoded. */
export function encodeError(message: unknown, options?: Parameters<typeof encodeMessage>[1]): MessageEncodeError {
  return assertThrows(() => encodeMessage(wrong(message), options), MessageEncodeError);
}

/** Decodes a text and encodes the message again. */
export function again(text: string): string {
  return encodeMessage(decodeMessage(text));
}

/** Builds the text of a custom message; its content is given as JSON text. */
export const customText = (content: string): string =>
  `{"message_type_name":"poke","content":${content},"is_custom_message":true}`;

/** Counts the UTF-8 bytes of a text. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
