import type { MessageBase } from "../schema/types.ts";
import type { HandlerResult } from "../util/emitter.ts";
import { ECHO_NAME } from "./custom_frame.ts";

/** The client that sends the echo, such as a `MessageClient`. */
export interface EchoClient {
  /**
   * Sends a custom message.
   *
   * @throws {MessageConnectionError} If the message can neither be sent nor queued.
   * @throws {MessageRejectedError} If the client's `validate` finds an issue with the level `drop`.
   */
  sendCustom(name: string, content: unknown): void;
}

/** The id that a platform gave to a message. */
export type ActualId = string | number | bigint;

/** Describes a value that is not an id, for an error text. */
function describeId(id: unknown): string {
  if (typeof id === "string") return "a blank string";
  return typeof id === "number" || id === null ? String(id) : typeof id;
}

/** Returns an id as text; throws if it is not an id. */
function idText(id: unknown, argument: string): string {
  const isNumber = typeof id === "bigint" || Number.isSafeInteger(id);
  const text = typeof id === "string" || isNumber ? String(id).trim() : "";
  if (text !== "") return text;
  throw new TypeError(
    `'${argument}' must be a string that is not blank, or a safe integer; received ${describeId(id)}`,
  );
}

/**
 * Tells MaiBot the id that the platform gave to one of MaiBot's messages. Call this function after the message was
 * delivered.
 *
 * MaiBot then stores its message under the platform's id, so that replies, quotes and recalls find the message. MaiBot
 * ignores the echo of a message that it does not know. The API server of MaiBot 1.2.1 ignores every echo, because it
 * looks up the handler of the echo under a name that does not exist.
 *
 * Source: MaiBot 1.2.1, bot.py, ChatBot.echo_message_process.
 *
 * @param client The client that received the message.
 * @param message The message from MaiBot.
 * @param actualId The id that the platform gave to the message.
 * @throws {TypeError} If the message has no id, or if `actualId` is blank or a number that is not a safe integer.
 * @throws {MessageConnectionError} If the echo can neither be sent nor queued.
 * @throws {MessageRejectedError} If the client's `validate` finds an issue with the level `drop`.
 *
 * @example After delivery
 * ```ts
 * import { echoMessageId } from "@maim/message/maibot";
 * import { createMessage, seg } from "@maim/message/schema";
 *
 * const client = { sendCustom: (name: string, content: unknown) => console.log(name, content) }; // a MessageClient
 * echoMessageId(client, createMessage({ platform: "qq", user: "bot", message_id: "send_api_1" }, seg.text("hi")), 42);
 * // message_id_echo { type: "echo", echo: "send_api_1", actual_id: "42" }
 * ```
 */
export function echoMessageId(client: EchoClient, message: MessageBase, actualId: ActualId): void {
  const echo = idText(message.message_info.message_id, "message.message_info.message_id");
  client.sendCustom(ECHO_NAME, { type: "echo", echo, actual_id: idText(actualId, "actualId") });
}

/** Delivers a message to the platform, and returns the id that the platform gave to the message. May return nothing. */
export type DeliveryHandler = (message: MessageBase) => EchoId | Promise<EchoId>;

/** Result of a {@linkcode DeliveryHandler}. If it is null, undefined or missing, no echo is sent. */
export type EchoId = ActualId | null | undefined | void;

/**
 * Turns a {@linkcode DeliveryHandler} into a handler for the event `message`. The handler delivers each message, and
 * then sends the message's id on the platform to MaiBot.
 *
 * The client emits the event `error` if the delivery handler throws or rejects, if the echo cannot be sent, or if
 * `validate` rejects the echo.
 *
 * @param client The client that receives the messages.
 * @param handler Delivers a message, and returns the id of the message on the platform, or a promise of the id.
 * @returns A handler for the event `message`.
 *
 * @example The whole outbound side of an adapter
 * ```ts
 * import { MessageClient, plainText } from "@maim/message";
 * import { echoing, replyTarget } from "@maim/message/maibot";
 *
 * const client = new MessageClient("ws://127.0.0.1:8000/ws", { platform: "qq" });
 * client.on(
 *   "message",
 *   echoing(client, async (message) => {
 *     const target = replyTarget(message);
 *     return target === null ? null : await deliver(target.id, plainText(message));
 *   }),
 * );
 *
 * async function deliver(_to: string, _text: string): Promise<string> {
 *   return await Promise.resolve("4711"); // the id that the platform returns
 * }
 * ```
 */
export function echoing(client: EchoClient, handler: DeliveryHandler): (message: MessageBase) => HandlerResult {
  const echo = (message: MessageBase, id: EchoId): void => {
    // The cast is needed when a user's program is type-checked without strictNullChecks: then the comparison with
    // undefined does not remove `void` from the type of `id`.
    if (id !== null && id !== undefined) echoMessageId(client, message, id as ActualId);
  };
  return (message) => {
    const id = handler(message);
    if (id instanceof Promise) return id.then((actualId) => echo(message, actualId));
    return echo(message, id);
  };
}
