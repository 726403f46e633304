/**
 * Does with the codec what may abort the process or never end, and prints one line: see `codec_test.ts`.
 * @module
 */

import process from "node:process";

import { decodeMessage, encodeMessage, MessageDecodeError, MessageEncodeError } from "../../../codec.ts";

const HUGE = 2 ** 28;
const MAX_BYTES = 2 ** 29;
/** Half of what one copy of the string takes is plenty for everything else. */
const CHEAP_BYTES = HUGE / 2;

/** Makes a flat string of one-byte characters; `repeat` would leave a rope. */
function hugeText(): string {
  return new TextDecoder("latin1").decode(new Uint8Array(HUGE).fill(0x41));
}

function withImage(data: string) {
  return { message_info: { platform: "qq" }, message_segment: { type: "image", data } };
}

function refuse(fn: () => unknown): string {
  const before = process.memoryUsage().rss;
  try {
    fn();
  } catch (error) {
    if (!(error instanceof MessageDecodeError) && !(error instanceof MessageEncodeError)) throw error;
    const taken = process.memoryUsage().rss - before;
    return `refused ${error.code}, ${taken < CHEAP_BYTES ? "cheaply" : `taking ${taken} bytes`}`;
  }
  return "refused nothing";
}

const TASKS: Readonly<Record<string, () => string>> = {
  "encode-huge": () => `wrote ${encodeMessage(withImage(hugeText()), { maxBytes: MAX_BYTES }).length}`,
  "encode-huge-key": () => {
    const message = { message_type_name: "poke", content: { [hugeText()]: 1 }, is_custom_message: true } as const;
    return `wrote ${encodeMessage(message, { maxBytes: MAX_BYTES }).length}`;
  },
  "refuse-huge": () => {
    const message = withImage(hugeText());
    return refuse(() => encodeMessage(message));
  },
  "refuse-huge-key": () => {
    const message = { message_type_name: "poke", content: { [hugeText()]: 1 }, is_custom_message: true } as const;
    return refuse(() => encodeMessage(message));
  },
  "refuse-huge-text": () => {
    const text = hugeText();
    return refuse(() => decodeMessage(text));
  },
  "decode-polluted": () => {
    Object.assign(Object.prototype, { polluting: {} });
    decodeMessage('{"message_info":{"platform":"qq"},"message_segment":{"type":"text","data":"hi"}}');
    return "decoded";
  },
};

process.stdout.write(`${TASKS[process.argv[2] ?? ""]?.() ?? "no such task"}\n`);
