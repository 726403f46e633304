/**
 * Messages, texts and bytes to send.
 * @module
 */

import { createMessage, type MessageBase, plainText, seg } from "../../schema.ts";

/** The smallest message as compact JSON. */
export function wireText(text: string, platform: string = "qq"): string {
  return JSON.stringify({ message_info: { platform }, message_segment: { type: "text", data: text } });
}

/** The text of a frame that says "hi". */
export const HI: string = wireText("hi");

/** A message of one text. */
export function textMessage(text: string = "hi", platform: string = "qq"): MessageBase {
  return createMessage({ platform, user: "10001" }, seg.text(text));
}

/** What a frame with a message says; empty if no frame came. */
export function textOf(frame: { readonly text: string } | null): string {
  return plainText(JSON.parse(frame?.text ?? "null"));
}

/** Lists of lists around a text: `depth` lists. */
export function nestedText(depth: number): string {
  const open = '{"type":"seglist","data":['.repeat(depth);
  return `{"message_info":{"platform":"qq"},"message_segment":${open}{"type":"text","data":"x"}${"]}".repeat(depth)}}`;
}

/** Bytes without a pattern, so that each tells where it stands and no compressor shrinks them. */
export function noise(length: number, seed: number = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 0x2545f491 | 1;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state;
  }
  return bytes;
}
