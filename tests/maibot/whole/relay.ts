/**
 * A TCP relay on one port, before a server whose port changes at each start.
 * @module
 */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Passes every byte on; leaving its scope ends it. */
export class Relay implements AsyncDisposable {
  /** Port of the server behind it; null while there is none, and callers are hung up on. */
  target: number | null = null;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Keeps the server; use {@linkcode Relay.listen}. */
  constructor(server: Server) {
    this.#server = server;
  }

  /** Starts a relay on a free port. */
  static async listen(): Promise<Relay> {
    const server = createServer((caller) => relay.#pass(caller));
    const relay: Relay = new Relay(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return relay;
  }

  /** What an adapter dials. */
  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  /** Ends every connection, then the port. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #pass(caller: Socket): void {
    if (this.target === null) return void caller.destroy();
    const called = connect(this.target, "127.0.0.1");
    for (const [socket, other] of [[caller, called], [called, caller]] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => (this.#sockets.delete(socket), other.destroy()));
      socket.pipe(other);
    }
  }
}
