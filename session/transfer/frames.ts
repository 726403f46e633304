import { MessageDecodeError } from "../../codec/errors.ts";
import { createCustom } from "../../schema/build.ts";
import type { CustomMessage } from "../../schema/types.ts";

/** The `message_type_name` of every frame of a chunked transfer; PROTOCOL.md describes them. */
export const CHUNK_NAME = "maim_chunk";

/**
 * Most characters one frame carries: so few that a small message between two of them hardly waits. Fewer are slower,
 * as a Deno 2.9 client leaves Nagle's algorithm on, and less than a segment of the loopback waits for the one before.
 */
export const CHUNK_LENGTH = 65_536;

/** Frames that may be under way without a grant of the receiver: more give no more bytes a second, only longer waits. */
export const WINDOW = 4;

/** Bytes a frame may take: every character of its piece may be escaped, and there is something around them. */
export const FRAME_BYTES: number = 2 * CHUNK_LENGTH + 4096;

/** Why a receiver will not have a transfer. */
export type RefusalReason = "too_large" | "too_many" | "timeout" | "invalid" | "cancelled";

const REASONS: readonly string[] = ["too_large", "too_many", "timeout", "invalid", "cancelled"];

/** What one frame says; the first four come from the sender of a transfer, the others from its receiver. */
export type ChunkFrame =
  /** A transfer begins. With `flow` the sender waits for grants; `length` is that of the text, where it is known. */
  | { readonly op: "open"; readonly id: number; readonly flow: boolean; readonly length?: number }
  /** Piece `n` of the text, from 0. */
  | { readonly op: "data"; readonly id: number; readonly n: number; readonly data: string }
  /** The text was sent: how many pieces, how many characters, and their CRC-32. */
  | { readonly op: "end"; readonly id: number; readonly n: number; readonly length: number; readonly crc: number }
  /** The sender has given up. */
  | { readonly op: "abort"; readonly id: number }
  /** Pieces before `n` may be sent. */
  | { readonly op: "grant"; readonly id: number; readonly n: number }
  /** Everything has arrived and was read. */
  | { readonly op: "done"; readonly id: number }
  /** The receiver has given up; `limit` is the length it would have taken. */
  | { readonly op: "refuse"; readonly id: number; readonly reason: RefusalReason; readonly limit?: number };

/** Puts what is to be said into a message. */
export function chunkMessage(frame: ChunkFrame, platform: string): CustomMessage {
  return createCustom(CHUNK_NAME, frame, platform);
}

/** The fault of a frame that is text and decodes, and is not what was agreed on. */
export function notAgreed(path: string, expected: string, received: string): MessageDecodeError {
  return new MessageDecodeError(`Cannot decode frame as ${path} must be ${expected}: received ${received}`, {
    code: "invalid_shape",
    path,
    expected,
    received,
  });
}

/** The fault of a member of a chunk frame. */
export function chunkFault(member: string, expected: string, received: string): MessageDecodeError {
  return notAgreed(`$.content${member === "" ? "" : `.${member}`}`, expected, received);
}

/** Reads the members of one frame. */
class Fields {
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
    throw chunkFault(member, "a whole number from 0", typeof value);
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
 * Reads the content of a chunk frame.
 *
 * @throws {MessageDecodeError} If it is none; nothing of it is in the error.
 */
export function readChunk(content: unknown): ChunkFrame {
  const fields = new Fields(content);
  const id = fields.count("id");
  const op = fields.text("op");
  switch (op) {
    case "open":
      return { op, id, flow: fields.get("flow") === true, ...fields.optionalCount("length") };
    case "data":
      return { op, id, n: fields.count("n"), data: fields.text("data") };
    case "end":
      return { op, id, n: fields.count("n"), length: fields.count("length"), crc: fields.count("crc") };
    case "grant":
      return { op, id, n: fields.count("n") };
    case "refuse": {
      const reason = fields.text("reason");
      // A reason of a later version is a refusal all the same.
      const known = (REASONS.includes(reason) ? reason : "cancelled") as RefusalReason;
      return { op, id, reason: known, ...fields.optionalCount("limit") };
    }
    case "abort":
    case "done":
      return { op, id };
    default:
      throw chunkFault("op", "one that is known", "another string");
  }
}
