/**
 * A WebSocket peer made of bytes, for either end of a connection: it does what it is told, right or wrong, and
 * nothing by itself. The same file runs in Deno and Bun.
 * @module
 */

import { Buffer } from "node:buffer";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import {
  ByteQueue,
  encodeClosePayload,
  encodeFrame,
  type Frame,
  type FrameOptions,
  OPCODES,
  takeFrame,
} from "./frames.ts";
import {
  acceptKey,
  encodeHead,
  encodeRequest,
  type HandshakeResponse,
  type Head,
  type Header,
  takeBody,
  takeHead,
} from "./handshake.ts";
import { Inbox, type WaitOptions, withTimeout } from "./inbox.ts";

/** How a raw client connects. */
export interface RawConnectOptions extends WaitOptions {
  /** Headers sent as they are; one of the usual names replaces ours. @default {[]} */
  readonly headers?: readonly Header[];
  /** Sent in place of the whole handshake request. */
  readonly raw?: string | Uint8Array;
  /** What to trust for `wss:`, as PEM. */
  readonly tls?: { readonly ca: string };
  /** Address of this machine to call from, `127.0.0.2` for instance. @default {chosen by the system} */
  readonly localAddress?: string;
}

/** What a frame that is waited for has to be. */
export interface FrameWaitOptions extends WaitOptions {
  /** Leaves frames of any other opcode for later. */
  readonly opcode?: number;
}

/** A whole data message, joined from its frames. */
export interface RawMessage {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly text: string;
}

/** One connection, seen from the side that this object plays. */
export class RawPeer {
  /** Answers pings and keeps them from {@linkcode frame}; off until set. */
  isPonging = false;
  readonly #socket: Socket;
  readonly #role: "client" | "server";
  readonly #queue = new ByteQueue();
  readonly #frames = new Inbox<Frame>();
  readonly #heads = new Inbox<Head>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #head: Head | undefined;
  #response: HandshakeResponse | undefined;
  #error: Error | null = null;
  #isEnded = false;
  #lastWrite: Promise<void> = Promise.resolve();

  /** Takes over a connected socket; use `RawServer.next` or {@linkcode RawPeer.connect}. */
  constructor(socket: Socket, role: "client" | "server") {
    this.#socket = socket;
    this.#role = role;
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.once("end", () => this.#end());
    socket.on("error", (error) => this.#error = error);
    socket.once("close", () => {
      this.#end();
      this.#closed.resolve();
    });
  }

  /** Connects without saying anything yet; what is written next is the first byte on the line (after TLS). */
  static async open(
    url: string,
    { tls, localAddress, timeoutMs = 5000 }: Omit<RawConnectOptions, "headers" | "raw"> = {},
  ): Promise<RawPeer> {
    const { protocol, hostname, port } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, "");
    const isSecure = protocol === "wss:";
    const from = localAddress === undefined ? {} : { localAddress };
    const socket = isSecure
      ? connectTls({
        host,
        port: Number(port || 443),
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...tls,
        ...from,
      })
      : connectTcp({ host, port: Number(port || 80), ...from });
    const connected = Promise.withResolvers<void>();
    const peer = new RawPeer(socket, "client");
    socket.once(isSecure ? "secureConnect" : "connect", connected.resolve);
    void peer.closed.then(() => connected.reject(peer.#error ?? new Error("Connection closed before it was made")));
    try {
      await withTimeout(connected.promise, timeoutMs, () => `a connection to ${url}`);
      return peer;
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Connects, sends the handshake and reads the answer, whichever it is. */
  static async connect(url: string, { headers = [], raw, ...options }: RawConnectOptions = {}): Promise<RawPeer> {
    const peer = await RawPeer.open(url, options);
    try {
      peer.write(raw ?? encodeRequest(new URL(url), headers));
      await peer.readResponse(options);
      return peer;
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The request the other side sent, for the server role. */
  get request(): Head {
    if (this.#head === undefined || this.#role === "client") throw new Error("Cannot read the request: there is none");
    return this.#head;
  }

  /** The answer to our handshake, for the client role. */
  get response(): HandshakeResponse {
    if (this.#response === undefined) throw new Error("Cannot read the response: there is none");
    return this.#response;
  }

  /** What the socket complained of, `ECONNRESET` for instance; null after a clean end. */
  get error(): Error | null {
    return this.#error;
  }

  /** Resolves once the connection is gone, however it went; never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Gets the first value of a header of the request, or of the response. */
  header(name: string): string | undefined {
    return this.#head?.header(name);
  }

  /** Waits for the head of the other side; null if the connection ends without one. */
  async readHead({ timeoutMs = 5000 }: WaitOptions = {}): Promise<Head | null> {
    return this.#head ?? await this.#heads.take(() => true, () => "a handshake", { timeoutMs });
  }

  /** Waits for the answer to a handshake sent by hand; {@linkcode connect} has done so already. */
  async readResponse({ timeoutMs = 5000 }: WaitOptions = {}): Promise<HandshakeResponse> {
    const head = await this.readHead({ timeoutMs });
    if (head === null) throw this.#error ?? new Error("Connection closed before the handshake was answered");
    const status = Number(head.startLine.split(" ")[1]);
    const body = status === 101
      ? ""
      : await withTimeout(this.#readBody(head), timeoutMs, () => "the body of a refusal");
    return this.#response = { status, head, headers: head.headers, body };
  }

  /** Answers the handshake with 101; a header of the usual names replaces ours. */
  accept(headers: readonly Header[] = []): void {
    this.write(encodeHead("HTTP/1.1 101 Switching Protocols", [
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Accept", acceptKey(this.header("sec-websocket-key") ?? "")],
    ], headers));
  }

  /** Answers the handshake with a plain response and ends our side. */
  respond(status: number, headers: readonly Header[] = [], body: string = ""): void {
    const bytes = Buffer.from(body);
    const head = encodeHead(`HTTP/1.1 ${status} Status`, [["Content-Length", `${bytes.length}`], [
      "Connection",
      "close",
    ]], headers);
    this.write(Buffer.concat([head, bytes]));
    this.end();
  }

  /** Sends one frame, masked if we are the client unless told otherwise. */
  send(opcode: number, payload: string | Uint8Array, options: FrameOptions = {}): void {
    this.write(encodeFrame(opcode, payload, { masked: this.#role === "client", ...options }));
  }

  /** Sends one text message. */
  text(text: string): void {
    this.send(OPCODES.text, text);
  }

  /** Sends a close frame and leaves the connection as it is. */
  close(code?: number, reason: string = ""): void {
    this.send(OPCODES.close, encodeClosePayload(code, reason));
  }

  /** Writes bytes as they are, a string as Latin-1. */
  write(bytes: string | Uint8Array): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastWrite = promise;
    // A failed write also emits "error"; here it only means that no more is to come.
    this.#socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, () => resolve());
  }

  /** Waits until the system has taken all that was written; {@linkcode reset} and {@linkcode destroy} drop the rest. */
  async flushed({ timeoutMs = 5000 }: WaitOptions = {}): Promise<void> {
    await withTimeout(this.#lastWrite, timeoutMs, () => "the other side to take what was written");
  }

  /** Ends our side with a FIN after what was written. */
  end(): void {
    this.#socket.end();
  }

  /** Drops a plain (not TLS) connection with an RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Drops the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Stops reading, so that the other side's writes back up once the system's buffers are full. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads on after {@linkcode pause}. */
  resume(): void {
    this.#socket.resume();
  }

  /** Takes the next received frame; null at the end of the stream. */
  async frame({ opcode, timeoutMs = 5000 }: FrameWaitOptions = {}): Promise<Frame | null> {
    const isMatch = (frame: Frame) => opcode === undefined || frame.opcode === opcode;
    return await this.#frames.take(isMatch, () => `a frame${opcode === undefined ? "" : ` of opcode ${opcode}`}`, {
      timeoutMs,
    });
  }

  /** Takes the next whole data message and leaves control frames for {@linkcode frame}; null at the end of the stream. */
  async message({ timeoutMs = 5000 }: WaitOptions = {}): Promise<RawMessage | null> {
    const parts: Frame[] = [];
    do {
      const part = await this.#frames.take(({ opcode }) => opcode < OPCODES.close, () => "a message", { timeoutMs });
      if (part === null) return null;
      parts.push(part);
    } while (!parts.at(-1)?.fin);
    const payload = Buffer.concat(parts.map((part) => part.payload));
    return { opcode: parts[0]?.opcode ?? 0, payload, text: payload.toString("utf8") };
  }

  /** Drops the connection and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await withTimeout(this.closed, 5000, () => "a socket to close");
  }

  #receive(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    if (this.#head === undefined) {
      this.#head = takeHead(this.#queue);
      if (this.#head === undefined) return;
      this.#heads.push(this.#head);
    }
    if (this.#role === "client" && !/^HTTP\/1\.1 101\b/.test(this.#head.startLine)) return;
    for (let frame = takeFrame(this.#queue); frame !== undefined; frame = takeFrame(this.#queue)) this.#deliver(frame);
  }

  #deliver(frame: Frame): void {
    if (this.isPonging && frame.opcode === OPCODES.ping) this.send(OPCODES.pong, frame.payload);
    else this.#frames.push(frame);
  }

  async #readBody(head: Head): Promise<string> {
    for (;;) {
      const body = takeBody(head, this.#queue, this.#isEnded);
      if (body !== undefined) return body;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#socket.once("data", () => resolve());
      await Promise.race([promise, this.#ended.promise]);
    }
  }

  #end(): void {
    this.#isEnded = true;
    this.#heads.end();
    this.#frames.end();
    this.#ended.resolve();
  }
}
