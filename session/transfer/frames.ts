/**
 * The frames of a transfer: one large message, sent in chunks. docs/extension.md describes the protocol.
 * @module
 */

import { decodeErrors, type MessageDecodeError } from "../../codec/errors.ts";
import { createCustom } from "../../schema/build.ts";
import type { CustomMessage } from "../../schema/types.ts";

/** The `message_type_name` of every transfer frame. */
export const CHUNK_NAME = "maim_chunk";

/**
 * Maximum characters of one chunk: small enough that other messages hardly wait behind it. Smaller chunks are slower:
 * Deno 2.9 clients leave Nagle's algorithm on, so a frame smaller than a TCP segment is held back until the previous
 * frame is acknowledged.
 */
export const MAX_CHUNK_LENGTH = 65_536;

/**
 * Number of chunks that the sender may send before the receiver grants more. A larger window adds delay, but no
 * throughput.
 */
export const GRANT_WINDOW = 4;

/**
 * Maximum bytes of one transfer frame. A chunk is JSON text in ASCII, so each character takes at most two bytes: itself,
 * and a backslash if it is escaped. The other bytes are for the envelope.
 */
export const MAX_CHUNK_FRAME_BYTES: number = 2 * MAX_CHUNK_LENGTH + 4096;

/** Reason for which a receiver refuses a transfer. */
export type RefusalReason = "too_large" | "too_many" | "timeout" | "invalid" | "cancelled";

const REASONS: readonly string[] = ["too_large", "too_many", "timeout", "invalid", "cancelled"];

/** The content of one transfer frame. The sender sends the first four kinds, and the receiver sends the other three. */
export type ChunkFrame =
  /** Starts a transfer. With `flow` the sender waits for grants. `length` is the length of the text, if it is known. */
  | { readonly op: "open"; readonly id: number; readonly flow: boolean; readonly length?: number }
  /** Carries chunk `n` of the text, counted from 0. */
  | { readonly op: "data"; readonly id: number; readonly n: number; readonly data: string }
  /** Ends the text: `n` chunks, `length` characters, and their CRC-32. */
  | { readonly op: "end"; readonly id: number; readonly n: number; readonly length: number; readonly crc: number }
  /** The sender has given up. */
  | { readonly op: "abort"; readonly id: number }
  /** The sender may send chunks below number `n`. */
  | { readonly op: "grant"; readonly id: number; readonly n: number }
  /** The receiver has received and read the whole text. */
  | { readonly op: "done"; readonly id: number }
  /** The receiver has given up. `limit` is the maximum length that it would have accepted. */
  | { readonly op: "refuse"; readonly id: number; readonly reason: RefusalReason; readonly limit?: number };

/** Puts a transfer frame into a custom message. */
export function chunkMessage(frame: ChunkFrame, platform: string): CustomMessage {
  return createCustom(CHUNK_NAME, frame, platform);
}

/** Creates the error for a frame that is not a message: a binary frame, or a `maim_` message that was not agreed on. */
export function notAgreed(path: string, expected: string, received: string): MessageDecodeError {
  return decodeErrors.shape({ path, expected, received });
}

/** Creates the error for a wrong member of a transfer frame; `member` is `""` for the frame itself. */
export function chunkFault(member: string, expected: string, received: string): MessageDecodeError {
  return notAgreed(`$.content${member === "" ? "" : `.${member}`}`, expected, received);
}

/** Reads the members of one transfer frame. */
class MemberReader {
  readonly #content: Record<string, unknown>;

  constructor(content: unknown) {
    if (typeof content !== "object" || content === null) throw chunkFault("", "an object", typeof content);
    this.#content = content as Record<string, unknown>;
  }

  get(member: string): unknown {
    return Object.hasOwn(this.#content, member) ? this.#content[member] : undefined;
  }

  count(member: string): number {
    const value = this.get(member);
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
    throw chunkFault(member, "a whole number, 0 or more", typeof value);
  }

  optionalCount<Name extends string>(member: Name): { [Member in Name]?: number } {
    const value = this.get(member);
    return (value === undefined || value === null ? {} : { [member]: this.count(member) }) as { [M in Name]?: number };
  }

  text(member: string): string {
    const value = this.get(member);
    if (typeof value === "string") return value;
    throw chunkFault(member, "a string", typeof value);
  }
}

/**
 * Reads the content of a transfer frame.
 *
 * @throws {MessageDecodeError} If the content is not a transfer frame; the error shows nothing of the content.
 */
export function readChunk(content: unknown): ChunkFrame {
  const members = new MemberReader(content);
  const id = members.count("id");
  const op = members.text("op");
  switch (op) {
    case "open":
      return { op, id, flow: members.get("flow") === true, ...members.optionalCount("length") };
    case "data":
      return { op, id, n: members.count("n"), data: members.text("data") };
    case "end":
      return { op, id, n: members.count("n"), length: members.count("length"), crc: members.count("crc") };
    case "grant":
      return { op, id, n: members.count("n") };
    case "refuse": {
      const reason = members.text("reason");
      // A later version may send a reason that is unknown here. The frame is still a refusal.
      const known = (REASONS.includes(reason) ? reason : "cancelled") as RefusalReason;
      return { op, id, reason: known, ...members.optionalCount("limit") };
    }
    case "abort":
    case "done":
      return { op, id };
    default:
      throw chunkFault("op", "a known operation", "another string");
  }
}
