/**
 * The messages that are measured: the seed's own, one of 50 segments, broken ones, and one with an image.
 * @module
 */

import { readFileSync } from "node:fs";

import type { MessageBase } from "../schema.ts";

interface SeedFile {
  readonly messages: Readonly<Record<string, unknown>>;
}

const seed: SeedFile = JSON.parse(
  readFileSync(new URL("../tests/support/vectors/seed_messages.json", import.meta.url), "utf8"),
);

/** The complete messages of the document, as compact JSON. */
export const seedTexts: readonly string[] = Object.values(seed.messages).map((message) => JSON.stringify(message));

const { user_info, group_info } = {
  user_info: { platform: "qq", user_id: "123456789", user_nickname: "张三" },
  group_info: { platform: "qq", group_id: "987654321", group_name: "测试群" },
};

/** A message of 50 segments: mostly text, as chat is, with an at, a reply and a face in every ten. */
export function manySegments(count: number = 50): string {
  const kinds = [["text", "你好，世界"], ["at", "10001"], ["reply", "msg_001"], ["face", "178"], ["emoji", "aGVsbG8="]];
  const data = Array.from({ length: count }, (_, index) => {
    const [type, body] = kinds[Math.max(0, index % 10 - 5)] ?? ["text", ""];
    return { type, data: type === "text" ? `${body} ${index}` : body };
  });
  return JSON.stringify({
    message_info: { platform: "qq", message_id: "m50", time: 1703123456.789, user_info, group_info },
    message_segment: { type: "seglist", data },
    raw_message: "你好",
  });
}

/** Messages with one fault each, early and late in the walk. */
export const brokenTexts: readonly string[] = [
  '{"message_segment":{"type":"text","data":"hi"}}',
  '{"message_info":{"platform":""},"message_segment":{"type":"text","data":"hi"}}',
  '{"message_info":{"platform":"qq","user_info":{"user_id":7}},"message_segment":{"type":"text","data":"hi"}}',
  '{"message_info":{"platform":"qq","format_info":{"accept_format":[1]}},"message_segment":{"type":"text","data":""}}',
  '{"message_info":{"platform":"qq"},"message_segment":{"type":"text","data":7}}',
  '{"message_info":{"platform":"qq"},"message_segment":{"type":"seglist","data":[{"type":"text","data":"a"},{}]}}',
  '{"message_info":{"platform":"qq"},"message_segment":{"type":"text","data":"hi"},"raw_message":1}',
];

/** The seed's first complete message: what the echo benches send. */
export const chatText: string = JSON.stringify(seed.messages["simple_text"]);

/** Bytes that no encoder can guess. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(data.subarray(at, Math.min(at + 65536, length)));
  return data;
}

/** A message around an image, from somebody with a Chinese name. */
export function imageMessage(data: Uint8Array | string): MessageBase {
  return {
    message_info: { platform: "qq", message_id: "img", time: 1703123456.789, user_info, group_info },
    message_segment: { type: "seglist", data: [{ type: "image", data }] },
  };
}

/** The text of a message around base64 of a given number of bytes. */
export function imageText(bytes: number): string {
  return JSON.stringify(imageMessage(randomBytes(bytes).toBase64()));
}
