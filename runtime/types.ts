/**
 * The interfaces that hide the differences between Deno and Bun: everything that the library needs from a runtime.
 * @module
 */

import type { Clock } from "./clock.ts";

/** A WebSocket that the server has accepted. */
export interface ServerSocket {
  /** Queues one text frame. */
  send(text: string): void;
  /** Starts the closing handshake. The reason may take at most 123 bytes of UTF-8. */
  close(code: number, reason: string): void;
  /** Bytes that the kernel has not taken yet. */
  readonly buffered: number;
  /** Drops the connection and everything queued to it. Missing on Deno, which cannot do this. */
  terminate?(): void;
  /** Sends a protocol ping. Missing on Deno, which cannot do this. */
  ping?(payload?: string): void;
}

/** Events of a {@linkcode ServerSocket}. The runtime calls them, so they must not throw. */
export interface SocketEvents {
  /** The socket is open: frames can be sent. */
  opened(): void;
  /** A frame was received. `text` is null for a binary frame. */
  frame(text: string | null): void;
  /** The socket has ended. Called exactly once; the code is 1006 if there was no close frame. */
  ended(code: number, reason: string): void;
  /** A protocol pong was received. Not all runtimes report pongs. */
  pong?(payload: string): void;
}

/** Takes a socket that was just accepted, and returns the event handlers for it. */
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
  /** Maximum bytes of one message. Deno ignores this limit. */
  maxBytes: number;
  /** Milliseconds after which a dead peer is dropped; 0 turns this off. */
  idleTimeout: number;
}

/** A server that listens on a port. */
export interface Listener {
  readonly port: number;
  /**
   * Stops listening and ends all connections. Resolves when the port is free, or after a timeout if a socket cannot be
   * ended.
   */
  stop(): Promise<void>;
}

/** The handlers that `Bun.serve` takes as `websocket`. */
export interface BunWebSocketHandlers {
  /** Maximum bytes of one message. */
  maxPayloadLength: number;
  /** Always 0, which turns Bun's limit off. This library limits the queue itself; Bun would drop messages silently. */
  backpressureLimit: number;
  /** Seconds after which a dead peer is dropped. */
  idleTimeout: number;
  /** Called by Bun. */
  open(socket: BunSocket): void;
  /** Called by Bun. */
  message(socket: BunSocket, data: unknown): void;
  /** Called by Bun. */
  drain(socket: BunSocket): void;
  /** Called by Bun. */
  pong(socket: BunSocket, data: unknown): void;
  /** Called by Bun. */
  close(socket: BunSocket, code: number, reason: string): void;
}

/** The members of Bun's `ServerWebSocket` that this library uses. */
export interface BunSocket {
  /** The value given to `upgrade`. */
  readonly data: unknown;
  /** Queues one frame. Returns -1 if the kernel did not take the whole frame. */
  sendText(text: string): number;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Returns the bytes that the kernel has not taken yet. */
  getBufferedAmount(): number;
  /** Drops the connection. */
  terminate(): void;
  /** Sends a protocol ping. */
  ping(payload?: string): unknown;
}

/** A WebSocket that a client has dialled. */
export interface ClientSocket {
  readonly webSocket: WebSocket;
  /** Sends a protocol ping. Missing if the runtime cannot do this. */
  readonly ping?: (payload: string) => void;
  /**
   * Called for each protocol ping and pong of the server: with `null` for a ping, with the payload for a pong. Not all
   * runtimes report pings and pongs.
   */
  onControlFrame: ((pong: string | null) => void) | null;
  /** Drops the connection if the runtime can do this, and frees its resources. Called once, at the end. */
  release(): void;
}

/** Options of a dial. */
export interface DialOptions {
  headers: Record<string, string>;
  /** PEM certificates that are trusted in addition to the runtime's own. */
  ca: readonly string[];
}

/** Options of an HTTP request. */
export interface GetOptions {
  headers: Readonly<Record<string, string>>;
  /** PEM certificates that are trusted in addition to the runtime's own. */
  ca: readonly string[];
  /** Ends the request. */
  signal: AbortSignal;
  /** Maximum bytes that are read of the body. If this is 0, the answer is complete with its headers. */
  maxBytes: number;
}

/** Start of the answer to an HTTP request. */
export interface HttpAnswer {
  readonly status: number;
  /** Value of the response header `maim-hello`; `null` if there is none. */
  readonly serves: string | null;
  /** Start of the body. */
  readonly text: string;
}

/** All functions of a runtime that the library uses, and the clock. */
export interface Runtime extends Clock {
  /**
   * True if the runtime discards the frames that arrive from a client after the server has closed the socket. If it
   * is false and such a frame arrives, the server's close frame does not reach the client.
   */
  readonly closeEndsInput: boolean;
  /** True if an accepted socket can send pings and reports pongs. */
  readonly canPing: boolean;
  /**
   * True if `bufferedAmount` of a dialled WebSocket counts a whole frame until the kernel has taken its last byte. If
   * it is false, the value shrinks byte by byte.
   */
  readonly countsWholeFrames: boolean;
  /** Opens a WebSocket. Throws if the runtime refuses the URL. */
  dial(url: string, options: DialOptions): ClientSocket;
  /** Returns the error that an error event of a WebSocket carries. */
  errorOf(event: Event): unknown;
  /** Returns the HTTP status with which a server refused the handshake; `null` if the error does not name one. */
  httpStatus(error: unknown): number | null;
  /**
   * True if the error of a failed dial does not show the real reason: an error of TLS, or the HTTP status of a refusal.
   * A call of {@linkcode get} then shows the reason.
   */
  hidesReason(error: unknown): boolean;
  /** Tells whether an error means that a message exceeded the longest string of the runtime. */
  isStringTooLong(error: unknown): boolean;
  /**
   * Sends an HTTP GET request and returns the start of the answer. At most `maxBytes` bytes of the body are read and
   * held. Rejects if there is no answer.
   */
  get(url: string, options: GetOptions): Promise<HttpAnswer>;
  /**
   * Returns the name of the environment variable that sends WebSockets to this URL through a proxy; `null` if there is
   * none, or if the variables cannot be read.
   */
  proxyVariable(url: URL): string | null;
  /** Returns the IP address of the caller. `info` is the second argument of the fetch handler. */
  address(request: Request, info: unknown): string;
  /** Accepts a WebSocket request. Returns `null` if its handshake is invalid. */
  upgrade(request: Request, info: unknown, limits: SocketLimits, attach: Attach): Response | null;
  /** Listens on an address. */
  listen(address: Address, limits: SocketLimits, fetch: Fetch): Listener;
}

/** The handler of `Deno.serve` and `Bun.serve`. */
export type Fetch = (request: Request, info: unknown) => Response | Promise<Response>;
