/**
 * The messages with which two peers of this library agree on features. docs/extension.md describes them.
 * @module
 */

import { isCustom } from "../schema/guards.ts";
import { createCustom } from "../schema/build.ts";
import type { CustomMessage, WireMessage } from "../schema/types.ts";
import { MAX_CHUNK_FRAME_BYTES } from "./transfer/frames.ts";

export { HELLO_HEADER } from "../util/hello_header.ts";

const VERSION = 1;

/** Features of this library that the deployed protocol does not have. */
export const FEATURES: readonly string[] = ["chunks", "ping"];

/** Writes the value of the hello header. */
export function helloHeader(features: readonly string[]): string {
  return `${VERSION}; ${features.join(", ")}`;
}

/** Reads the hello header. Returns the features that both sides have; `null` if nothing was agreed on. */
export function agreeOn(header: string | null, offered: readonly string[]): readonly string[] | null {
  const match = /^\s*(\d+)\s*;(.*)$/.exec(header ?? "");
  if (match === null || Number(match[1]) !== VERSION) return null;
  const theirs = (match[2] ?? "").split(",").map((name) => name.trim());
  return offered.filter((name) => theirs.includes(name));
}

/** Value of the hello header of a server's HTTP answer: the server would send a hello to the caller. */
export const SERVES_HELLO: string = `${VERSION}`;

/**
 * Returns the features that this side offers: `chunks` only if this side accepts frames that are large enough for a
 * chunk.
 */
export function offeredFeatures(maxBytes: number, transfers: object | null): readonly string[] {
  const takesChunks = transfers !== null && maxBytes >= MAX_CHUNK_FRAME_BYTES;
  return takesChunks ? FEATURES : FEATURES.filter((name) => name !== "chunks");
}

/** Creates the hello: the first frame that the server sends if features were agreed on. */
export function helloMessage(features: readonly string[], platform: string): CustomMessage {
  return createCustom("maim_hello", { version: VERSION, features }, platform);
}

/** Reads a hello. Returns the features in it that this side has offered; `null` if the message is not a hello. */
export function helloFeatures(message: WireMessage, offered: readonly string[]): readonly string[] | null {
  if (!isCustom(message) || message.message_type_name !== "maim_hello") return null;
  const content = message.content as { version?: unknown; features?: unknown } | null;
  if (content?.version !== VERSION || !Array.isArray(content.features)) return null;
  return offered.filter((name) => (content.features as unknown[]).includes(name));
}

/** Creates a ping, which asks the other side for a pong. `isLast` says that its sender is about to close. */
export function pingMessage(number: number, isLast: boolean, platform: string): CustomMessage {
  return createCustom("maim_ping", isLast ? { n: number, last: true } : { n: number }, platform);
}

/** Tells whether the sender of a ping is about to close. */
export function isLastPing({ content }: CustomMessage): boolean {
  return (content as { last?: unknown } | null)?.last === true;
}

/** Creates a pong. It is sent after the handlers of all messages before the ping were called. */
export function pongMessage(number: number, platform: string): CustomMessage {
  return createCustom("maim_pong", { n: number }, platform);
}

/**
 * Reads the number of a ping or pong; `null` if the message is neither. The pong to a ping holds only this number and
 * nothing else from the ping.
 */
export function pingNumber({ message_type_name: name, content }: CustomMessage): number | null {
  if (name !== "maim_ping" && name !== "maim_pong") return null;
  const number = (content as { n?: unknown } | null)?.n;
  return Number.isSafeInteger(number) ? number as number : null;
}
