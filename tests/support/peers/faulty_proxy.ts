/**
 * A TCP proxy with faults: it resets, ends, stalls or swallows, on the newest WebSocket or on everything.
 * @module
 */

import { once } from "node:events";
import { Buffer } from "node:buffer";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

import { ByteQueue, OPCODES, takeFrame } from "./frames.ts";

/** A time in which nothing passed on to the server although the client could send, or the server's close did not pass. */
export interface DeafTime {
  readonly since: number;
  /** `Infinity` if it never ended. */
  until: number;
}

/** Which bytes a line swallows: those to the server, those to the client. */
export interface Swallowed {
  up: boolean;
  down: boolean;
}

/** What is behind the head of an HTTP answer begins here. */
const HEAD_END = "\r\n\r\n";

function whenClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}

interface LineOptions {
  /** Passes on the answer to the handshake, and nothing after it. */
  readonly cuts: boolean;
  /** Bytes went to the client. */
  readonly heard: () => void;
  /** A text frame has passed on to the server. */
  readonly passed: (text: string) => void;
}

/** One connection through the proxy. */
class Line {
  readonly #inner: Socket;
  readonly #outer: Socket;
  readonly #swallowed: Swallowed = { up: false, down: false };
  readonly #heard: () => void;
  readonly #passed: (text: string) => void;
  readonly #frames = new ByteQueue();
  readonly #cutsAfterAnswer: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Time at which something last passed on to the server: what was sent later has not passed. */
  #passedAt = performance.now();
  isWebSocket = false;
  readonly deaf: DeafTime[] = [];
  readonly closed: Promise<unknown>;

  constructor(inner: Socket, port: number, { cuts, heard, passed }: LineOptions) {
    this.#inner = inner;
    this.#outer = connect(port, "127.0.0.1");
    this.#cutsAfterAnswer = cuts;
    this.#heard = heard;
    this.#passed = passed;
    inner.on("data", (bytes) => this.#up(bytes));
    this.#outer.on("data", (bytes) => this.#down(bytes));
    for (const [socket, other] of [[inner, this.#outer], [this.#outer, inner]] as const) {
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      // A half-open line stays: its other end hears nothing of an end.
      const isHidden = () => socket === inner ? this.#swallowed.up : this.#swallowed.down;
      socket.on("end", () => void (isHidden() || other.end()));
      socket.on("close", () => void (isHidden() || other.destroy()));
    }
    this.closed = Promise.all([inner, this.#outer].map(whenClosed));
  }

  get isOpen(): boolean {
    return !this.#inner.destroyed && !this.#outer.destroyed;
  }

  #up(bytes: Uint8Array): void {
    const isHead = !this.isWebSocket && /^upgrade: websocket/im.test(Buffer.from(bytes).toString("latin1"));
    this.isWebSocket ||= isHead;
    if (this.#swallowed.up || !this.#outer.writable) return;
    this.#passedAt = performance.now();
    this.#outer.write(bytes);
    if (!this.isWebSocket || isHead) return; // nothing follows a handshake before it is answered
    this.#frames.push(bytes);
    for (let frame = takeFrame(this.#frames); frame !== undefined; frame = takeFrame(this.#frames)) {
      if (frame.opcode === OPCODES.text) this.#passed(frame.text);
    }
  }

  #down(bytes: Uint8Array): void {
    if (this.#swallowed.down) return this.#swallowedDown();
    if (!this.#inner.writable) return;
    this.#heard();
    if (!this.#cutsAfterAnswer || !this.isWebSocket) return void this.#inner.write(bytes);
    this.#inner.write(bytes.subarray(0, Buffer.from(bytes).indexOf(HEAD_END) + HEAD_END.length));
    this.swallow({ up: true, down: true });
  }

  /** It may have been a close frame, after which the server handles nothing more. */
  #swallowedDown(): void {
    if (this.deaf.every(({ until }) => until < Infinity)) this.#beginDeaf(performance.now());
  }

  swallow({ up, down }: Swallowed): void {
    if (up && !this.#swallowed.up) this.#beginDeaf(this.#passedAt);
    if (up) this.#swallowed.up = true;
    if (down) this.#swallowed.down = true;
  }

  #beginDeaf(since: number): DeafTime {
    const time: DeafTime = { since, until: Infinity };
    this.deaf.push(time);
    return time;
  }

  /** Passes nothing on for a while, then everything. */
  stall(ms: number): void {
    if (!this.isOpen) return;
    clearTimeout(this.#timer);
    const time = this.#beginDeaf(this.#passedAt);
    for (const socket of [this.#inner, this.#outer]) socket.pause();
    this.#timer = setTimeout(() => {
      if (!this.isOpen) return;
      for (const socket of [this.#inner, this.#outer]) socket.resume();
      time.until = performance.now();
    }, ms);
  }

  reset(): void {
    for (const socket of [this.#inner, this.#outer]) socket.resetAndDestroy();
  }

  /** Ends both directions after what has been passed on. */
  finish(): void {
    for (const socket of [this.#inner, this.#outer]) socket.end();
  }

  async end(): Promise<void> {
    clearTimeout(this.#timer);
    for (const socket of [this.#inner, this.#outer]) socket.destroy();
    await this.closed;
  }
}

/** A proxy in front of one server; one client at a time is expected to dial it. */
export class FaultyProxy {
  readonly url: string;
  /** Port of the server; a server that is started again may listen elsewhere. */
  target: number;
  /** Times at which bytes went to the client. */
  readonly heardAt: number[] = [];
  /** Is told each text that has passed on to the server in one frame. */
  onText: (text: string) => void = () => {};
  readonly #server: Server;
  readonly #lines: Line[] = [];
  #frozenUntil = 0;
  #cutsNext = false;

  /** Keeps the parts; use {@linkcode FaultyProxy.listen}. */
  constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  }

  /** Starts a proxy on a free port. */
  static async listen(target: number): Promise<FaultyProxy> {
    const server = createServer((inner) => proxy.#accept(inner));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy: FaultyProxy = new FaultyProxy(server, target);
    return proxy;
  }

  #accept(inner: Socket): void {
    const heard = () => void this.heardAt.push(performance.now());
    const passed = (text: string) => this.onText(text);
    const line = new Line(inner, this.target, { cuts: this.#cutsNext, heard, passed });
    this.#cutsNext = false;
    this.#lines.push(line);
    const rest = this.#frozenUntil - performance.now();
    if (rest > 0) line.stall(rest);
  }

  get #newest(): Line | undefined {
    return this.#lines.findLast((line) => line.isWebSocket && line.isOpen);
  }

  /** Times in which a WebSocket passed nothing on to the server. */
  get deafTimes(): readonly DeafTime[] {
    return this.#lines.filter(({ isWebSocket }) => isWebSocket).flatMap(({ deaf }) => deaf);
  }

  reset(): void {
    this.#newest?.reset();
  }

  finish(): void {
    this.#newest?.finish();
  }

  /** Makes the newest WebSocket half-open: what it swallows never arrives, and no end tells of it. */
  swallow(what: Swallowed): void {
    this.#newest?.swallow(what);
  }

  stall(ms: number): void {
    this.#newest?.stall(ms);
  }

  /** Passes nothing on for a while on any connection, new ones included. */
  freeze(ms: number): void {
    this.#frozenUntil = performance.now() + ms;
    for (const line of this.#lines) line.stall(ms);
  }

  /** Resets the WebSocket. Of the next connection only the answer to the handshake passes, and nothing after it. */
  cutNext(): void {
    this.#cutsNext = true;
    this.#newest?.reset();
  }

  /** Ends every connection; new ones are still accepted. */
  async endAll(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.end()));
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    await this.endAll();
    await closed;
  }
}
