import { createCustom } from "../schema/build.ts";
import type { CustomMessage, WireMessage } from "../schema/types.ts";
import { FRAME_BYTES } from "./transfer/frames.ts";
import { isCustom } from "../schema/guards.ts";

/** Header by which a client of ours says what it can do beyond the deployed protocol. */
export const HELLO_HEADER = "maim-hello";

const VERSION = 1;

/** What this library can do beyond the deployed protocol. */
export const FEATURES: readonly string[] = ["chunks", "ping"];

/** Writes the value of the hello header. */
export function helloHeader(features: readonly string[]): string {
  return `${VERSION}; ${features.join(", ")}`;
}

/** Reads the hello header: the features both sides have, or `null` without an agreement. */
export function agreeOn(header: string | null, offered: readonly string[]): readonly string[] | null {
  const match = /^\s*(\d+)\s*;(.*)$/.exec(header ?? "");
  if (match === null || Number(match[1]) !== VERSION) return null;
  const theirs = (match[2] ?? "").split(",").map((name) => name.trim());
  return offered.filter((name) => theirs.includes(name));
}

/** What this side offers: no chunks where it would not read the frames they come in. */
export function offeredFeatures(maxBytes: number, transfers: object | null): readonly string[] {
  const takesChunks = transfers !== null && maxBytes >= FRAME_BYTES;
  return takesChunks ? FEATURES : FEATURES.filter((name) => name !== "chunks");
}

/** The first frame after an agreement. */
export function helloMessage(features: readonly string[], platform: string): CustomMessage {
  return createCustom("maim_hello", { version: VERSION, features }, platform);
}

/** Reads a hello: its features, as far as they were offered, or `null` if the message is none. */
export function helloFeatures(message: WireMessage, offered: readonly string[]): readonly string[] | null {
  if (!isCustom(message) || message.message_type_name !== "maim_hello") return null;
  const content = message.content as { version?: unknown; features?: unknown } | null;
  if (content?.version !== VERSION || !Array.isArray(content.features)) return null;
  return offered.filter((name) => (content.features as unknown[]).includes(name));
}

/** Asks the other side for a sign of life. */
export function pingMessage(number: number, platform: string): CustomMessage {
  return createCustom("maim_ping", { n: number }, platform);
}

/** Answers a ping, once the handlers of all messages before it were called. */
export function pongMessage(number: number, platform: string): CustomMessage {
  return createCustom("maim_pong", { n: number }, platform);
}

/** Reads a ping or pong: its number, or `null` if the message is neither. Nothing else of it is ever sent back. */
export function pingNumber({ message_type_name: name, content }: CustomMessage): number | null {
  if (name !== "maim_ping" && name !== "maim_pong") return null;
  const number = (content as { n?: unknown } | null)?.n;
  return Number.isSafeInteger(number) ? number as number : null;
}

/** Whether a name belongs to this library's own conversation. */
export function isReserved(name: string): boolean {
  return name.startsWith("maim_");
}

/** Refuses a message that only the library itself may send. */
export function refuseReserved(message: WireMessage): void {
  if (isCustom(message) && typeof message.message_type_name === "string" && isReserved(message.message_type_name)) {
    throw new TypeError(`Cannot send custom message as names starting with "maim_" are reserved`);
  }
}
