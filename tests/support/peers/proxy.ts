/**
 * A TCP proxy that can fall silent: both ends stay connected and nothing passes any more.
 * @module
 */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

import { withTimeout } from "./inbox.ts";

/** Forwards bytes between a client and a server until frozen. */
export class Proxy {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Map<number, () => void>();
  #isFrozen = false;
  #cutsNext = false;
  #rate = Infinity;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Connections so far. */
  accepted = 0;

  /** Keeps the parts; use {@linkcode Proxy.listen}. */
  constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** Starts a proxy in front of a WebSocket URL, on a free port unless told otherwise. */
  static async listen(target: string, ownPort: number = 0): Promise<Proxy> {
    const { port } = new URL(target);
    const server = createServer((inner) => proxy.#forward(inner, Number(port)));
    server.listen(ownPort, "127.0.0.1");
    await once(server, "listening");
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
    const proxy: Proxy = new Proxy(server, url);
    return proxy;
  }

  /** Lets nothing pass any more on the connections there are; new ones pass. */
  freeze(): void {
    this.#isFrozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Lets new connections pass again. */
  thaw(): void {
    this.#isFrozen = false;
  }

  /** On the next connection, lets the answer to the handshake pass and nothing after it. Both ends stay connected. */
  cutNextAfterHandshake(): void {
    this.#cutsNext = true;
  }

  /** Passes on at most so many bytes a second to the server, on each connection. */
  throttle(bytesPerSecond: number): void {
    this.#rate = bytesPerSecond;
  }

  /** Resolves once that many connections have come, within five seconds. */
  whenAccepted(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.accepted >= count) resolve();
    else this.#waiting.set(count, resolve);
    return withTimeout(promise, 5000, () => `connection ${count} of a proxy`);
  }

  #forward(inner: Socket, port: number): void {
    this.#waiting.get(++this.accepted)?.();
    const outer = connect(port, "127.0.0.1");
    const isCutting = this.#cutsNext;
    this.#cutsNext = false;
    let isCut = false;
    const pass = (bytes: Uint8Array, from: Socket): Uint8Array => {
      if (isCut) return new Uint8Array();
      isCut = isCutting && from === outer; // the first bytes hold the whole answer, and perhaps more
      return isCut ? bytes.subarray(0, Buffer.from(bytes).indexOf("\r\n\r\n") + 4) : bytes;
    };
    for (const [socket, other] of [[inner, outer], [outer, inner]] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true); // what is passed on late would be blamed on the ends
      socket.on("data", (bytes) => {
        other.write(pass(bytes, socket));
        if (socket === inner && this.#rate < Infinity) this.#rest(inner, bytes.length / this.#rate * 1000);
      });
      socket.on("error", () => socket.destroy());
      socket.on("close", () => (this.#sockets.delete(socket), other.destroy()));
    }
    if (this.#isFrozen) { for (const socket of [inner, outer]) socket.pause(); }
  }

  /** Reads nothing for so many milliseconds. */
  #rest(socket: Socket, ms: number): void {
    socket.pause();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isFrozen) socket.resume();
    }, ms);
    this.#timers.add(timer);
  }

  /** Ends every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all([...this.#sockets].map(async (socket) => {
      const gone = once(socket, "close");
      socket.destroy();
      await gone;
    }));
    await closed;
  }
}
