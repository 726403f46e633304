/**
 * Streams that are cut, counted and broken, and what the streaming codec must give.
 * @module
 */

import fc from "fast-check";

import { encodeMessage } from "../../codec.ts";
import type { MessageBase } from "../../schema.ts";

/** Cuts bytes or text into pieces of the sizes given, over and over; without sizes it stays whole. */
export function cut<T extends Uint8Array | string>(whole: T, sizes: readonly number[]): T[] {
  const pieces: T[] = [];
  const lengths = sizes.some((size) => size > 0) ? sizes : [Infinity];
  let at = 0;
  while (at < whole.length) {
    const end = Math.min(whole.length, at + (lengths[pieces.length % lengths.length] ?? 1));
    pieces.push(whole.slice(at, end) as T); // slices are of the same kind
    at = end;
  }
  return pieces;
}

/** Sizes of pieces; now and then nothing at all comes. */
export const sizes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 });

/** A stream that counts. */
export interface CountedStream<T> {
  readonly stream: ReadableStream<T>;
  /** How many chunks were asked for. */
  pulls: number;
  /** Why it was cancelled, once it was. */
  reasons: unknown[];
}

/** Makes a stream of chunks that are made when they are asked for; null ends it, an error breaks it. */
export function countedStream<T>(next: (index: number) => T | null): CountedStream<T> {
  const counted: CountedStream<T> = {
    stream: new ReadableStream<T>({
      pull(controller) {
        const chunk = next(counted.pulls++);
        if (chunk === null) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: (reason) => void counted.reasons.push(reason),
    }, { highWaterMark: 0 }),
    pulls: 0,
    reasons: [],
  };
  return counted;
}

/** Makes a stream of what an array holds. */
export function streamOf<T>(chunks: readonly T[]): ReadableStream<T> {
  return countedStream((index) => chunks[index] ?? null).stream;
}

/** Reads a stream of bytes to its end. */
export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

/** Reads a stream of bytes in BYOB mode, with one buffer that is used again. */
export async function readByob(stream: ReadableStream<Uint8Array>, size: number): Promise<Uint8Array> {
  const reader = stream.getReader({ mode: "byob" });
  const parts: Uint8Array[] = [];
  let buffer = new ArrayBuffer(size);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) return concat(parts);
    parts.push(value.slice());
    buffer = value.buffer;
  }
}

/** Joins bytes. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Copies JSON in which bytes may stand, and puts something in the place of those. */
export function replaceBytes(value: unknown, replace: (bytes: Uint8Array) => unknown): unknown {
  if (value instanceof Uint8Array) return replace(value);
  if (Array.isArray(value)) return value.map((item) => replaceBytes(item, replace));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceBytes(item, replace)]));
}

/** Writes JSON in ASCII, one character at a time. */
export function asciiJson(json: string): string {
  return [...Array(json.length).keys()].map((index) => {
    const unit = json.charCodeAt(index);
    return unit < 0x80 ? json[index] : `\\u${unit.toString(16).padStart(4, "0")}`;
  }).join("");
}

/** The text that encoding a message with bytes in it must give. */
export function expectedText(message: unknown): string {
  let count = 0;
  const plain = replaceBytes(message, (bytes) => (count++, bytes.toBase64()));
  const text = encodeMessage(plain as MessageBase); // valid by construction
  return count === 0 ? text : asciiJson(text);
}

// ------------------------------------------------------------------------------------------ generators

const someText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("你好", "\ud800", 'a"b\\c\n', "\\ud800", "😀", ""),
);
const bytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 40 });
const content: fc.Arbitrary<unknown> = fc.oneof({ weight: 3, arbitrary: bytes }, {
  weight: 1,
  arbitrary: bytes.map((data) => data.toBase64()),
});

const { segment } = fc.letrec<{ segment: unknown }>((tie) => ({
  segment: fc.oneof(
    { maxDepth: 3, depthSize: "small", withCrossShrink: true },
    fc.record({ type: fc.constantFrom("text", "at", "reply"), data: someText }),
    fc.record({ type: fc.constantFrom("image", "emoji", "voice", "video"), data: content }),
    fc.record({ type: fc.constantFrom("image", "video"), data: content, summary: someText, n: fc.integer() }),
    fc.record({ type: fc.constant("file"), data: fc.record({ name: someText, base64: content, size: fc.nat() }) }),
    fc.record({ type: fc.constant("file"), data: someText }),
    fc.record({ type: fc.constant("dict"), data: fc.dictionary(someText, fc.integer(), { maxKeys: 2 }) }),
    fc.record({ type: fc.constant("seglist"), data: fc.array(tie("segment"), { maxLength: 4 }) }),
  ),
}));

const user_info = fc.record({ user_id: someText, user_nickname: fc.option(someText) });
const message_info = fc.record({
  ...{
    platform: fc.constantFrom("qq", "平台"),
    message_id: fc.option(someText),
    user_info,
    group_info: fc.constant(null),
  },
  additional_config: fc.dictionary(someText, fc.oneof(someText, fc.constant(null)), { maxKeys: 2 }),
}, { requiredKeys: ["platform"] });

/** Messages in which bytes stand wherever they may. */
export const byteMessages: fc.Arbitrary<Record<string, unknown>> = fc.record({
  message_info,
  message_segment: fc.oneof(
    { weight: 1, arbitrary: segment },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("seglist"), data: fc.array(segment, { maxLength: 5 }) }) },
  ),
  raw_message: fc.option(someText),
}, { requiredKeys: ["message_info", "message_segment"] });
