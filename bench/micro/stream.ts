/**
 * Times the streaming codec against the same done in memory, or takes the peak of memory of one way to do it.
 *
 *     deno|bun run bench/micro/stream.ts time BYTES ROUNDS SAMPLE_MS
 *     deno|bun run bench/micro/stream.ts rss BYTES CASE
 *
 * Prints one line of JSON: milliseconds per call and round by case, or MiB.
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";

import { decodeSegments, encodeMessage, encodeStream } from "../../codec.ts";
import { createRandom, shuffled } from "../stats.ts";
import { type Samples, sink } from "./measure.ts";

type AsyncCase = () => unknown;

const [mode = "time", size = "1000000", third = "11", sampleMs = "20"] = process.argv.slice(2);
const bytes = Number(size);
const image = new Uint8Array(bytes);
for (let at = 0; at < bytes; at += 65536) crypto.getRandomValues(image.subarray(at, at + 65536));

const messageOf = (data: unknown) => ({
  message_info: { platform: "qq", user_info: { user_id: "1", user_nickname: "张三" } },
  message_segment: { type: "seglist", data: [{ type: "image", data }] },
});

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function binaryString(): string {
  let text = "";
  // A multiple of three short enough for the stack: the quickest that is known.
  for (let at = 0; at < bytes; at += 24_573) text += btoa(String.fromCharCode(...image.subarray(at, at + 24_573)));
  return text;
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const piece of stream) sink.value = piece;
}

/** The one buffer of the careful reader. */
let buffer = new ArrayBuffer(262_144);

async function drainByob(stream: ReadableStream<Uint8Array>): Promise<void> {
  const reader = stream.getReader({ mode: "byob" });
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (value !== undefined) buffer = value.buffer;
    if (done) return;
    sink.value = value.length;
  }
}

/** The text in the chunks of a file. */
function* chunks(text: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < text.length; at += 65_536) yield text.subarray(at, at + 65_536);
}

async function decodeStreamed(text: Uint8Array, read: (stream: ReadableStream<Uint8Array>) => Promise<void>) {
  for await (const { data } of decodeSegments(chunks(text))) await read(data as ReadableStream<Uint8Array>); // an image
}

/** Makes the text without what is thrown away on other ways: that would hide what a case takes. */
async function makeText(): Promise<Uint8Array> {
  const text = new Uint8Array(Math.ceil(bytes / 3) * 4 + 1000);
  let at = 0;
  for await (const chunk of encodeStream(messageOf(image))) {
    text.set(chunk, at);
    at += chunk.length;
  }
  return text.subarray(0, at);
}

const text = await makeText();

/** Those of one group are compared with one another. */
function groups(): readonly Readonly<Record<string, AsyncCase>>[] {
  const parse = () => JSON.parse(decoder.decode(text)).message_segment.data[0].data as string; // as made above
  return [
    {
      "btoa + stringify": () => JSON.stringify(messageOf(binaryString())),
      "toBase64 + stringify": () => JSON.stringify(messageOf(image.toBase64())),
      encodeMessage: () => encodeMessage(messageOf(image)),
    },
    {
      "copy encoded": () => text.slice(),
      "toBase64 + stringify + TextEncoder": () => encoder.encode(JSON.stringify(messageOf(image.toBase64()))),
      encodeStream: () => drain(encodeStream(messageOf(image))),
      "encodeStream, BYOB": () => drainByob(encodeStream(messageOf(image))),
    },
    {
      "copy decoded": () => image.slice(),
      "TextDecoder + parse + atob": () => Uint8Array.from(atob(parse()), (char) => char.charCodeAt(0)),
      "TextDecoder + parse + fromBase64": () => Uint8Array.fromBase64(parse()),
      decodeSegments: () => decodeStreamed(text, drain),
      "decodeSegments, BYOB": () => decodeStreamed(text, drainByob),
    },
  ];
}

async function time(run: AsyncCase, calls: number): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < calls; call++) sink.value = await run();
  return (performance.now() - start) / calls;
}

async function measure(group: Readonly<Record<string, AsyncCase>>, rounds: number): Promise<Samples> {
  const random = createRandom(5);
  const all = Object.entries(group);
  const calls = new Map<string, number>();
  for (const [name, run] of all) {
    await time(run, bytes > 5e6 ? 1 : 20);
    const once = await time(run, bytes > 5e6 ? 1 : 5);
    calls.set(name, Math.max(1, Math.round(Number(sampleMs) / once)));
  }
  const samples: Samples = Object.fromEntries(all.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of shuffled(all, random)) samples[name]?.push(await time(run, calls.get(name) ?? 1));
  }
  return samples;
}

const highest = (): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? NaN) / 1024;

async function peak(name: string): Promise<number> {
  const run = groups().map((group) => group[name]).find((found) => found !== undefined);
  if (run === undefined) throw new RangeError(`Expected a case: got ${name}`);
  const before = highest();
  await time(run, 3);
  return highest() - before;
}

async function measureAll(rounds: number): Promise<Samples> {
  const samples: Samples = {};
  for (const group of groups()) Object.assign(samples, await measure(group, rounds));
  return samples;
}

const result = mode === "rss" ? await peak(third) : await measureAll(Number(third));
// deno-lint-ignore no-console -- this is a program.
console.log(JSON.stringify(result));
