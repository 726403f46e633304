/**
 * The long run of the streaming codec: gigabytes from a stream through `encodeStream` and back through
 * `decodeSegments`, compared by hash, with the growth of resident memory.
 *
 * Run: `deno run -A tests/long/stream_long.ts [GIB]` or `bun tests/long/stream_long.ts [GIB]` (default 2). Prints one line for
 * each way of reading; ends with 1 if bytes differ or memory grows by more than 48 MiB.
 * @module
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { decodeSegments, encodeStream } from "../../codec.ts";
import { currentRuntime, runtimeCommand } from "../support/peers/process.ts";

const [GIB, MODE] = [Number(process.argv[2] ?? 2), process.argv[3]];
const LIMIT_MIB = 48;
const CHUNK = 65_536;
const MIB = 2 ** 20;

/** Resident memory now, in MiB. Linux counts it exactly; elsewhere the runtime does. */
function rss(): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
  } catch {
    return process.memoryUsage().rss / MIB;
  }
}

/** Bytes that are never the same twice, each chunk made when it is asked for. */
function source(bytes: number, hash: ReturnType<typeof createHash>): ReadableStream<Uint8Array> {
  const block = crypto.getRandomValues(new Uint8Array(CHUNK));
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      // A size that is no multiple of three, so that every chunk leaves a carry.
      const chunk = block.slice(0, Math.min(left, CHUNK));
      new DataView(block.buffer).setFloat64(8 * (left % 8000), left);
      hash.update(chunk);
      left -= chunk.length;
      controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
}

type Read = (stream: ReadableStream<Uint8Array>) => AsyncIterable<Uint8Array>;

const byDefault: Read = (stream) => stream;

/** Reads into one buffer, again and again. */
async function* byBuffer(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(262_144);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) return;
    yield value;
    buffer = value.buffer;
  }
}

async function run(name: string, read: Read, bytes: number): Promise<{ growth: number; isEqual: boolean }> {
  const [sent, got] = [createHash("sha1"), createHash("sha1")];
  const message = {
    message_info: { platform: "qq", user_info: { user_id: "1", user_nickname: "张三" } },
    message_segment: { type: "seglist", data: [{ type: "video", data: source(bytes, sent) }] },
  };
  const before = rss();
  const began = performance.now();
  let peak = before;
  let count = 0;
  let chunks = 0;
  for await (const { data } of decodeSegments(encodeStream(message))) {
    for await (const chunk of read(data as ReadableStream<Uint8Array>)) {
      got.update(chunk);
      count += chunk.length;
      if (chunks++ % 64 === 0) peak = Math.max(peak, rss());
    }
  }
  const seconds = (performance.now() - began) / 1000;
  const isEqual = count === bytes && sent.digest("hex") === got.digest("hex");
  const growth = Math.max(peak, rss()) - before;
  process.stdout.write(
    `${currentRuntime}, ${name}: ${(bytes / 2 ** 30).toFixed(2)} GiB there and back, ${
      isEqual ? "equal" : "NOT EQUAL"
    }, RSS ${before.toFixed(0)} + ${growth.toFixed(1)} MiB, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s\n`,
  );
  return { growth, isEqual };
}

const MODES: Readonly<Record<string, Read>> = { "default readers": byDefault, "BYOB readers": byBuffer };

if (MODE === undefined) {
  // Each in a process of its own: what one leaves behind would hide what the other takes.
  const codes = Object.keys(MODES).map((mode) => {
    const [command, args] = runtimeCommand(currentRuntime, fileURLToPath(import.meta.url), [`${GIB}`, mode]);
    return spawnSync(command, args, { stdio: "inherit" }).status;
  });
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
} else {
  const read = MODES[MODE] ?? byDefault;
  // Once with little, so that growth is of the data and not of code that is compiled.
  await run("warm-up", read, 4 * MIB);
  const { growth, isEqual } = await run(MODE, read, GIB * 2 ** 30);
  process.exitCode = isEqual && growth < LIMIT_MIB ? 0 : 1;
}
