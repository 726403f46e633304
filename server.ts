/**
 * `MessageServer` serves many adapters on one port. This file is also a program that starts a server:
 * `deno run -A server.ts --help`.
 *
 * ```ts
 * import { createReply, MessageServer, plainText, seg } from "@maim/message";
 *
 * await using server = new MessageServer();
 * server.on("message", (message, peer) => peer.send(createReply(message, seg.text(plainText(message)))));
 * console.log(server.listen({ port: 0 })); // ws://127.0.0.1:40123/ws
 * ```
 *
 * @module
 */

import { runServer } from "./server/program.ts";

export type { BunSocket, BunWebSocketHandlers, ServerTls } from "./runtime/types.ts";
export type {
  LimitReached,
  MessageServerEvents,
  Peer,
  PeerEnd,
  ServerDrop,
  ServerListenOptions,
  ServerStats,
} from "./server/events.ts";
export type {
  Authorization,
  DuplicatePolicy,
  LimitName,
  MessageServerOptions,
  ServerDecodeOptions,
  ServerLimits,
} from "./server/options.ts";
export type { Refusal, RefusalCause } from "./server/refusals.ts";
export { MessageServer } from "./server/server.ts";
export type { ChunkOptions } from "./session/transfer/options.ts";
export type { SendProgress, SendStreamOptions } from "./session/transfer/transfers.ts";
export { MessageConnectionError } from "./util/connection_error.ts";
export type { MessageConnectionErrorCode, MessageConnectionErrorOptions } from "./util/connection_error.ts";
export type { HandlerResult, ListenOptions } from "./util/emitter.ts";

if (import.meta.main) await runServer();
