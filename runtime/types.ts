/**
 * The interfaces behind which Deno and Bun differ: everything that the library needs of a runtime.
 * @module
 */

import type { Clock } from "./clock.ts";

/** A WebSocket that the server has accepted. */
export interface ServerSocket {
  /** Queues one text frame. */
  send(text: string): void;
  /** Starts the closing handshake. The reason may take 123 bytes. */
  close(code: number, reason: string): void;
  /** Bytes that the kernel has not taken yet. */
  readonly buffered: number;
  /** Drops the connection and everything queued to it. Missing on Deno, which cannot do this. */
  terminate?(): void;
  /** Sends a protocol ping. Missing on Deno, which cannot do this. */
  ping?(): void;
}

/** Events of a {@linkcode ServerSocket}. The runtime calls them, so they must not throw. */
export interface SocketEvents {
  /** The socket is open: frames can be sent. */
  opened(): void;
  /** A text frame, or `null` for a binary one. */
  frame(text: string | null): void;
  /** The socket has ended. Comes exactly once; the code is 1006 if there was no close frame. */
  ended(code: number, reason: string): void;
  /** A protocol pong. Not all runtimes report it. */
  pong?(): void;
}

/** Returns the event handlers of a socket that was just accepted. */
export type Attach = (socket: ServerSocket) => SocketEvents;

/** Certificate chain and key, as PEM text. */
export interface ServerTls {
  /** Certificate, followed by its intermediate certificates. */
  cert: string;
  /** Private key. */
  key: string;
}

/** An address to listen on. */
export interface Address {
  hostname: string;
  port: number;
  tls?: ServerTls | undefined;
}

/** Limits that only the runtime can enforce. */
export interface SocketLimits {
  /** Maximum bytes of one message. Deno ignores it. */
  maxBytes: number;
  /** Milliseconds after which a dead peer is dropped; 0 turns it off. */
  idleTimeout: number;
}

/** A port that is listened on. */
export interface Listener {
  readonly port: number;
  /** Stops listening and ends all connections. Resolves when the port is free, or a socket cannot be ended. */
  stop(): Promise<void>;
}

/** The handlers that `Bun.serve` takes as `websocket`. */
export interface BunWebSocketHandlers {
  /** Maximum bytes of one message. */
  maxPayloadLength: number;
  /** Always 0: this library limits the queue. Bun would drop messages silently. */
  backpressureLimit: number;
  /** Seconds. */
  idleTimeout: number;
  /** Called by Bun. */
  open(socket: BunSocket): void;
  /** Called by Bun. */
  message(socket: BunSocket, data: unknown): void;
  /** Called by Bun. */
  drain(socket: BunSocket): void;
  /** Called by Bun. */
  pong(socket: BunSocket): void;
  /** Called by Bun. */
  close(socket: BunSocket, code: number, reason: string): void;
}

/** The members of Bun's `ServerWebSocket` that this library uses. */
export interface BunSocket {
  /** The value given to `upgrade`. */
  readonly data: unknown;
  /** Queues one frame. Returns -1 if the kernel did not take all of it. */
  sendText(text: string): number;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Returns the bytes that the kernel has not taken yet. */
  getBufferedAmount(): number;
  /** Drops the connection. */
  terminate(): void;
  /** Sends a protocol ping. */
  ping(): unknown;
}

/** A WebSocket that a client has dialled. */
export interface ClientSocket {
  readonly webSocket: WebSocket;
  /** Sends a protocol ping. Missing where the runtime cannot do this. */
  readonly ping?: (payload: string) => void;
  /**
   * Called for each protocol ping of the server with `null`, and for each pong with its payload. Not all runtimes report
   * them.
   */
  onControlFrame: ((pong: string | null) => void) | null;
  /** Drops the connection if the runtime can, and frees what it holds. Called once, at the end. */
  release(): void;
}

/** Options of a dial. */
export interface DialOptions {
  headers: Record<string, string>;
  /** PEM certificates that are trusted in addition to the runtime's own. */
  ca: readonly string[];
}

/** All functions of a runtime that the library uses, and the clock. */
export interface Runtime extends Clock {
  /**
   * True if closing a socket discards frames that are still coming in. Where it is false, a frame that comes in after the
   * close discards the server's close frame.
   */
  readonly closeEndsInput: boolean;
  /** True if an accepted socket can send pings and reports pongs. */
  readonly canPing: boolean;
  /** Opens a WebSocket. Throws if the runtime refuses the URL. */
  dial(url: string, options: DialOptions): ClientSocket;
  /** Returns the error in the error event of a WebSocket. */
  errorOf(event: Event): unknown;
  /** Returns the HTTP status with which a server refused the handshake; `null` if the error does not name one. */
  httpStatus(error: unknown): number | null;
  /** Tells whether an error says that a message exceeded the longest string of the runtime. */
  isStringTooLong(error: unknown): boolean;
  /** Sends an HTTP GET request and returns the text of the response. Rejects if there is none. */
  get(url: string, ca: readonly string[], signal: AbortSignal): Promise<string>;
  /** Returns a hint about a proxy that the environment sets for this URL; empty if there is none, or it cannot be read. */
  proxyHint(url: URL): string;
  /** Returns the IP address of the caller. `info` is the second argument of the fetch handler. */
  address(request: Request, info: unknown): string;
  /** Accepts a WebSocket request. Returns `null` if its handshake is invalid. */
  upgrade(request: Request, info: unknown, limits: SocketLimits, attach: Attach): Response | null;
  /** Listens on an address. */
  listen(address: Address, limits: SocketLimits, fetch: Fetch): Listener;
}

/** The handler of `Deno.serve` and `Bun.serve`. */
export type Fetch = (request: Request, info: unknown) => Response | Promise<Response>;
