/**
 * Sockets that lead nowhere, in place of the runtime's own.
 * @module
 */

import { runtime } from "../../runtime/mod.ts";
import type { ClientSocket } from "../../runtime/types.ts";

/** A WebSocket whose events the test causes. */
export class FakeWebSocket {
  readyState: number = WebSocket.CONNECTING;
  bufferedAmount = 0;
  binaryType = "blob";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly sent: string[] = [];
  /** Number of calls of `close()`. */
  closes = 0;

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.closes++;
    this.readyState = WebSocket.CLOSING;
  }

  /** The server accepts the handshake. */
  open(): void {
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
  }

  /** The socket is closed. */
  end(code = 1006, reason = ""): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.({ code, reason });
  }
}

/** Takes the place of the runtime's `dial` until it is disposed of. */
export class FakeDials implements Disposable {
  readonly #original = runtime.dial;
  readonly #sockets: FakeWebSocket[] = [];

  constructor() {
    runtime.dial = () => {
      const fake = new FakeWebSocket();
      this.#sockets.push(fake);
      const webSocket = fake as unknown as WebSocket;
      return { webSocket, onControlFrame: null, release: () => {} } satisfies ClientSocket;
    };
  }

  /** The socket that was dialled last. Waits for what follows the URL, which runs in microtasks. */
  async last(): Promise<FakeWebSocket> {
    await new Promise((resolve) => setTimeout(resolve));
    const last = this.#sockets.at(-1);
    if (last === undefined) throw new Error("nothing was dialled");
    return last;
  }

  [Symbol.dispose](): void {
    runtime.dial = this.#original;
  }
}
