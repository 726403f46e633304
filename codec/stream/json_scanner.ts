import { notJson } from "../errors.ts";

/** The generator of a scanner method. It yields when more text must be fed, and continues after that. */
export type Scan<T> = Generator<undefined, T>;

const STRUCTURE = /["{}[\]]/g;
const DELIMITER = /[\t\n\r ,:"{}[\]]/g;
/** Matches a control character: a character with a code below that of the space. */
const CONTROL = /[^ -\uffff]/;

/**
 * Limit on the white space between two tokens, in characters. A token is a slice of a block and keeps the whole block
 * in memory. Without this limit, a few short tokens with much white space between them would keep many blocks in
 * memory.
 */
const MAX_BLANK = 65_536;

/** Returns true if raw characters of a JSON string include a control character, which JSON forbids. */
export function hasControl(raw: string): boolean {
  return CONTROL.test(raw);
}

/**
 * Like {@linkcode hasControl}, but only for the control characters that a base64 decoder skips. Four calls of
 * `includes` are faster than one regular expression.
 */
export function hasRawSpace(raw: string): boolean {
  return raw.includes("\n") || raw.includes("\r") || raw.includes("\t") || raw.includes("\f");
}

/** Parses a short JSON text, such as a key. */
export function parseShort(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw notJson();
  }
}

/** Characters of a string, as {@linkcode JsonScanner.readString} returns them. */
export interface StringText {
  readonly text: string;
  /** True if the text was written as an escape. */
  readonly isEscape: boolean;
}

/**
 * Reads JSON text token by token. The text comes in blocks that may be cut anywhere. Values are returned as text and
 * not parsed.
 */
export class JsonScanner {
  #text = "";
  #at = 0;
  /** Indexes of the next quote and the next backslash. An index less than `#at` is out of date. */
  #quote = -1;
  #slash = -1;
  #isEnded = false;
  /** The beginning of an escape that was cut by the end of a block. */
  #escape = "";
  /** Number of white space characters that were skipped since the last token. */
  #blank = 0;

  /** Takes the next block. All text of the previous block must have been read. */
  feed(text: string): void {
    this.#text = text;
    this.#at = 0;
    this.#quote = this.#slash = -1;
  }

  /** Tells the scanner that the text has ended. */
  end(): void {
    this.feed("");
    this.#isEnded = true;
  }

  /** Returns the next character that is not white space, without reading it; `""` at the end. */
  *peek(): Scan<string> {
    for (this.#blank = 0;;) {
      for (; this.#at < this.#text.length; this.#at++) {
        const char = this.#text[this.#at] as string; // the index is inside the text
        if (char !== " " && char !== "\n" && char !== "\r" && char !== "\t") return char;
        if (++this.#blank > MAX_BLANK) throw notJson();
      }
      if (this.#isEnded) return "";
      this.#dropText();
      yield;
    }
  }

  /** Reads the character that {@linkcode peek} returned. */
  skip(): void {
    this.#at++;
  }

  /** Reads the given character; throws if another character comes next. */
  *expect(char: string): Scan<void> {
    if ((yield* this.peek()) !== char) throw notJson();
    this.skip();
  }

  /**
   * Goes to the next member of an object or to the next item of an array, and reads the comma before it.
   *
   * @param index Number of members or items that were read before.
   * @param end The character that ends the object or array.
   * @returns False if the object or array has no more members or items. Its end was then read.
   */
  *enter(index: number, end: "}" | "]"): Scan<boolean> {
    const next = yield* this.peek();
    if (next === end) {
      this.skip();
      return false;
    }
    if (index > 0) yield* this.expect(",");
    return true;
  }

  /** Reads a key and the colon after it. `raw` is the key as it is written, with its quotes. */
  *key(createError: () => Error, room: number): Scan<{ name: string; raw: string }> {
    if ((yield* this.peek()) !== '"') throw notJson();
    const raw = yield* this.value(createError, room);
    yield* this.expect(":");
    return { name: parseShort(raw) as string, raw }; // a string, because it begins with a quote
  }

  /**
   * Reads one value and returns its JSON as it is written.
   *
   * @param createError Makes the error that is thrown if the value is too long.
   * @param room Limit on the characters of the value.
   */
  *value(createError: () => Error, room: number): Scan<string> {
    const first = yield* this.peek();
    if (first === "" || "}],:".includes(first)) throw notJson();
    const isBare = !'"{['.includes(first);
    const state = { depth: 0, isQuoted: false, isEscaped: false };
    let held = "";
    for (;;) {
      const start = this.#at;
      const isDone = isBare ? this.#skipBare() : this.#skipValue(state);
      held += this.#text.slice(start, this.#at);
      if (held.length > room) throw createError();
      if (isDone || (isBare && this.#isEnded)) return held;
      if (this.#isEnded) throw notJson();
      this.#dropText();
      yield;
    }
  }

  /**
   * Reads the next characters of a string whose opening quote was read.
   *
   * @returns The characters, with escapes decoded. `undefined` if more text must be fed; `null` at the end of the
   * string.
   */
  readString(): StringText | null | undefined {
    if (this.#at >= this.#text.length) {
      if (this.#isEnded) throw notJson();
      this.#dropText();
      return undefined;
    }
    if (this.#escape !== "" || this.#text[this.#at] === "\\") return this.#readEscape();
    if (this.#text[this.#at] === '"') {
      this.skip();
      return null;
    }
    const start = this.#at;
    this.#at = Math.min(this.#nextQuote(), this.#nextSlash());
    return { text: this.#text.slice(start, this.#at), isEscape: false };
  }

  /**
   * Drops the current block before the next one is made. If both were in memory at the same time, V8 15 would enlarge
   * its heap, up to 60 MiB.
   */
  #dropText(): void {
    this.feed("");
  }

  #readEscape(): StringText | undefined {
    const need = (this.#escape + this.#text.slice(this.#at, this.#at + 2))[1] === "u" ? 6 : 2;
    const more = this.#text.slice(this.#at, this.#at + need - this.#escape.length);
    this.#at += more.length;
    this.#escape += more;
    if (this.#escape.length < need) return undefined;
    const text = parseShort(`"${this.#escape}"`) as string; // a text in quotes is a string
    this.#escape = "";
    return { text, isEscape: true };
  }

  /** Reads a number, `true`, `false` or `null`. Returns false if the value may continue in the next block. */
  #skipBare(): boolean {
    DELIMITER.lastIndex = this.#at;
    const found = DELIMITER.exec(this.#text);
    this.#at = found?.index ?? this.#text.length;
    return found !== null;
  }

  /** Reads a string, object or array. Returns false if it continues in the next block. */
  #skipValue(state: { depth: number; isQuoted: boolean; isEscaped: boolean }): boolean {
    const text = this.#text;
    if (state.isEscaped && this.#at < text.length) {
      this.#at++;
      state.isEscaped = false;
    }
    while (this.#at < text.length) {
      if (state.isQuoted) {
        if (!this.#skipString(state)) return false;
        state.isQuoted = false;
      } else {
        STRUCTURE.lastIndex = this.#at;
        const found = STRUCTURE.exec(text);
        this.#at = found === null ? text.length : found.index + 1;
        if (found === null) return false;
        if (found[0] === '"') state.isQuoted = true;
        else state.depth += found[0] === "{" || found[0] === "[" ? 1 : -1;
      }
      if (state.depth === 0 && !state.isQuoted) return true;
    }
    return false;
  }

  /** Reads up to and including the closing quote of a string. Returns false if the quote is not in this block. */
  #skipString(state: { isEscaped: boolean }): boolean {
    const { length } = this.#text;
    while (this.#at < length) {
      const [quote, slash] = [this.#nextQuote(), this.#nextSlash()];
      if (quote < slash) {
        this.#at = quote + 1;
        return true;
      }
      state.isEscaped = slash === length - 1;
      this.#at = Math.min(slash + 2, length);
    }
    return false;
  }

  #nextQuote(): number {
    if (this.#quote < this.#at) this.#quote = indexFrom(this.#text, '"', this.#at);
    return this.#quote;
  }

  #nextSlash(): number {
    if (this.#slash < this.#at) this.#slash = indexFrom(this.#text, "\\", this.#at);
    return this.#slash;
  }
}

function indexFrom(text: string, char: string, at: number): number {
  const index = text.indexOf(char, at);
  return index < 0 ? text.length : index;
}
