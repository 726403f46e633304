/**
 * A peer that speaks `maim_chunk` by hand, for either end of a connection: it says what it is told, right or wrong.
 * @module
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

import type { WaitOptions } from "./inbox.ts";
import { RawPeer, type RawServer } from "./raw.ts";

/** What a frame of `maim_chunk` says; PROTOCOL.md lists what belongs to each `op`. */
export interface SpokenChunk {
  readonly op: string;
  readonly id: number;
  readonly flow?: boolean;
  readonly n?: number;
  readonly length?: number;
  readonly data?: string;
  readonly crc?: number;
  readonly reason?: string;
  readonly limit?: number;
}

/** The header by which a client asks for everything there is. */
export const HELLO = "1; chunks, ping";

/** A custom message as text. */
export function customText(name: string, content: unknown): string {
  return JSON.stringify({ is_custom_message: true, message_type_name: name, content, platform: "qq" });
}

/** The frames of a text in one piece, without flow. */
export function chunksOf(id: number, text: string): [open: SpokenChunk, data: SpokenChunk, end: SpokenChunk] {
  const { length } = text;
  return [
    { op: "open", id, flow: false, length },
    { op: "data", id, n: 0, data: text },
    { op: "end", id, n: 1, length, crc: crc32(Buffer.from(text)) },
  ];
}

/** One connection on which chunks are spoken by hand. */
export class ChunkPeer implements AsyncDisposable {
  /** The connection below. */
  readonly raw: RawPeer;

  /** Takes over a connection whose handshake is done. */
  constructor(raw: RawPeer) {
    this.raw = raw;
  }

  /** Connects to a server and hears its hello. */
  static async connect(url: string, hello: string = HELLO): Promise<ChunkPeer> {
    const raw = await RawPeer.connect(url, { headers: [["platform", "qq"], ["maim-hello", hello]] });
    const message = await raw.message();
    if (!message?.text.includes('"maim_hello"')) throw new Error("The first frame is no hello");
    return new ChunkPeer(raw);
  }

  /** Accepts the next client and agrees to features; without them it says something ordinary, as Python would. */
  static async accept(server: RawServer, features: readonly string[] | null = ["chunks", "ping"]): Promise<ChunkPeer> {
    const raw = await server.next();
    raw.accept();
    raw.text(features === null ? customText("hi", null) : customText("maim_hello", { version: 1, features }));
    return new ChunkPeer(raw);
  }

  /** Says something, whatever it is. */
  say(...contents: readonly unknown[]): void {
    for (const content of contents) this.raw.text(customText("maim_chunk", content));
  }

  /** Takes the next frame of chunks; what else comes before it is passed over. */
  async next({ timeoutMs = 5000 }: WaitOptions = {}): Promise<SpokenChunk> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const message = await this.raw.message({ timeoutMs: Math.max(1, deadline - performance.now()) });
      if (message === null) throw new Error("The connection ended before a frame of chunks came");
      const { message_type_name: name, content } = JSON.parse(message.text);
      if (name === "maim_chunk") return content;
    }
  }

  /** Takes the next frame of chunks that says something, passing over others. */
  async nextOf(op: string, options: WaitOptions = {}): Promise<SpokenChunk> {
    for (;;) {
      const frame = await this.next(options);
      if (frame.op === op) return frame;
    }
  }

  /** Takes the next message that is none of the library's own. */
  async nextText({ timeoutMs = 5000 }: WaitOptions = {}): Promise<string> {
    for (;;) {
      const message = await this.raw.message({ timeoutMs });
      if (message === null) throw new Error("The connection ended before a message came");
      if (!message.text.includes('"maim_')) return message.text;
    }
  }

  /** Drops the connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.raw[Symbol.asyncDispose]();
  }
}
