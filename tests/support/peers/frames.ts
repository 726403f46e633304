/**
 * WebSocket frames (RFC 6455) as bytes, both ways, refusing nothing: a peer for tests has to be able to be wrong.
 * @module
 */

import { Buffer } from "node:buffer";

/** The opcodes of RFC 6455. */
export const OPCODES: OpcodeTable = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** Names for {@linkcode OPCODES}. */
export interface OpcodeTable {
  readonly continuation: 0;
  readonly text: 1;
  readonly binary: 2;
  readonly close: 8;
  readonly ping: 9;
  readonly pong: 10;
}

/** How a frame departs from a plain one. */
export interface FrameOptions {
  /** Whether the message ends here. @default {true} */
  readonly fin?: boolean;
  /** The three reserved bits, RSV1 being 4. @default {0} */
  readonly rsv?: number;
  /** Whether the payload is masked. @default {false} */
  readonly masked?: boolean;
  /** The length the header claims, in bytes. @default {the payload's own} */
  readonly declaredLength?: number;
}

/** Encodes one frame. */
export function encodeFrame(opcode: number, payload: string | Uint8Array, options: FrameOptions = {}): Uint8Array {
  const body = typeof payload === "string" ? Buffer.from(payload) : payload;
  const { fin = true, rsv = 0, masked = false, declaredLength = body.length } = options;
  const lengthBytes = declaredLength < 126 ? 0 : declaredLength < 0x10000 ? 2 : 8;
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = (fin ? 0x80 : 0) | (rsv & 7) << 4 | opcode & 15;
  head[1] = (masked ? 0x80 : 0) | (lengthBytes === 0 ? declaredLength : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(declaredLength, 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(declaredLength), 2);
  if (!masked) return Buffer.concat([head, body]);
  const mask = crypto.getRandomValues(new Uint8Array(4));
  return Buffer.concat([head, mask, applyMask(body, mask)]);
}

function applyMask(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  const masked = new Uint8Array(bytes);
  for (let index = 0; index < masked.length; index++) masked[index]! ^= mask[index & 3]!;
  return masked;
}

/** Encodes the payload of a close frame; no code gives an empty one. */
export function encodeClosePayload(code?: number, reason: string = ""): Uint8Array {
  if (code === undefined) return new Uint8Array(0);
  return Buffer.concat([Uint8Array.of(code >> 8, code & 255), Buffer.from(reason)]);
}

/** One received frame, unmasked. */
export class Frame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly rsv1: boolean;
  readonly masked: boolean;
  readonly payload: Uint8Array;

  /** Keeps the parts of a frame. */
  constructor(first: number, masked: boolean, payload: Uint8Array) {
    this.opcode = first & 15;
    this.fin = (first & 0x80) !== 0;
    this.rsv1 = (first & 0x40) !== 0;
    this.masked = masked;
    this.payload = payload;
  }

  /** The payload as UTF-8; throws if it is not. */
  get text(): string {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.payload);
  }

  /** The code of a close frame; null if it carries none. */
  get code(): number | null {
    return this.payload.length < 2 ? null : this.payload[0]! << 8 | this.payload[1]!;
  }

  /** The reason of a close frame. */
  get reason(): string {
    return new TextDecoder().decode(this.payload.subarray(2));
  }
}

/** Bytes in the order they came, taken in pieces without joining what is not needed yet. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** How many bytes are waiting. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes at the end. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Looks at the first bytes, all of them unless told how many, and leaves them there. */
  peek(count: number = this.#length): Uint8Array {
    if (count === 0) return new Uint8Array(0);
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= count) return first.subarray(0, count);
    let enough = 0;
    let end = 0;
    while (enough < count && end < this.#chunks.length) enough += this.#chunks[end++]!.length;
    const joined = Buffer.concat(this.#chunks.slice(0, end));
    this.#chunks.splice(0, end, joined);
    return joined.subarray(0, count);
  }

  /** Removes and returns the first bytes. */
  take(count: number): Uint8Array {
    if (count === 0) return new Uint8Array(0);
    const taken = this.peek(count);
    const first = this.#chunks.shift();
    if (first !== undefined && first.length > count) this.#chunks.unshift(first.subarray(count));
    this.#length -= count;
    return taken;
  }
}

/** Takes one whole frame from the queue; undefined while it is not all there. */
export function takeFrame(queue: ByteQueue): Frame | undefined {
  const head = Buffer.from(queue.peek(Math.min(queue.length, 14)));
  if (head.length < 2) return undefined;
  const short = head[1]! & 127;
  const masked = (head[1]! & 0x80) !== 0;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const headLength = 2 + lengthBytes + (masked ? 4 : 0);
  if (head.length < headLength) return undefined;
  const length = lengthBytes === 2 ? head.readUInt16BE(2) : lengthBytes === 8 ? Number(head.readBigUInt64BE(2)) : short;
  if (queue.length < headLength + length) return undefined;
  queue.take(headLength);
  const payload = queue.take(length);
  return new Frame(head[0]!, masked, masked ? applyMask(payload, head.subarray(headLength - 4, headLength)) : payload);
}
