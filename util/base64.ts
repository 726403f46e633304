import { MessageDecodeError } from "../codec/errors.ts";

const EMPTY = new Uint8Array();

/** What stands before the base64 of a data URL; longer ones are none. */
const PREFIX = /^data:[^,]{0,1000};base64,/i;
const PREFIX_LIMIT = 1024;

/** What neither alphabet has. */
const FOREIGN = /[^\w+/-]/;
const SPACES = /[\t\n\f\r ]+/g;
const WHOLE_GROUPS = { lastChunkHandling: "stop-before-partial" } as const;

function malformed(path: string): MessageDecodeError {
  return new MessageDecodeError(`Cannot decode message as ${path} must be base64: received another string`, {
    code: "invalid_shape",
    path,
    expected: "base64",
    received: "string",
  });
}

/** Cuts a text into its base64 characters and its padding, in the standard alphabet and without white space. */
function bare(text: string): { body: string; isPadded: boolean } | null {
  const dense = text.replace(SPACES, "").replaceAll("-", "+").replaceAll("_", "/");
  const end = dense.indexOf("=");
  if (end < 0) return { body: dense, isPadded: false };
  for (let index = end; index < dense.length; index++) if (dense[index] !== "=") return null;
  return { body: dense.slice(0, end), isPadded: true };
}

function decode(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return null;
  }
}

/**
 * Decodes base64 as it is found in the wild: with a `data:` prefix, without padding or with too much, with white space,
 * in the URL-safe alphabet.
 *
 * @param text The base64.
 * @param path JSON path for the error.
 * @returns The bytes.
 * @throws {MessageDecodeError} If it is no base64; the text is not in the error.
 */
export function bytesOf(text: string, path: string): Uint8Array<ArrayBuffer> {
  const body = text.replace(PREFIX, "");
  const bytes = decode(body) ?? decode(bare(body)?.body ?? "?");
  if (bytes === null) throw malformed(path);
  return bytes;
}

/** Decodes base64 that comes in pieces, cut anywhere; takes what {@linkcode bytesOf} takes. */
export class Base64Decoder {
  readonly #path: string;
  /** The beginning, until it is known whether it is that of a data URL; then null. */
  #head: string | null = "";
  /** Characters short of a group of four. */
  #rest = "";
  #isPadded = false;

  /**
   * Creates a decoder of one string.
   *
   * @param path JSON path for the errors.
   */
  constructor(path: string) {
    this.#path = path;
  }

  /** Takes a piece and gives the bytes it completes; may be none. */
  push(piece: string): Uint8Array<ArrayBuffer> {
    const text = this.#head === null ? piece : this.#afterPrefix(this.#head + piece);
    if (text === "") return EMPTY;
    if (this.#isPadded) return this.#tolerate(text);
    const bytes = new Uint8Array(Math.ceil((this.#rest.length + text.length) / 4) * 3);
    try {
      return bytes.subarray(0, this.#fill(bytes, text));
    } catch {
      return this.#tolerate(this.#rest + text);
    }
  }

  /** Decodes whole groups into bytes and gives their number; throws where the engine does, with nothing changed. */
  #fill(bytes: Uint8Array, text: string): number {
    // The group that was begun is decoded alone: joined to all the rest, that would have to be copied.
    const need = this.#rest === "" ? 0 : Math.max(0, 4 - this.#rest.length);
    const first = this.#rest + text.slice(0, need);
    const start = first === "" ? 0 : bytes.setFromBase64(first, WHOLE_GROUPS).written;
    const isApart = first === "" || (start === 3 && first.length === 4);
    const groups = isApart ? text.slice(need) : this.#rest + text;
    const offset = isApart ? start : 0;
    const { read, written } = bytes.subarray(offset).setFromBase64(groups, WHOLE_GROUPS);
    const rest = groups.slice(read);
    this.#rest = rest.length > 3 ? rest.replace(SPACES, "") : rest; // else a flood of spaces would be kept
    this.#isPadded = written % 3 !== 0;
    return offset + written;
  }

  /** Gives the bytes of a last group without padding; may be none. */
  end(): Uint8Array<ArrayBuffer> {
    const head = this.#head ?? "";
    if (/^data:/i.test(head)) throw malformed(this.#path);
    this.#head = null;
    const start = head === "" ? EMPTY : this.push(head); // four characters at most
    const bytes = decode(bare(this.#rest)?.body ?? "?");
    if (bytes === null) throw malformed(this.#path);
    return start.length === 0 ? bytes : start;
  }

  #afterPrefix(text: string): string {
    this.#head = text;
    const isShort = text.length < 5;
    if (isShort ? "data:".startsWith(text.toLowerCase()) : /^data:/i.test(text)) {
      if (isShort || (!text.includes(",") && text.length < PREFIX_LIMIT)) return "";
      if (!PREFIX.test(text)) throw malformed(this.#path);
    }
    this.#head = null;
    return text.replace(PREFIX, "");
  }

  /** The slow way, for a piece the engine refuses. */
  #tolerate(groups: string): Uint8Array<ArrayBuffer> {
    const parts = bare(groups);
    if (parts === null || (this.#isPadded && parts.body !== "")) throw malformed(this.#path);
    const whole = parts.isPadded ? parts.body.length : parts.body.length - parts.body.length % 4;
    const bytes = decode(parts.body.slice(0, whole));
    this.#rest = parts.body.slice(whole);
    if (bytes === null || FOREIGN.test(this.#rest)) throw malformed(this.#path);
    this.#isPadded ||= parts.isPadded;
    return bytes;
  }
}

/** Characters looked at in one step: a whole number of groups of four. */
const STEP = 2 ** 16;
const scratch: { bytes?: Uint8Array } = {};

/**
 * Tells whether a text is base64 of the standard alphabet, padded, and nothing else: JSON writes it as it stands.
 *
 * The engine's own decoder looks through 25 GB in a second; a regular expression through 1.
 */
export function isBase64(text: string): boolean {
  const bytes = scratch.bytes ??= new Uint8Array(STEP / 4 * 3);
  try {
    for (let at = 0; at < text.length; at += STEP) {
      const piece = text.slice(at, at + STEP);
      const { read, written } = bytes.setFromBase64(piece, { lastChunkHandling: "strict" });
      const isLast = at + STEP >= text.length;
      if (read !== piece.length || (isLast ? Math.ceil(written / 3) * 4 : written / 3 * 4) !== read) return false;
    }
    return true;
  } catch {
    return false;
  }
}
