/**
 * The maim_message protocol for Deno and Bun. MaiBot (麦麦) and its platform adapters talk over WebSocket with the JSON
 * messages of this protocol. The library has a client, a router and a server. Nothing is imported at run time.
 *
 * The example is an adapter. It sends to MaiBot what people write. Each message of MaiBot arrives as an event
 * `message`. `account` is the bot's own id on the platform, as in `[bot]` of MaiBot's configuration.
 *
 * ```ts
 * import { MessageClient, MessageServer, plainText } from "@maim/message";
 *
 * await using server = new MessageServer(); // stands in for MaiBot here
 * await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", account: "777" });
 * client.on("message", (message) => console.log(`MaiBot: ${plainText(message)}`)); // show it on the platform
 * await client.connect();
 * client.sendText("你好", { user: "10001" });
 * ```
 *
 * @module
 */

// schema: the types and rules of messages
export {
  createCustom,
  createMessage,
  createReply,
  isCustomMessage,
  isMessageBase,
  isSeg,
  messageIssue,
  plainText,
  seg,
} from "./schema.ts";
export type {
  BaseMessageInfo,
  CreateMessageOptions,
  CustomMessage,
  FileData,
  FileInput,
  FormatInfo,
  GroupInfo,
  GroupInput,
  MessageBase,
  MessageIssue,
  MessageIssueOptions,
  PartyInfo,
  ReceiverInfo,
  Seg,
  SegBuilders,
  SegDataMap,
  SegOf,
  SegType,
  SenderInfo,
  TemplateInfo,
  UserInfo,
  UserInput,
  WireMessage,
} from "./schema.ts";

// codec: decodes and encodes messages
export {
  CodecError,
  decodeMessage,
  decodeSegments,
  encodeMessage,
  encodeStream,
  MessageDecodeError,
  MessageEncodeError,
  segBytes,
  SegmentEncoderStream,
  splitMessage,
} from "./codec.ts";
export type {
  BinaryData,
  BinaryFileData,
  BinarySeg,
  CodecFault,
  DecodedSeg,
  DecodeOptions,
  DecodeSegmentsOptions,
  EncodeOptions,
  EncodeStreamOptions,
  MessageDecodeErrorCode,
  MessageEncodeErrorCode,
  MessageEnvelope,
  SegmentReader,
  StreamMessage,
} from "./codec.ts";

// client: one connection to a server, with reconnects
export { MessageClient, MessageConnectionError, MessageRejectedError } from "./client.ts";
export type {
  ChunkOptions,
  ClientStats,
  ClientStatus,
  ClientTls,
  ConnectOptions,
  Drop,
  DropReason,
  FlushOptions,
  FlushResult,
  HandlerResult,
  HeartbeatOptions,
  ListenOptions,
  MessageClientEvents,
  MessageClientOptions,
  MessageConnectionErrorCode,
  MessageConnectionErrorOptions,
  OtherPlatforms,
  OutboxOptions,
  ReconnectOptions,
  SendProgress,
  SendStreamOptions,
  SendTextOptions,
  Validate,
  ValidationIssue,
} from "./client.ts";

// router: one client for each platform
export { Router } from "./client/router.ts";
export type { RouteConfig, RouteOptions, RouterEvents } from "./client/router.ts";

// server: many clients on one port
export { MessageServer } from "./server.ts";
export type {
  Authorization,
  BunSocket,
  BunWebSocketHandlers,
  DuplicatePolicy,
  LimitName,
  LimitReached,
  MessageServerEvents,
  MessageServerOptions,
  Peer,
  PeerEnd,
  Refusal,
  RefusalCause,
  ServerDecodeOptions,
  ServerDrop,
  ServerLimits,
  ServerListenOptions,
  ServerStats,
  ServerTls,
} from "./server.ts";
