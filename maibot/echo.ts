import type { MessageBase } from "../schema/types.ts";
import type { HandlerResult } from "../util/emitter.ts";
import { ECHO_NAME } from "./faults.ts";

/** What an echo is sent by: a `MessageClient`. */
export interface EchoClient {
  /**
   * Sends a custom message.
   *
   * @throws {MessageConnectionError} If it can not be kept.
   * @throws {MessageRejectedError} If the client's `validate` found a `drop`.
   */
  sendCustom(name: string, content: unknown): void;
}

/** Id that a platform gave a message. */
export type ActualId = string | number | bigint;

function checkedId(id: unknown, argument: string): string {
  const isNumber = typeof id === "bigint" || Number.isSafeInteger(id);
  const text = typeof id === "string" || isNumber ? String(id).trim() : "";
  if (text !== "") return text;
  throw new TypeError(
    `Cannot echo message id as '${argument}' must be a string that is not empty, or a safe integer: received ${typeof id}`,
  );
}

/**
 * Tells MaiBot the id that a platform gave to one of its messages, once that has been delivered there.
 *
 * MaiBot renames the message it stored, so that replies, quotes and recalls find it. It ignores the echo of a message it
 * does not know, and in API mode every echo: 1.2.1 looks for the handler under a name that does not exist.
 *
 * Source: protocol.md 3.2; MaiBot 1.2.1, bot.py, ChatBot.echo_message_process.
 *
 * @param client The client the message came by.
 * @param message The message from MaiBot.
 * @param actualId The id on the platform.
 * @throws {TypeError} If the message has no id, or the other id is empty or a number that is not safe.
 * @throws {MessageConnectionError} As {@linkcode EchoClient.sendCustom} does.
 * @throws {MessageRejectedError} As {@linkcode EchoClient.sendCustom} does, if the client's `validate` found a `drop`.
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
  const echo = checkedId(message.message_info.message_id, "message.message_info.message_id");
  client.sendCustom(ECHO_NAME, { type: "echo", echo, actual_id: checkedId(actualId, "actualId") });
}

/** Delivers a message, and gives the id the platform gave it; nothing when there is none to tell. */
export type DeliveryHandler = (message: MessageBase) => EchoId | Promise<EchoId>;

/** What a {@linkcode DeliveryHandler} gives. */
export type EchoId = ActualId | null | undefined | void;

/**
 * Turns a handler that returns the platform's message id into one that echoes it to MaiBot.
 *
 * What the handler throws, and an echo that can not be sent or that `validate` rejects, becomes the client's event
 * `error`.
 *
 * @param client The client to listen on and to echo by.
 * @param handler Delivers a message; returns its id on the platform, or a promise of it.
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
 *   return await Promise.resolve("4711"); // what the platform answers
 * }
 * ```
 */
export function echoing(client: EchoClient, handler: DeliveryHandler): (message: MessageBase) => HandlerResult {
  const echo = (message: MessageBase, id: EchoId): void => {
    // Where a program is checked without strictNullChecks, the comparison takes no void away.
    if (id !== null && id !== undefined) echoMessageId(client, message, id as ActualId);
  };
  return (message) => {
    const id = handler(message);
    if (id instanceof Promise) return id.then((actualId) => echo(message, actualId));
    return echo(message, id);
  };
}
