/**
 * `MessageClient`: the connection of one adapter to a maim_message server. If the connection is lost, the client
 * reconnects.
 *
 * ```ts
 * import { createMessage, MessageClient, MessageServer, plainText, seg } from "@maim/message";
 *
 * await using server = new MessageServer();
 * server.on("message", (message, peer) => peer.send(message));
 *
 * await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
 * const answer = new Promise<string>((resolve) => client.on("message", (message) => resolve(plainText(message))));
 * await client.connect();
 * client.send(createMessage({ platform: "qq", user: "10001" }, seg.text("hello")));
 * console.log(await answer); // hello
 * ```
 *
 * @module
 */

export { MessageClient } from "./client/client.ts";
export type {
  ClientStats,
  ConnectOptions,
  FlushOptions,
  FlushResult,
  MessageClientEvents,
  SendTextOptions,
} from "./client/client.ts";
export type { ClientStatus } from "./client/status.ts";
export type {
  ClientTls,
  HeartbeatOptions,
  MessageClientOptions,
  OtherPlatforms,
  OutboxOptions,
  ReconnectOptions,
} from "./client/options.ts";
export { MessageRejectedError } from "./client/check_before_sending.ts";
export type { Validate, ValidationIssue } from "./client/check_before_sending.ts";
export type { Drop, DropReason } from "./session/drops.ts";
export type { ChunkOptions } from "./session/transfer/options.ts";
export type { SendProgress, SendStreamOptions } from "./session/transfer/transfers.ts";
export { MessageConnectionError } from "./util/connection_error.ts";
export type { MessageConnectionErrorCode, MessageConnectionErrorOptions } from "./util/connection_error.ts";
export type { HandlerResult, ListenOptions } from "./util/emitter.ts";
