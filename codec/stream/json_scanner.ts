import { MessageDecodeError } from "../errors.ts";

/** What a scanner's steps do when they need more text: they yield, and go on once it was fed. */
export type Step<T> = Generator<undefined, T>;

const STRUCTURE = /["{}[\]]/g;
const DELIMITER = /[\t\n\r ,:"{}[\]]/g;
/** Anything below the space. */
const CONTROL = /[^ -\uffff]/;

/**
 * White space taken between two tokens: what is held of a piece keeps all of it in memory, so pieces must be of use.
 * No writer indents by more.
 */
const MAX_BLANK = 65_536;

/** Makes the error of a text that is not JSON. */
export function invalidJson(): MessageDecodeError {
  return new MessageDecodeError("Cannot decode message as the text must be JSON (NaN and Infinity are not)", {
    code: "invalid_json",
    path: "$",
  });
}

/** Tells whether a raw stretch of a string holds what JSON forbids there. */
export function hasControl(raw: string): boolean {
  return CONTROL.test(raw);
}

/** Tells the same of the characters that base64 would pass over in silence: four quick looks instead of a slow one. */
export function hasRawSpace(raw: string): boolean {
  return raw.includes("\n") || raw.includes("\r") || raw.includes("\t") || raw.includes("\f");
}

/** Parses one small piece of JSON, such as a key. */
export function parseSmall(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw invalidJson(); // the engine's own text quotes the input
  }
}

/** Reads JSON text that is cut anywhere, token by token; values are not looked into, only cut out. */
export class JsonScanner {
  #text = "";
  #at = 0;
  /** The next quote and backslash; behind `#at` when they have to be looked for. */
  #quote = -1;
  #slash = -1;
  #isEnded = false;
  /** An escape cut by the end of a piece. */
  #escape = "";
  /** White space passed over since the last token. */
  #blank = 0;

  /** Takes the next piece; everything fed before has been read. */
  feed(text: string): void {
    this.#text = text;
    this.#at = 0;
    this.#quote = this.#slash = -1;
  }

  /** Says that there is no more text. */
  end(): void {
    this.feed("");
    this.#isEnded = true;
  }

  /** Looks at the next character that is no white space; "" at the end. */
  *peek(): Step<string> {
    for (this.#blank = 0;;) {
      for (; this.#at < this.#text.length; this.#at++) {
        const char = this.#text[this.#at] as string; // it is inside
        if (char !== " " && char !== "\n" && char !== "\r" && char !== "\t") return char;
        if (++this.#blank > MAX_BLANK) throw invalidJson();
      }
      if (this.#isEnded) return "";
      this.#letGo();
      yield;
    }
  }

  /** Passes over the character just looked at. */
  skip(): void {
    this.#at++;
  }

  /** Reads one character that must come next. */
  *expect(char: string): Step<void> {
    if ((yield* this.peek()) !== char) throw invalidJson();
    this.skip();
  }

  /** Enters the next member of an object or item of an array; false when it ends instead. */
  *enter(isFirst: boolean, end: "}" | "]"): Step<boolean> {
    const next = yield* this.peek();
    if (next === end) {
      this.skip();
      return false;
    }
    if (isFirst) return true;
    yield* this.expect(",");
    return true;
  }

  /** Reads a key and its colon; `raw` has the quotes. */
  *key(fault: () => Error, room: number): Step<{ name: string; raw: string }> {
    if ((yield* this.peek()) !== '"') throw invalidJson();
    const raw = yield* this.value(fault, room);
    yield* this.expect(":");
    return { name: parseSmall(raw) as string, raw }; // it begins with a quote
  }

  /** Cuts out one value, unparsed. Throws the fault given when it takes more characters than there is room for. */
  *value(fault: () => Error, room: number): Step<string> {
    const first = yield* this.peek();
    if (first === "" || "}],:".includes(first)) throw invalidJson();
    const isBare = !'"{['.includes(first);
    const state = { depth: 0, isQuoted: false, isEscaped: false };
    let held = "";
    for (;;) {
      const start = this.#at;
      const isDone = isBare ? this.#skipBare() : this.#skipValue(state);
      held += this.#text.slice(start, this.#at);
      if (held.length > room) throw fault();
      if (isDone || (isBare && this.#isEnded)) return held;
      if (this.#isEnded) throw invalidJson();
      this.#letGo();
      yield;
    }
  }

  /**
   * Reads on inside a string whose opening quote was passed.
   *
   * @returns Its next characters, escapes resolved; `undefined` when more text is needed, `null` past its end.
   */
  run(): { text: string; isEscape: boolean } | null | undefined {
    if (this.#at >= this.#text.length) {
      if (this.#isEnded) throw invalidJson();
      this.#letGo();
      return undefined;
    }
    if (this.#escape !== "" || this.#text[this.#at] === "\\") return this.#runEscape();
    if (this.#text[this.#at] === '"') {
      this.skip();
      return null;
    }
    const start = this.#at;
    this.#at = Math.min(this.#nextQuote(), this.#nextSlash());
    return { text: this.#text.slice(start, this.#at), isEscape: false };
  }

  /** Drops the text read before the next is made: what lives then makes V8 15 widen its heap, to 60 MiB in the end. */
  #letGo(): void {
    this.feed("");
  }

  #runEscape(): { text: string; isEscape: boolean } | undefined {
    const need = (this.#escape + this.#text.slice(this.#at, this.#at + 2))[1] === "u" ? 6 : 2;
    const piece = this.#text.slice(this.#at, this.#at + need - this.#escape.length);
    this.#at += piece.length;
    this.#escape += piece;
    if (this.#escape.length < need) return undefined;
    const text = parseSmall(`"${this.#escape}"`) as string; // it stands in quotes
    this.#escape = "";
    return { text, isEscape: true };
  }

  #skipBare(): boolean {
    DELIMITER.lastIndex = this.#at;
    const found = DELIMITER.exec(this.#text);
    this.#at = found?.index ?? this.#text.length;
    return found !== null;
  }

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

  /** Passes the closing quote; false when it is not in this piece. */
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
