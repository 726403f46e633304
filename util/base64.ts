const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array();

/** The beginning of a data URL, up to its base64. A longer one is not accepted. */
const PREFIX = /^data:[^,]{0,1000};base64,/i;
const PREFIX_LIMIT = 1024;

/** A character that is in neither base64 alphabet. */
const FOREIGN = /[^\w+/-]/;
/** Stands for a text that cannot be cleaned: no decoder accepts it. */
const NOT_BASE64 = "?";
const SPACES = /[\t\n\f\r ]+/g;
const WHOLE_GROUPS = { lastChunkHandling: "stop-before-partial" } as const;

/**
 * Removes white space and padding and turns the URL-safe alphabet into the standard one; null if that is not possible.
 */
function bare(text: string): { body: string; isPadded: boolean } | null {
  const dense = text.replace(SPACES, "").replaceAll("-", "+").replaceAll("_", "/");
  const end = dense.indexOf("=");
  if (end < 0) return { body: dense, isPadded: false };
  for (let index = end; index < dense.length; index++) if (dense[index] !== "=") return null;
  return { body: dense.slice(0, end), isPadded: true };
}

function decodeStrict(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return null;
  }
}

/** Encodes bytes as base64 of the standard alphabet, with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/** Counts the characters of the base64 of so many bytes, padding included. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/**
 * Decodes base64 in every form that peers send: with a `data:` prefix, without padding or with too much of it, with
 * white space, in the URL-safe alphabet.
 *
 * @param text The base64.
 * @returns The bytes; null if the text is not base64.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const body = text.replace(PREFIX, "");
  return decodeStrict(body) ?? decodeStrict(bare(body)?.body ?? NOT_BASE64);
}

/** Decodes base64 that comes in blocks, cut anywhere. It accepts what {@linkcode decodeBase64} accepts. */
export class Base64Decoder {
  readonly #createError: () => Error;
  /** The beginning of the text, until it is known whether a data URL begins there; then null. */
  #head: string | null = "";
  /** Characters that do not yet make a group of four. */
  #rest = "";
  #isPadded = false;

  /**
   * Creates a decoder of one text.
   *
   * @param createError Makes the error that is thrown if the text is not base64.
   */
  constructor(createError: () => Error) {
    this.#createError = createError;
  }

  /** Takes the next block and gives the bytes that it completes; there may be none. */
  push(block: string): Uint8Array<ArrayBuffer> {
    const text = this.#head === null ? block : this.#afterPrefix(this.#head + block);
    if (text === "") return EMPTY;
    if (this.#isPadded) return this.#tolerate(text);
    const bytes = new Uint8Array(Math.ceil((this.#rest.length + text.length) / 4) * 3);
    try {
      return bytes.subarray(0, this.#fill(bytes, text));
    } catch {
      return this.#tolerate(this.#rest + text);
    }
  }

  /**
   * Decodes whole groups into `bytes` and gives the number of bytes. Throws if the engine does, and changes nothing
   * then.
   */
  #fill(bytes: Uint8Array, text: string): number {
    // The group that the last block began is decoded alone: to join it to this block would copy all of that.
    const need = this.#rest === "" ? 0 : Math.max(0, 4 - this.#rest.length);
    const first = this.#rest + text.slice(0, need);
    const start = first === "" ? 0 : bytes.setFromBase64(first, WHOLE_GROUPS).written;
    const isApart = first === "" || (start === 3 && first.length === 4);
    const groups = isApart ? text.slice(need) : this.#rest + text;
    const offset = isApart ? start : 0;
    const { read, written } = bytes.subarray(offset).setFromBase64(groups, WHOLE_GROUPS);
    const rest = groups.slice(read);
    this.#rest = rest.length > 3 ? rest.replace(SPACES, "") : rest; // else endless spaces would be stored
    this.#isPadded = written % 3 !== 0;
    return offset + written;
  }

  /** Ends the text and gives the bytes of a last group without padding; there may be none. */
  end(): Uint8Array<ArrayBuffer> {
    const head = this.#head ?? "";
    if (/^data:/i.test(head)) throw this.#createError();
    this.#head = null;
    const start = head === "" ? EMPTY : this.push(head); // four characters at most
    const bytes = decodeStrict(bare(this.#rest)?.body ?? NOT_BASE64);
    if (bytes === null) throw this.#createError();
    return start.length === 0 ? bytes : start;
  }

  /** Gives the text without the prefix of a data URL; `""` until the prefix is complete. */
  #afterPrefix(text: string): string {
    this.#head = text;
    const isShort = text.length < 5;
    if (isShort ? "data:".startsWith(text.toLowerCase()) : /^data:/i.test(text)) {
      if (isShort || (!text.includes(",") && text.length < PREFIX_LIMIT)) return "";
      if (!PREFIX.test(text)) throw this.#createError();
    }
    this.#head = null;
    return text.replace(PREFIX, "");
  }

  /** Decodes a block that the engine refuses: the slow way. */
  #tolerate(groups: string): Uint8Array<ArrayBuffer> {
    const cleaned = bare(groups);
    if (cleaned === null || (this.#isPadded && cleaned.body !== "")) throw this.#createError();
    const { body, isPadded } = cleaned;
    const end = isPadded ? body.length : body.length - body.length % 4;
    const bytes = decodeStrict(body.slice(0, end));
    this.#rest = body.slice(end);
    if (bytes === null || FOREIGN.test(this.#rest)) throw this.#createError();
    this.#isPadded ||= isPadded;
    return bytes;
  }
}

/** Characters checked in one step: a whole number of groups of four. */
const STEP = 2 ** 16;
const scratch: { bytes?: Uint8Array } = {};

/**
 * Tells whether a text is padded base64 of the standard alphabet and nothing else. JSON needs no escape for such a
 * text.
 *
 * The engine's decoder checks 25 GB in a second, a regular expression 1 GB.
 */
export function isBase64(text: string): boolean {
  const bytes = scratch.bytes ??= new Uint8Array(STEP / 4 * 3);
  try {
    for (let at = 0; at < text.length; at += STEP) {
      const block = text.slice(at, at + STEP);
      const { read, written } = bytes.setFromBase64(block, { lastChunkHandling: "strict" });
      const isLast = at + STEP >= text.length;
      if (read !== block.length || (isLast ? Math.ceil(written / 3) * 4 : written / 3 * 4) !== read) return false;
    }
    return true;
  } catch {
    return false;
  }
}
