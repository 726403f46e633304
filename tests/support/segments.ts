/**
 * Messages read segment by segment, for the tests of the streaming decoder.
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";

import {
  decodeMessage,
  decodeSegments,
  type DecodeSegmentsOptions,
  MessageDecodeError,
  type MessageEnvelope,
  segBytes,
  type SegmentReader,
} from "../../codec.ts";
import { decodeTextBlocks } from "../../codec/stream/segment_decoder.ts";
import type { MessageBase, Seg } from "../../schema.ts";
import { cut, readAll, streamOf } from "./chunks.ts";
import { messageText } from "./samples.ts";

export const encoder: TextEncoder = new TextEncoder();

/** Checks a property of so many generated values. */
export function check<T>(numRuns: number, arbitrary: fc.Arbitrary<T>, predicate: (value: T) => unknown): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, async (value) => void await predicate(value)), { numRuns });
}

/** Reads the segments of a text that is cut into blocks of these sizes. */
export function open(text: string, pieces: readonly number[] = [], options?: DecodeSegmentsOptions): SegmentReader {
  return decodeSegments(streamOf(cut(encoder.encode(text), pieces)), options);
}

/** The segments and the envelope of a message. */
export interface Result {
  readonly envelope: MessageEnvelope;
  /** JSON of each segment, with base64 of the bytes it gave. */
  readonly segments: string[];
}

/** Reads the bytes of a segment, if it has some, and puts them in their place. */
export async function filled(segment: Seg): Promise<Seg> {
  const { type, data } = segment;
  const holder = type === "file" && typeof data === "object" && data !== null ? data : segment;
  const key = holder === segment ? "data" : "base64";
  const stream = Reflect.get(holder, key);
  if (stream instanceof ReadableStream) Reflect.set(holder, key, `bytes ${(await readAll(stream)).toBase64()}`);
  return segment;
}

/** Reads every segment of a message. */
export async function readMessage(reader: SegmentReader): Promise<Result> {
  const segments: Seg[] = [];
  for await (const segment of reader) segments.push(await filled(segment));
  return { envelope: await reader.envelope, segments: segments.map((segment) => JSON.stringify(segment)) };
}

/** What a message in memory comes to, in the same terms. */
export function expected(text: string): { envelope: string; segments: string[] } {
  const message = decodeMessage(text) as MessageBase; // the callers make no other
  const { message_segment: top, ...envelope } = message;
  const items = top.type === "seglist" ? top.data as Seg[] : [top];
  const segments = items.map((segment) => {
    const { type, data } = segment;
    if (type === "file" && typeof data === "object" && data !== null && "base64" in data) {
      const isText = typeof data.base64 === "string";
      return JSON.stringify(
        isText ? { ...segment, data: { ...data, base64: `bytes ${segBytes(segment).toBase64()}` } } : segment,
      );
    }
    if (!["image", "emoji", "voice", "video"].includes(type) || typeof data !== "string") {
      return JSON.stringify(segment);
    }
    if (type === "emoji" && /[^\w+/=-]/.test(data.slice(0, 4))) return JSON.stringify(segment);
    return JSON.stringify({ ...segment, data: `bytes ${segBytes(segment).toBase64()}` });
  });
  return { envelope: JSON.stringify(envelope), segments };
}

/** Fails unless the segments of a text are those that `decodeMessage` gives. */
export async function assertSame(text: string, pieces: readonly number[] = []): Promise<void> {
  const { envelope, segments } = expected(text);
  const bytes = await readMessage(open(text, pieces));
  assertEquals([JSON.stringify(bytes.envelope), bytes.segments], [envelope, segments]);
  const whole = pieces.length === 0 ? [text] : cut(text, pieces);
  assertEquals((await readMessage(decodeTextBlocks(whole))).segments, segments);
}

/** Gives the error that ends the reading of a message. */
export async function faultOf(reader: SegmentReader): Promise<MessageDecodeError> {
  return await assertRejects(() => readMessage(reader), MessageDecodeError);
}

/** Builds the text of a message that is one image; its data and more members are given as JSON text. */
export const image = (data: string, more = ""): string => messageText("", `{"type":"image","data":${data}${more}}`);

/** Builds the text of a message with these segments, given as JSON text. */
export const list = (...items: string[]): string => messageText("", `{"type":"seglist","data":[${items.join(",")}]}`);

/** The text of an image. */
export const IMAGE: string = '{"type":"image","data":"AQID"}';
