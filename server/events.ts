import type { MessageDecodeError } from "../codec/errors.ts";
import type { MessageEnvelope } from "../codec/stream/message_text.ts";
import type { SegmentReader } from "../codec/stream/segment_decoder.ts";
import type { ServerTls } from "../runtime/types.ts";
import type { CustomMessage, MessageBase, WireMessage } from "../schema/types.ts";
import type { LimitName } from "./options.ts";
import type { Peer } from "./peer.ts";

/** Options of {@linkcode MessageServer.listen}. */
export interface ServerListenOptions {
  /**
   * Address to bind. `"0.0.0.0"` is every network interface: use tokens then.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Port to bind; 0 picks a free one.
   *
   * @default {18000}
   */
  port?: number;
  /** Certificate chain and key as PEM text; makes it `wss://`. */
  tls?: ServerTls;
  /** Closes the server when aborted. */
  signal?: AbortSignal;
}

/** How a connection ended. */
export interface PeerEnd {
  /** Close code; 1006 when there was no close frame. */
  code: number;
  /** Reason text, often empty. */
  reason: string;
}

/** Events of {@linkcode MessageServer} and what their handlers get. */
export interface MessageServerEvents {
  /** An ordinary message. */
  message: [message: MessageBase, peer: Peer];
  /** A custom message, whatever its name. */
  custom: [message: CustomMessage, peer: Peer];
  /**
   * A message that its sender streams. Segments and their bytes come as they are read, and no faster; a message that is
   * not read for `chunks.timeout` is given up. Without a listener such a message is collected and an ordinary `message`.
   */
  stream: [envelope: MessageEnvelope, segments: SegmentReader, peer: Peer];
  /** A connection was let in. */
  open: [peer: Peer];
  /** A connection that was let in is gone. */
  close: [peer: Peer, end: PeerEnd];
  /** A frame was not a message. The connection goes on, unless it was too large (1009) or `decode.strict` (1007). */
  invalid: [error: MessageDecodeError, peer: Peer];
  /** A message is lost, as its peer does not read or will not have it. Without a listener it is a line on `console.error`. */
  drop: [drop: ServerDrop, peer: Peer];
  /** A caller has reached a limit and was refused or closed. */
  limit: [reached: LimitReached];
  /** A handler or `authorize` failed. Without a listener it is a line on `console.error`. */
  error: [error: unknown];
}

/** A message that was to be sent and is lost. */
export interface ServerDrop {
  /** The message. */
  message: WireMessage;
  /**
   * `slow`: the peer does not read, and `limits.queuedBytes` are queued to it already. `too_large`: it went in pieces,
   * and the peer refused them.
   */
  reason: "slow" | "too_large";
}

/** A limit that a caller has reached. */
export interface LimitReached {
  /** Which one, as it is called in `limits`. */
  limit: LimitName;
  /** Address of the caller. */
  address: string;
  /** Platform of the connection, where there is one. */
  platform?: string;
}

/** Counters and gauges of {@linkcode MessageServer.stats}. */
export interface ServerStats {
  /** Connections that are let in now. */
  peers: number;
  /** Sockets that are not gone yet: those, and those that are ending. */
  connections: number;
  /** Bytes queued to all of them. */
  queuedBytes: number;
  /** Callers refused for their token. */
  unauthorized: number;
  /** Messages dropped. */
  dropped: number;
  /** Times a limit was reached. */
  limited: number;
  /** Messages received, custom ones included. */
  received: number;
  /** Messages sent, once per connection. */
  sent: number;
  /** Frames that were not messages. */
  invalid: number;
  /** Messages whose `message_info.platform` was not their connection's. */
  foreign: number;
}
