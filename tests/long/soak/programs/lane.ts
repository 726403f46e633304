/**
 * A WebSocket that sends one message over and over, numbered, and checks that each comes back once and in order. Made
 * of bytes: frames are copied from a template and answers are read where their number must be, so that the load is
 * cheaper than what it loads.
 * @module
 */

import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

import { createMessage, seg } from "../../../../mod.ts";
import { encodeClosePayload, encodeFrame, OPCODES } from "../../../support/peers/frames.ts";
import { encodeRequest } from "../../../support/peers/handshake.ts";
import { withTimeout } from "../../../support/peers/inbox.ts";
import { pause } from "../pause.ts";

/** What one lane, or all together, have counted. */
export interface LaneCounts {
  sent: number;
  echoed: number;
  /** Did not come back in ten seconds, or never could. */
  lost: number;
  /** Came back twice, in another order, or changed. */
  wrong: number;
  /** Connections that ended well and were made again. */
  returns: number;
  /** Connections that ended otherwise. */
  falls: number;
}

const DIGITS = 10;
const PATIENCE = 10_000;
const MASK_BYTES = 4;
/** Header of a frame of 126 to 65,535 bytes. */
const HEAD_BYTES = 4;
const ZERO = 48;

/** A frame masked with zeros, which leaves the payload as it is; `at` is where the number stands in the payload. */
function createTemplate(platform: string): { frame: Uint8Array; at: number; size: number } {
  const blank = "0".repeat(DIGITS);
  const message = createMessage(
    { platform, user: "10001", message_id: blank },
    seg.text("a message of a usual length"),
  );
  const payload = Buffer.from(JSON.stringify(message));
  const [first = 0, second = 0, ...length] = encodeFrame(OPCODES.text, payload).subarray(0, HEAD_BYTES);
  const head = Uint8Array.of(first, second | 0x80, ...length, ...new Uint8Array(MASK_BYTES));
  return { frame: Buffer.concat([head, payload]), at: payload.indexOf(blank), size: payload.length };
}

/** One connection, and those that follow it under its name. */
export class Lane {
  readonly #url: string;
  readonly #platform: string;
  readonly #counts: LaneCounts;
  readonly #onEchoes: (lane: Lane, count: number) => void;
  readonly #template: ReturnType<typeof createTemplate>;
  #socket: Socket | null = null;
  #ended: Promise<void> = Promise.resolve();
  #rest: Uint8Array = new Uint8Array(0);
  #isHeadRead = false;
  #isLeaving = false;
  #upgraded = Promise.withResolvers<void>();
  #nextSent = 0;
  #nextEcho = 0;

  /** Prepares a lane; `onEchoes` is called with how many came back at once. */
  constructor(url: string, platform: string, counts: LaneCounts, onEchoes: (lane: Lane, count: number) => void) {
    this.#url = url;
    this.#platform = platform;
    this.#counts = counts;
    this.#onEchoes = onEchoes;
    this.#template = createTemplate(platform);
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#socket !== null && this.#isHeadRead && !this.#isLeaving;
  }

  /** Messages that have not come back yet. */
  get underWay(): number {
    return this.#nextSent - this.#nextEcho;
  }

  /** Connects; rejects if it is not let in within ten seconds. */
  async open(): Promise<void> {
    const { hostname, port } = new URL(this.#url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#isHeadRead = this.#isLeaving = false;
    this.#rest = new Uint8Array(0);
    this.#upgraded = Promise.withResolvers<void>();
    this.#upgraded.promise.catch(() => {}); // nobody may be waiting for it any more
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.on("error", () => {}); // "close" follows
    socket.once("close", () => {
      resolve();
      this.#end();
    });
    this.#socket = socket;
    socket.write(encodeRequest(new URL(this.#url), [["platform", this.#platform]]));
    await withTimeout(this.#upgraded.promise, PATIENCE, () => "the handshake");
  }

  /** Sends so many messages at once. */
  send(count: number): void {
    const { frame, at } = this.#template;
    const bytes = Buffer.allocUnsafe(frame.length * count);
    for (let index = 0; index < count; index++) {
      const start = index * frame.length;
      bytes.set(frame, start);
      let number = this.#nextSent++;
      for (let place = start + HEAD_BYTES + MASK_BYTES + at + DIGITS - 1; number > 0; place--) {
        bytes[place] = ZERO + number % 10;
        number = Math.floor(number / 10);
      }
    }
    this.#counts.sent += count;
    this.#socket?.write(bytes);
  }

  /** Waits for what is under way, says goodbye and waits for the end of the connection. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const late = performance.now() + PATIENCE;
    while (this.underWay > 0 && this.#socket !== null && performance.now() < late) await pause(5);
    const socket = this.#socket;
    if (socket === null) return;
    socket.write(encodeFrame(OPCODES.close, encodeClosePayload(1000), { masked: true }));
    const isAnswered = await withTimeout(this.#ended, PATIENCE, () => "the end").then(() => true, () => false);
    if (isAnswered) this.#counts.returns++;
    else this.#counts.falls++;
    socket.destroy();
    await this.#ended;
  }

  #end(): void {
    this.#socket = null;
    this.#upgraded.reject(new Error("Connection closed in the handshake"));
    this.#counts.lost += this.underWay;
    this.#nextEcho = this.#nextSent;
    if (!this.#isLeaving) this.#counts.falls++;
  }

  #take(chunk: Uint8Array): void {
    const bytes = Buffer.from(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]));
    let at = 0;
    if (!this.#isHeadRead) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return void (this.#rest = bytes);
      if (!bytes.subarray(0, end).toString("latin1").startsWith("HTTP/1.1 101")) return void this.#socket?.destroy();
      this.#isHeadRead = true;
      at = end + 4;
      this.#upgraded.resolve();
    }
    const before = this.#counts.echoed;
    for (;;) {
      const next = this.#frame(bytes, at);
      if (next < 0) break;
      at = next;
    }
    this.#rest = bytes.subarray(at);
    const echoed = this.#counts.echoed - before;
    if (echoed > 0) this.#onEchoes(this, echoed);
  }

  /** Reads the frame that begins there; gives where the next one does, -1 if this one is not whole. */
  #frame(bytes: Buffer, at: number): number {
    if (bytes.length < at + 2) return -1;
    const short = bytes[at + 1] ?? 0;
    if (short < 126) {
      const end = at + 2 + short;
      if (bytes.length < end) return -1;
      this.#control((bytes[at] ?? 0) & 15, bytes.subarray(at + 2, end));
      return end;
    }
    const { size, at: place } = this.#template;
    const end = at + HEAD_BYTES + size;
    if (bytes.length < end) return -1;
    let number = 0;
    for (let digit = at + HEAD_BYTES + place; digit < at + HEAD_BYTES + place + DIGITS; digit++) {
      number = number * 10 + (bytes[digit] ?? 0) - ZERO;
    }
    const isWhole = bytes.readUInt16BE(at + 2) === size;
    if (isWhole && number === this.#nextEcho) this.#counts.echoed++;
    else this.#counts.wrong++;
    this.#nextEcho++;
    return end;
  }

  #control(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODES.ping) this.#socket?.write(encodeFrame(OPCODES.pong, payload, { masked: true }));
    // The server's answer to our goodbye, or its own: either way it ends the connection, and we do if it does not.
    else if (opcode === OPCODES.close) this.#socket?.end();
    else this.#counts.wrong++;
  }
}
