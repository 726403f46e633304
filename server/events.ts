import type { MessageDecodeError } from "../codec/errors.ts";
import type { MessageEnvelope, StreamMessage } from "../codec/stream/types.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import type { ServerTls } from "../runtime/types.ts";
import type { CustomMessage, MessageBase, WireMessage } from "../schema/types.ts";
import type { SendStreamOptions } from "../session/transfer/transfers.ts";
import type { LimitName } from "./options.ts";
import type { Refusal } from "./refusals.ts";

/** Options of {@linkcode MessageServer.listen}. */
export interface ServerListenOptions {
  /**
   * Address to listen on. `"0.0.0.0"` means every network interface; if you use it, use tokens, too.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Port to listen on; 0 picks a free port.
   *
   * @default {18000}
   */
  port?: number;
  /**
   * Certificate chain and key as PEM text, not as names of files. If given, TLS is on, and the URL starts with
   * `wss://`.
   */
  tls?: ServerTls;
  /** Signal that closes the server when it is aborted. */
  signal?: AbortSignal;
}

/** The end of a connection. */
export interface PeerEnd {
  /** Close code; 1006 if there was no close frame. */
  code: number;
  /** Reason in the close frame; often empty. */
  reason: string;
}

/** Events of {@linkcode MessageServer}, with the arguments of their handlers. */
export interface MessageServerEvents {
  /** An ordinary message was received. */
  message: [message: MessageBase, peer: Peer];
  /** A custom message with any name was received. */
  custom: [message: CustomMessage, peer: Peer];
  /**
   * A client has begun to send a message as a stream. The segments are received as fast as the handler reads them. If
   * the handler reads nothing for `chunks.timeout`, the transfer is aborted. If `stream` has no handler, the message is
   * collected in memory and becomes an ordinary `message` event.
   */
  stream: [envelope: MessageEnvelope, segments: SegmentReader, peer: Peer];
  /** A client has connected and was accepted. */
  open: [peer: Peer];
  /** A connection that was accepted has ended. */
  close: [peer: Peer, end: PeerEnd];
  /**
   * A frame was received that is not a message. The connection is closed only if the frame was too large (1009) or
   * `decode.strict` is on (1007).
   */
  invalid: [error: MessageDecodeError, peer: Peer];
  /**
   * A message was lost, because its peer does not read or has refused the message; or it may be lost, because the
   * connection ended before the peer has confirmed it. If `drop` has no handler, the loss
   * is printed as one line with `console.error`.
   */
  drop: [drop: ServerDrop, peer: Peer];
  /** A caller has reached a limit, so it was refused or its connection was closed. */
  limit: [reached: LimitReached];
  /**
   * A caller was refused. There is at most one event a second for each address and cause, and at most 1000 a second in
   * all; `stats().refused` counts every refusal.
   */
  refused: [refusal: Refusal];
  /**
   * A handler or `authorize` has failed. If `error` has no handler, the failure is printed as one line with
   * `console.error`.
   */
  error: [error: unknown];
}

/** A message that was lost instead of being sent. */
export interface ServerDrop {
  /** The lost message. */
  message: WireMessage;
  /**
   * Reason for the loss. `slow`: the peer does not read, and the bytes queued to it have reached `limits.queuedBytes`.
   * `too_large`: the message was sent in chunks, and the peer refused it as too large. `unconfirmed`: the message was
   * sent, but the connection ended before the peer has confirmed it, so it may have arrived; with any other reason, it
   * has not arrived. A peer of another library cannot confirm messages: of what was sent to it, the messages of the last
   * second are reported, at most 256, and those that have not left the process.
   */
  reason: "slow" | "too_large" | "unconfirmed";
}

/** A limit that a caller has reached. */
export interface LimitReached {
  /** Name of the limit, as in the option `limits`. */
  limit: LimitName;
  /** IP address of the caller. */
  address: string;
  /** Platform of the caller's connection; missing if the caller has no connection. */
  platform?: string;
}

/** Counters and gauges of {@linkcode MessageServer.stats}. */
export interface ServerStats {
  /** Connections that were accepted and are open: messages can be sent to them. */
  peers: number;
  /**
   * Sockets that still exist: the connections counted in `peers`, and the sockets that are closing or were not
   * accepted.
   */
  connections: number;
  /**
   * Sockets in `connections` that still exist although the server has refused the caller or closed the connection.
   * They do not count against `limits.connections`.
   */
  turnedOut: number;
  /** Callers about whom `authorize` has not decided yet. They count against `limits.connections`. */
  authorizing: number;
  /** Bytes queued to all connections. */
  queuedBytes: number;
  /** Characters in memory of large messages that are still arriving in chunks, over all connections. */
  transferBytes: number;
  /** Callers that were refused, for any cause. */
  refused: number;
  /** Callers that were refused because of their token, or by `authorize`. */
  unauthorized: number;
  /** Messages dropped. */
  dropped: number;
  /** Number of times that a limit was reached. */
  limited: number;
  /** Messages received, including custom messages. */
  received: number;
  /** Messages sent, counted once for each connection. */
  sent: number;
  /** Frames received that were not messages. */
  invalid: number;
  /** Messages received whose `message_info.platform` differs from the platform of their connection. */
  foreign: number;
}

/** A connected client. Event handlers get it as an argument. */
export interface Peer {
  /** Number of this connection on its server, counted from 1. */
  readonly id: number;
  /**
   * Platform from the handshake; `"default"` if the client gave none. Messages of the client may name another platform.
   */
  readonly platform: string;
  /** IP address of the client; empty if the runtime does not report it. */
  readonly address: string;
  /** Bytes queued to this connection that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /**
   * Sends one message to this connection, even if the message names another platform.
   *
   * @throws {MessageConnectionError} `closed` If the connection is closing.
   * @throws {MessageEncodeError} If the message cannot be encoded.
   */
  send(message: WireMessage): void;
  /**
   * Sends a custom message to this connection.
   *
   * @throws {MessageConnectionError} `closed` If the connection is closing.
   * @throws {TypeError} If the name is empty or starts with `maim_`.
   */
  sendCustom(name: string, content: unknown): void;
  /**
   * Sends a message of any size. Other messages can be sent during the transfer.
   *
   * Segments may hold a `Uint8Array`, a `Blob` or a `ReadableStream`. A client of this library receives the message in
   * chunks, as fast as it reads them; this takes only bounded memory. For any other client, the whole message is first
   * read into memory and then sent in one frame.
   *
   * @param message The message. If the connection is open, its streams are locked; after a failure, they are cancelled.
   * @param options A signal that aborts the transfer, and a callback for progress.
   * @returns Resolves when the client has read the whole message, or when the single frame was queued.
   * @throws {MessageConnectionError} `closed` If the connection is not open, or ends during the transfer. `too_large`,
   * `queue_full`, `timeout` or `refused` If the client refuses the message.
   * @throws {MessageEncodeError} If the message cannot be encoded; `too_large` if it has to be sent in one frame and is
   * too large for a frame.
   */
  sendStream(message: StreamMessage, options?: SendStreamOptions): Promise<void>;
  /**
   * Closes the connection. Default: code 1000, no reason. Messages that arrive after this call are discarded.
   *
   * @throws {RangeError} If a close frame cannot carry the code, or if the reason takes more than 123 bytes of UTF-8.
   */
  close(code?: number, reason?: string): void;
}
