import type { MessageBase, Seg } from "../../schema/types.ts";
import { MessageDecodeError } from "../errors.ts";
import { decodeMessage } from "../decode.ts";
import { isCustom } from "../../schema/guards.ts";
import type { MessageEnvelope } from "./message_text.ts";

/** Any object of JSON. */
export type Fields = Record<string, unknown>;

/** Types whose data is base64. */
const BINARY: ReadonlySet<unknown> = new Set(["image", "emoji", "voice", "video"]);

/** Tells whether the data of a type is base64; that of an emoji may be a character instead. */
export function isBinaryType(type: unknown): boolean {
  return BINARY.has(type);
}

/** Tells by its beginning whether the data of an emoji is base64. */
export function isBase64Start(text: string): boolean {
  return /^[\w+/=\-\t\n\f\r ]*$/.test(text.slice(0, 4));
}

/** Base64 found in a segment in memory, and the member that holds it. */
export interface Base64Member {
  readonly holder: Fields;
  readonly key: "data" | "base64";
  readonly text: string;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Finds the base64 of a segment, if its type has some. */
export function base64Member(segment: Seg): Base64Member | null {
  const { type, data } = segment;
  const text = type === "file" && isObject(data) && Object.hasOwn(data, "base64") ? data["base64"] : undefined;
  if (typeof text === "string") return { holder: data as Fields, key: "base64", text };
  if (!isBinaryType(type) || typeof data !== "string" || (type === "emoji" && !isBase64Start(data))) return null;
  return { holder: segment as unknown as Fields, key: "data", text: data }; // interfaces lack an index signature
}

/** Adds members without calling a setter: `__proto__` is a member like any other. */
export function assign(target: object, members: object, isAdded: (key: string) => boolean = () => true): void {
  for (const [key, value] of Object.entries(members)) {
    if (isAdded(key)) {
      Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
    }
  }
}

/** Makes the error of a member that comes again after it was handed out. */
export function repeated(path: string): MessageDecodeError {
  return new MessageDecodeError(`Cannot decode message as ${path} must be there once: received it again`, {
    ...{ code: "invalid_shape", path, expected: "one member of this name", received: "another" },
  });
}

/** Decodes parts of a message by the rules of the whole. */
export class PartDecoder {
  readonly #maxDepth: number;

  /** @param maxDepth How many segment lists may stand inside one another. */
  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  /** Decodes the members around the segments; `segment` is what stands for those, if there were any. */
  envelope(members: readonly string[], hasSegment: boolean): MessageEnvelope {
    const segment = hasSegment ? ['"message_segment":{"type":"x"}'] : [];
    const message = decodeMessage(`{${[...members, ...segment].join(",")}}`, this.#limits);
    if (isCustom(message)) {
      const path = "$.is_custom_message";
      throw new MessageDecodeError(`Cannot decode segments as ${path} must be anything but true: it has none`, {
        ...{ code: "invalid_shape", path, expected: "anything but true", received: "boolean" },
      });
    }
    const { message_segment: _, ...envelope } = message;
    return envelope;
  }

  /**
   * Decodes one segment.
   *
   * @param json Its text.
   * @param index Where it stands in the list; null for the only one of its message.
   */
  segment(json: string, index: number | null): Seg {
    const top = index === null ? json : `{"type":"seglist","data":[${json}]}`;
    try {
      const text = `{"message_info":{"platform":"none"},"message_segment":${top}}`;
      const { message_segment: segment } = decodeMessage(text, this.#limits) as MessageBase; // it has no other member
      return index === null ? segment : (segment.data as Seg[])[0] as Seg;
    } catch (error) {
      throw error instanceof MessageDecodeError && index !== null ? moved(error, index) : error;
    }
  }

  /** Decodes a whole text that holds no message, for the error. */
  refuse(json: string): never {
    decodeMessage(json, this.#limits);
    throw new TypeError("Cannot refuse what decodes");
  }

  get #limits(): { maxBytes: number; maxDepth: number } {
    return { maxBytes: Infinity, maxDepth: this.#maxDepth };
  }
}

/** The error of a segment that was decoded alone, with the place where it really stands. */
function moved(error: MessageDecodeError, index: number): MessageDecodeError {
  const item = `$.message_segment.data[${index}]`;
  const move = (text: string): string => text.replace("$.message_segment.data[0]", item);
  const { code, path, expected, received } = error;
  return new MessageDecodeError(move(error.message), {
    // Too many segments are counted from the list around it.
    ...{ code, path: code === "too_large" ? `${item}.data` : move(path) },
    ...(expected === undefined ? {} : { expected }),
    ...(received === undefined ? {} : { received }),
  });
}
