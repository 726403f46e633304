/**
 * The HTTP/1.1 part of a WebSocket connection: heads, bodies and the accept key. Text is Latin-1, one character a byte.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

import type { ByteQueue } from "./frames.ts";

/** One header as it stands on the wire, name casing included. */
export type Header = readonly [name: string, value: string];

/** The first line and the headers of a request or a response. */
export class Head {
  readonly startLine: string;
  readonly headers: readonly Header[];

  /** Parses a head without its closing empty line. */
  constructor(text: string) {
    const [startLine = "", ...lines] = text.split("\r\n");
    this.startLine = startLine;
    this.headers = lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
  }

  /** Gets the first value of a header, found without regard to case. */
  header(name: string): string | undefined {
    return this.headers.find(([found]) => found.toLowerCase() === name.toLowerCase())?.[1];
  }
}

/** A response to a handshake. */
export interface HandshakeResponse {
  readonly status: number;
  readonly head: Head;
  readonly headers: readonly Header[];
  /** Empty for 101. */
  readonly body: string;
}

/** Takes a whole head from the queue; undefined while it is not all there. */
export function takeHead(queue: ByteQueue): Head | undefined {
  const bytes = Buffer.from(queue.peek());
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  queue.take(end + 4);
  return new Head(bytes.toString("latin1", 0, end));
}

/** Takes the body that follows a head; undefined while it is not all there. */
export function takeBody(head: Head, queue: ByteQueue, isEnded: boolean): string | undefined {
  const bytes = Buffer.from(queue.peek());
  const length = head.header("content-length");
  if (length !== undefined && bytes.length >= Number(length)) return bytes.toString("utf8", 0, Number(length));
  if (head.header("transfer-encoding") === "chunked") {
    const body = joinChunks(bytes);
    if (body !== undefined) return body;
  }
  return isEnded ? bytes.toString("utf8") : undefined;
}

function joinChunks(bytes: Buffer): string | undefined {
  const parts: Buffer[] = [];
  for (let start = 0;;) {
    const lineEnd = bytes.indexOf("\r\n", start);
    const size = Number.parseInt(bytes.toString("latin1", start, Math.max(start, lineEnd)), 16);
    if (lineEnd < 0 || bytes.length < lineEnd + 2 + size + 2) return undefined;
    if (size === 0) return Buffer.concat(parts).toString("utf8");
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    start = lineEnd + 2 + size + 2;
  }
}

/** Joins a head: of `own` the headers that `given` does not replace, then `given` untouched. */
export function encodeHead(startLine: string, own: readonly Header[], given: readonly Header[]): Uint8Array {
  const replaced = new Set(given.map(([name]) => name.toLowerCase()));
  const headers = [...own.filter(([name]) => !replaced.has(name.toLowerCase())), ...given];
  const lines = [startLine, ...headers.map(([name, value]) => `${name}: ${value}`), "", ""];
  return Buffer.from(lines.join("\r\n"), "latin1");
}

/** Computes the `Sec-WebSocket-Accept` that answers a key. */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** Encodes a client's handshake request. */
export function encodeRequest(url: URL, headers: readonly Header[]): Uint8Array {
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
  return encodeHead(`GET ${url.pathname}${url.search} HTTP/1.1`, [
    ["Host", url.host],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", key],
  ], headers);
}
