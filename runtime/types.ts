import type { Clock } from "./clock.ts";

/** One accepted WebSocket, as far as both runtimes agree. */
export interface ServerSocket {
  /** Queues one text frame. */
  send(text: string): void;
  /** Starts the closing handshake; at most 123 bytes of reason. */
  close(code: number, reason: string): void;
  /** Bytes that the kernel has not taken yet. */
  readonly buffered: number;
  /** Drops the connection and what is queued; absent on Deno, which can not. */
  terminate?(): void;
  /** Sends a protocol ping; absent on Deno, which can not. */
  ping?(): void;
}

/** What a runtime tells about one accepted WebSocket. Each is called from the runtime: it must not throw. */
export interface SocketEvents {
  /** Sending is possible from here on. */
  opened(): void;
  /** One frame: its text, or `null` for a binary one. */
  frame(text: string | null): void;
  /** The end, exactly once; 1006 when there was no close frame. */
  ended(code: number, reason: string): void;
  /** A pong, where the runtime tells of them. */
  pong?(): void;
}

/** Binds the events of a socket that has just been accepted. */
export type Attach = (socket: ServerSocket) => SocketEvents;

/** Certificate chain and key, PEM. */
export interface ServerTls {
  /** Certificate, followed by its intermediates. */
  cert: string;
  /** Private key. */
  key: string;
}

/** Where to listen. */
export interface Address {
  hostname: string;
  port: number;
  tls?: ServerTls | undefined;
}

/** Limits that only the runtime itself can keep. */
export interface SocketLimits {
  /** Bytes of one message; Deno can not be told. */
  maxBytes: number;
  /** Milliseconds after which a dead peer is dropped; 0 turns it off. */
  idleTimeout: number;
}

/** A bound port. */
export interface Listener {
  readonly port: number;
  /** Stops accepting, ends what is left, and resolves when the port is free or a socket is stuck. */
  stop(): Promise<void>;
}

/** The handlers `Bun.serve` wants under `websocket`. */
export interface BunWebSocketHandlers {
  /** Largest message in bytes. */
  maxPayloadLength: number;
  /** 0: this library bounds the queue, Bun would drop in silence. */
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

/** The part of Bun's `ServerWebSocket` in use. */
export interface BunSocket {
  /** What was given to `upgrade`. */
  readonly data: unknown;
  /** Queues one frame; -1 when the kernel did not take all of it. */
  sendText(text: string): number;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Bytes not yet taken by the kernel. */
  getBufferedAmount(): number;
  /** Drops the connection. */
  terminate(): void;
  /** Sends a protocol ping. */
  ping(): unknown;
}

/** A native WebSocket being dialled. */
export interface Dialled {
  readonly socket: WebSocket;
  /** Sends a protocol ping; absent where the runtime can not. */
  readonly ping?: (payload: string) => void;
  /** Called at each ping of the server, and with the payload at each pong, where the runtime tells of them. */
  onsign: ((pong: string | null) => void) | null;
  /** Drops the connection where the runtime can, and frees what the dial holds. Call once, at the end. */
  release(): void;
}

/** What a dial needs beyond the URL. */
export interface DialOptions {
  headers: Record<string, string>;
  /** PEM certificates trusted beside the runtime's own. */
  ca: readonly string[];
}

/** Everything the library asks of a runtime, the clock included; the only seam where Deno and Bun differ. */
export interface Runtime extends Clock {
  /** Whether frames that are under way when the server closes are lost; otherwise its close frame is lost to them. */
  readonly closeEndsInput: boolean;
  /** Whether an accepted socket can send pings, and tells of pongs. */
  readonly canPing: boolean;
  dial(url: string, options: DialOptions): Dialled;
  /** What the runtime tells in the error event of a WebSocket. */
  errorOf(event: Event): unknown;
  /** HTTP status by which a server answered the handshake, where the runtime tells it in an error. */
  httpStatus(cause: unknown): number | null;
  /** Asks an HTTP server and reads the text of its answer; rejects when there is none. */
  get(url: string, ca: readonly string[], signal: AbortSignal): Promise<string>;
  /** What the environment holds that changes where a dial goes, as far as we may know. */
  proxyHint(url: URL): string;
  /** Address of the caller; `info` is the second argument of the fetch handler. */
  address(request: Request, info: unknown): string;
  /** Accepts a request that asks for a WebSocket; `null` if its handshake is not right. */
  upgrade(request: Request, info: unknown, limits: SocketLimits, attach: Attach): Response | null;
  listen(address: Address, limits: SocketLimits, fetch: Fetch): Listener;
}

/** The handler of `Deno.serve` and `Bun.serve`. */
export type Fetch = (request: Request, info: unknown) => Response | Promise<Response>;
