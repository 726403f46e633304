/**
 * A program for `transfers_long.ts`: sends a file there and back over one connection, and small messages meanwhile.
 * @module
 */

import { createHash, type Hash } from "node:crypto";

import { createMessage, type DecodedSeg, MessageClient, plainText, seg } from "../../../mod.ts";
import { pause } from "../../long/soak/pause.ts";
import { answerWith } from "../../long/soak/programs/answers.ts";
import { withTimeout } from "./inbox.ts";
import { outcomeOf } from "./transfer_server.ts";

/** Milliseconds that small messages took, there and back, from the moment each was due. */
export interface RoundTrips {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Never answered. */
  readonly lost: number;
}

/** What became of one file. */
export interface TransferResult {
  /** `ok`, or what ended the sending. */
  readonly sent: string;
  /** `ok`, or what ended the reading. */
  readonly received: string;
  /** Whether what came back is what was sent. */
  readonly isEqual: boolean;
  /** Whether the source was read to its end or cancelled. */
  readonly isReleased: boolean;
  readonly seconds: number;
  readonly trips: RoundTrips;
}

/** What it answers. */
export interface TransferClientAnswers {
  connect(url: string): Promise<void>;
  /** Small messages and nothing else. */
  idle(seconds: number): Promise<RoundTrips>;
  /** One file there and back, small messages meanwhile. */
  transfer(bytes: number): Promise<TransferResult>;
  /** Waits for the connection to be there again. */
  reopened(): Promise<void>;
  state(): { state: string; waiting: number; dropped: number; invalid: number };
}

const PLATFORM = "qq";
/** Milliseconds between two small messages. */
const EVERY = 10;
/** Makes a small message one of 200 bytes. */
const PADDING = ".".repeat(44);
const CHUNK = 65_536;
const PATIENCE = 300_000;

/** Sends small messages at their time, however late the ones before come back. */
class Pacer {
  readonly #client: MessageClient;
  readonly #dueAt = new Map<string, number>();
  readonly #times: number[] = [];
  readonly #remove: () => void;
  #isRunning = true;
  readonly #done: Promise<void>;

  constructor(client: MessageClient) {
    this.#client = client;
    this.#remove = client.on("message", (message) => this.#land(plainText(message)));
    this.#done = this.#run();
  }

  /** Ends it and counts. */
  async stop(): Promise<RoundTrips> {
    this.#isRunning = false;
    await this.#done;
    for (let left = 200; this.#dueAt.size > 0 && left > 0; left--) await pause(5);
    this.#remove();
    const times = this.#times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
    return { count: times.length, p50: at(0.5), p99: at(0.99), max: at(1), lost: this.#dueAt.size };
  }

  async #run(): Promise<void> {
    let number = 0;
    for (let due = performance.now(); this.#isRunning; due += EVERY) {
      const now = performance.now();
      if (due > now) await pause(due - now);
      const text = `${number++}${PADDING}`;
      this.#dueAt.set(text, due);
      if (this.#client.status.state === "open") {
        this.#client.send(createMessage({ platform: PLATFORM, user: "1" }, seg.text(text)));
      }
    }
  }

  #land(text: string): void {
    const due = this.#dueAt.get(text);
    if (due === undefined) return;
    this.#dueAt.delete(text);
    this.#times.push(performance.now() - due);
  }
}

interface Source {
  readonly stream: ReadableStream<Uint8Array>;
  readonly hash: Hash;
  isReleased: boolean;
}

/** A file of noise, each chunk made when it is asked for. */
function sourceOf(bytes: number): Source {
  const block = crypto.getRandomValues(new Uint8Array(CHUNK));
  let left = bytes;
  const source: Source = {
    hash: createHash("sha1"),
    isReleased: false,
    stream: new ReadableStream({
      type: "bytes",
      pull(controller: ReadableByteStreamController) {
        if (left === 0) {
          source.isReleased = true;
          controller.close();
          return controller.byobRequest?.respond(0);
        }
        new DataView(block.buffer).setFloat64(8 * (left % 8000), left);
        const chunk = block.subarray(0, Math.min(left, CHUNK));
        source.hash.update(chunk);
        left -= chunk.length;
        const view = controller.byobRequest?.view;
        if (view === undefined || view === null || view.byteLength < chunk.length) {
          return controller.enqueue(chunk.slice());
        }
        new Uint8Array(view.buffer, view.byteOffset).set(chunk);
        controller.byobRequest?.respond(chunk.length);
      },
      cancel: () => void (source.isReleased = true),
    }),
  };
  return source;
}

async function digestOf(segments: AsyncIterable<DecodedSeg>): Promise<string> {
  const hash = createHash("sha1");
  for await (const { data } of segments) {
    const { base64 } = data as { base64: ReadableStream<Uint8Array> }; // the server sends back what we sent
    const reader = base64.getReader({ mode: "byob" });
    for (let buffer = new ArrayBuffer(CHUNK);;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) break;
      hash.update(value);
      buffer = value.buffer;
    }
  }
  return hash.digest("hex");
}

/** Waits for the file to come back; gives its digest, or what went wrong. */
function receive(client: MessageClient): { digest: Promise<string>; forget: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const forget = client.on("stream", (_envelope, segments) => void digestOf(segments).then(resolve, reject));
  const removeStatus = client.on("status", ({ state }) => {
    // A line that falls before the answer has begun ends the wait; one that has begun has an end of its own first.
    if (state !== "open") setTimeout(() => reject(new Error("nothing came")), 1000);
  });
  promise.catch(() => {}); // whoever waits for it hears of it
  return { digest: promise, forget: () => (forget(), removeStatus()) };
}

async function transfer(client: MessageClient, bytes: number): Promise<TransferResult> {
  const began = performance.now();
  const pacer = new Pacer(client);
  const source = sourceOf(bytes);
  const { digest, forget } = receive(client);
  const file = { type: "file", data: { name: "noise.bin", base64: source.stream } };
  const sending = client.sendStream({
    message_info: { platform: PLATFORM, user_info: { user_id: "1", user_nickname: "张三" } },
    message_segment: { type: "seglist", data: [file] },
  });
  const outcome = (promise: Promise<unknown>): Promise<string> =>
    withTimeout(promise, PATIENCE, () => "the end of a transfer").then(() => "ok", outcomeOf);
  const [sent, received] = await Promise.all([outcome(sending), outcome(digest)]);
  forget();
  const trips = await pacer.stop();
  const isEqual = received === "ok" && await digest === source.hash.digest("hex");
  const { isReleased } = source;
  return { sent, received, isEqual, isReleased, seconds: (performance.now() - began) / 1000, trips };
}

let client: MessageClient | null = null;

function current(): MessageClient {
  if (client === null) throw new Error("Cannot go on: not connected");
  return client;
}

await answerWith<TransferClientAnswers>({
  async connect(url) {
    client = new MessageClient(url, { platform: PLATFORM, reconnect: { minDelay: 50, maxDelay: 200 } });
    client.on("drop", () => {}); // small messages in doubt, when the line is cut
    await client.connect();
  },
  async idle(seconds) {
    const pacer = new Pacer(current());
    await pause(seconds * 1000);
    return await pacer.stop();
  },
  transfer: (bytes) => transfer(current(), bytes),
  async reopened() {
    for (let left = 500; current().status.state !== "open"; left--) {
      if (left === 0) throw new Error("Cannot go on: the connection did not come back");
      await pause(20);
    }
  },
  state() {
    const { status: { state }, stats: { waiting, dropped, invalid } } = current();
    return { state, waiting, dropped, invalid };
  },
});
