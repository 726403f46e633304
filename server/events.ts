import type { MessageDecodeError } from "../codec/errors.ts";
import type { MessageEnvelope } from "../codec/stream/types.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import type { ServerTls } from "../runtime/types.ts";
import type { CustomMessage, MessageBase, WireMessage } from "../schema/types.ts";
import type { LimitName } from "./options.ts";
import type { Peer } from "./peer.ts";

/** Options of {@linkcode MessageServer.listen}. */
export interface ServerListenOptions {
  /**
   * Address to listen on. `"0.0.0.0"` is every network interface: use tokens then.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Port to listen on; 0 picks a free one.
   *
   * @default {18000}
   */
  port?: number;
  /** Certificate chain and key as PEM text. Turns TLS on: the URL is `wss://`. */
  tls?: ServerTls;
  /** Closes the server when aborted. */
  signal?: AbortSignal;
}

/** The end of a connection. */
export interface PeerEnd {
  /** Close code; 1006 if there was no close frame. */
  code: number;
  /** Reason in the close frame, often empty. */
  reason: string;
}

/** Events of {@linkcode MessageServer}, with the arguments of their handlers. */
export interface MessageServerEvents {
  /** An ordinary message was received. */
  message: [message: MessageBase, peer: Peer];
  /** A custom message was received, of any name. */
  custom: [message: CustomMessage, peer: Peer];
  /**
   * A client has begun to send a message as a stream. Its segments are received as fast as the handler reads them; if
   * nothing is read for `chunks.timeout`, the transfer is aborted. Without a handler such a message is collected in memory
   * and becomes an ordinary `message` event.
   */
  stream: [envelope: MessageEnvelope, segments: SegmentReader, peer: Peer];
  /** A client has connected and was accepted. */
  open: [peer: Peer];
  /** A connection that was accepted has ended. */
  close: [peer: Peer, end: PeerEnd];
  /**
   * A frame was received that is not a message. The connection stays open, unless the frame was too large (1009) or
   * `decode.strict` is on (1007).
   */
  invalid: [error: MessageDecodeError, peer: Peer];
  /** A message is lost: its peer does not read, or refused it. Without a handler it is one line on `console.error`. */
  drop: [drop: ServerDrop, peer: Peer];
  /** A caller has reached a limit, and was refused or closed. */
  limit: [reached: LimitReached];
  /** A handler or `authorize` has failed. Without a handler it is one line on `console.error`. */
  error: [error: unknown];
}

/** A message that was to be sent and is lost. */
export interface ServerDrop {
  /** The message. */
  message: WireMessage;
  /**
   * Reason for the loss. `slow`: the peer does not read, and `limits.queuedBytes` are queued to it. `too_large`: the peer
   * refused the message, which was sent in chunks.
   */
  reason: "slow" | "too_large";
}

/** A limit that a caller has reached. */
export interface LimitReached {
  /** Name of the limit, as in the option `limits`. */
  limit: LimitName;
  /** IP address of the caller. */
  address: string;
  /** Platform of the connection, if the caller has one. */
  platform?: string;
}

/** Counters and gauges of {@linkcode MessageServer.stats}. */
export interface ServerStats {
  /** Connections that were accepted and have not ended. */
  peers: number;
  /** Sockets that still exist: those connections, and those that are closing or were not accepted. */
  connections: number;
  /** Bytes queued to all connections. */
  queuedBytes: number;
  /** Callers refused because of their token or by `authorize`. */
  unauthorized: number;
  /** Messages dropped. */
  dropped: number;
  /** Number of times that a limit was reached. */
  limited: number;
  /** Messages received, custom ones included. */
  received: number;
  /** Messages sent, counted once for each connection. */
  sent: number;
  /** Frames received that were not messages. */
  invalid: number;
  /** Messages received whose `message_info.platform` is not that of their connection. */
  foreign: number;
}
