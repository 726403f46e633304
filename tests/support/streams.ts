/**
 * Messages with streams of bytes in them, and readers for what arrives.
 * @module
 */

import { assert } from "@std/assert";
import { Buffer } from "node:buffer";

import { createMessage, type DecodedSeg, type Seg, type SegmentReader, type StreamMessage } from "../../mod.ts";
import { soon } from "./peers/inbox.ts";

const USER = { user_id: "10001", user_nickname: "张三" };

/** A message of these segments; bytes and streams of bytes may stand in them. */
export function messageOf(...segs: readonly StreamMessage["message_segment"][]): StreamMessage {
  return { ...createMessage({ platform: "qq", user: USER }), message_segment: { type: "seglist", data: segs } as Seg };
}

/** A stream that a test watches. */
export interface Source {
  readonly stream: ReadableStream<Uint8Array>;
  /** Times it was asked for bytes so far. */
  taken: number;
  /** Resolves with the reason when it is cancelled. */
  readonly cancelled: Promise<unknown>;
}

/** A stream that gives the same bytes each time it is asked, `count` times; without an end by default. */
export function sourceOf(bytes: Uint8Array, count: number = Infinity): Source {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const source: Source = {
    taken: 0,
    cancelled: promise,
    stream: new ReadableStream({
      pull(controller) {
        if (source.taken === count) return controller.close();
        source.taken++;
        controller.enqueue(bytes.slice());
      },
      cancel: resolve,
    }, { highWaterMark: 0 }),
  };
  return source;
}

/** A stream that never gives anything and never ends. */
export function silentSource(): Source {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const stream = new ReadableStream<Uint8Array>({ pull: () => promise.then(() => {}), cancel: resolve });
  return { taken: 0, cancelled: promise, stream };
}

/** Joins bytes as base64: comparing arrays takes so long that timers run out meanwhile. */
export function base64Of(...blocks: readonly Uint8Array[]): string {
  return Buffer.concat(blocks).toString("base64");
}

/** Reads a stream of bytes to its end, as base64. */
export async function readBytes(stream: ReadableStream<Uint8Array>): Promise<string> {
  return base64Of(...await Array.fromAsync(stream));
}

/** Reads all segments, their bytes too, as base64. */
export async function readSegments(segments: AsyncIterable<DecodedSeg>): Promise<Seg[]> {
  const all: Seg[] = [];
  for await (const { type, data } of segments) {
    if (data instanceof ReadableStream) {
      all.push({ type, data: await readBytes(data) });
    } else if (type === "file") {
      const file = data as { base64: ReadableStream<Uint8Array> };
      all.push({ type, data: { ...file, base64: await readBytes(file.base64) } });
    } else all.push({ type, data } as Seg);
  }
  return all;
}

/** Takes the stream of the first segment. */
export async function firstBytes(segments: SegmentReader): Promise<ReadableStream<Uint8Array>> {
  const { value } = await soon(segments.next());
  assert(value?.data instanceof ReadableStream);
  return value.data;
}
