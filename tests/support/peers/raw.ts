/**
 * The byte-level WebSocket peer for either end of a connection, running unchanged in Deno and Bun.
 * @module
 */

import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { Inbox, type WaitOptions, withTimeout } from "./inbox.ts";
import { RawPeer } from "./raw_peer.ts";

export { type FrameWaitOptions, type RawConnectOptions, type RawMessage, RawPeer } from "./raw_peer.ts";

/** How a raw server listens. */
export interface RawListenOptions {
  /** Certificate and key as PEM; the server then speaks TLS. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    /** Protocols that a client has to offer one of; by default, any client is taken. */
    readonly ALPNProtocols?: string[];
  };
  /** @default {"127.0.0.1"} */
  readonly host?: string;
  /** @default {0} */
  readonly port?: number;
}

/** A listening end that hands out connections whose handshake was read and not answered. */
export class RawServer {
  readonly #server: Server;
  readonly #isSecure: boolean;
  readonly #sockets = new Set<Socket>();
  readonly #peers = new Inbox<RawPeer>();
  #accepted = 0;

  /** Wires a server up; use {@linkcode RawServer.listen}. */
  constructor(server: Server, isSecure: boolean) {
    this.#server = server;
    this.#isSecure = isSecure;
    server.on("connection", (socket: Socket) => this.#track(socket));
    server.on(isSecure ? "secureConnection" : "connection", (socket: Socket) => this.#admit(socket));
    if (isSecure) server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
  }

  /** Starts to listen, on a free port unless told otherwise. */
  static async listen({ tls, host = "127.0.0.1", port = 0 }: RawListenOptions = {}): Promise<RawServer> {
    const server = new RawServer(tls === undefined ? createTcpServer() : createTlsServer(tls), tls !== undefined);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.#server.once("error", reject);
    server.#server.listen(port, host, resolve);
    await withTimeout(promise, 5000, () => "a raw server to listen");
    server.#server.removeListener("error", reject);
    return server;
  }

  /** The port listened on. */
  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("Cannot read the port: the server is closed");
    return address.port;
  }

  /** Where to connect, path `/ws`. */
  get url(): string {
    return `${this.#isSecure ? "wss" : "ws"}://127.0.0.1:${this.port}/ws`;
  }

  /** How many connections came in so far, whether or not their handshake was read. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Takes the next connection that has sent a whole handshake. */
  async next({ timeoutMs = 5000 }: WaitOptions = {}): Promise<RawPeer> {
    const peer = await this.#peers.take(() => true, () => "a connection", { timeoutMs });
    if (peer === null) throw new Error("Cannot wait for a connection: the server is closed");
    return peer;
  }

  /** Drops every connection, stops listening and waits for both. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    this.#peers.end();
    await withTimeout(promise, 5000, () => "a raw server to close");
  }

  #track(socket: Socket): void {
    this.#accepted++;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    // Whoever cares reads RawPeer.error; a socket without a listener would end the process.
    socket.on("error", () => {});
  }

  #admit(socket: Socket): void {
    if (this.#isSecure) {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    }
    const peer = new RawPeer(socket, "server");
    void peer.readHead({ timeoutMs: 60_000 }).then((head) => {
      if (head !== null) this.#peers.push(peer);
    }, () => socket.destroy());
  }
}
