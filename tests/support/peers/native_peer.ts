/**
 * The runtime's own WebSocket with bounded waits: what a browser or a hand-written adapter is to a server.
 * @module
 */

import { Inbox, type WaitOptions, withTimeout } from "./inbox.ts";

/** How a native client dials, and what it does at once. */
export interface NativeOptions {
  /** Handshake headers. @default {{}} */
  readonly headers?: Record<string, string>;
  /** Called inside the open event. */
  readonly onOpen?: (socket: WebSocket) => void;
  /** Called with each text as it comes. */
  readonly onText?: (text: string, socket: WebSocket) => void;
}

/** How a connection ended. */
export interface NativeEnd {
  readonly code: number;
  readonly reason: string;
}

/** One native WebSocket; leaving its scope closes it. */
export class NativePeer {
  readonly socket: WebSocket;
  readonly #texts = new Inbox<string>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<NativeEnd>();

  /** Dials at once. */
  constructor(url: string, { headers = {}, onOpen = () => {}, onText = () => {} }: NativeOptions = {}) {
    this.socket = new WebSocket(url, { headers });
    this.#opened.promise.catch(() => {}); // whoever waits for the end only is not interested
    this.socket.onopen = () => {
      this.#opened.resolve();
      onOpen(this.socket);
    };
    this.socket.onmessage = ({ data }) => {
      this.#texts.push(String(data));
      onText(String(data), this.socket);
    };
    this.socket.onerror = () => {};
    this.socket.onclose = ({ code, reason }) => {
      this.#opened.reject(new Error(`Closed before it was open: ${code} ${reason}`));
      this.#texts.end();
      this.#closed.resolve({ code: code || 1006, reason });
    };
  }

  /** Waits until it is open. */
  static async connect(url: string, options: NativeOptions = {}): Promise<NativePeer> {
    const peer = new NativePeer(url, options);
    await withTimeout(peer.#opened.promise, 5000, () => "a native WebSocket to open");
    return peer;
  }

  /** Takes the next text; null once the connection has ended without one. */
  async text({ timeoutMs = 5000 }: WaitOptions = {}): Promise<string | null> {
    return await this.#texts.take(() => true, () => "a text", { timeoutMs });
  }

  /** Waits for the end; code 1006 on every runtime if there was no close frame. */
  async end({ timeoutMs = 5000 }: WaitOptions = {}): Promise<NativeEnd> {
    return await withTimeout(this.#closed.promise, timeoutMs, () => "a native WebSocket to close");
  }

  /** Closes it and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.end();
  }
}
