/**
 * Reads TypeScript as far as the architecture tests need it: where comments and strings are, and what is imported.
 * @module
 */

/** The code of a module. Both texts are as long as the source, so that an index is the same place in each. */
export interface SourceCode {
  /** Comments are spaces. */
  readonly withoutComments: string;
  /** Comments, regular expressions and the contents of strings are spaces. */
  readonly bare: string;
}

/** What a module imports. */
export interface Imports {
  /** Specifiers of static, type and dynamic imports and of exports from other modules. */
  readonly specifiers: readonly string[];
  /** Dynamic imports whose specifier is computed, as written. */
  readonly computed: readonly string[];
}

// A slash after one of these starts a regular expression; after anything else it divides.
const BEFORE_REGEX =
  /(?:^|[([{,;=:?!&|+\-*%<>~^]|\b(?:return|typeof|case|in|of|delete|void|throw|new|yield|await))\s*$/;

/** Walks over a source once, and writes spaces where there is no code. */
class Reader {
  readonly #source: string;
  #index = 0;
  #withoutComments = "";
  #bare = "";

  constructor(source: string) {
    this.#source = source;
  }

  read(): SourceCode {
    this.#code(false);
    return { withoutComments: this.#withoutComments, bare: this.#bare };
  }

  /** Reads code up to the end, or to the brace that closes a placeholder of a template. */
  #code(isPlaceholder: boolean): void {
    for (let depth = 0; this.#index < this.#source.length;) {
      const char = this.#source.charAt(this.#index);
      if (isPlaceholder && char === "}" && depth === 0) return;
      depth += char === "{" ? 1 : char === "}" ? -1 : 0;
      if (this.#source.startsWith("//", this.#index)) this.#skip(/[^\n]*/y, "comment");
      else if (this.#source.startsWith("/*", this.#index)) this.#skip(/\/\*[\s\S]*?\*\//y, "comment");
      else if (char === '"') this.#skip(/"(?:[^"\\\n]|\\[\s\S])*"/y, "string");
      else if (char === "'") this.#skip(/'(?:[^'\\\n]|\\[\s\S])*'/y, "string");
      else if (char === "`") this.#template();
      else if (char === "/" && BEFORE_REGEX.test(this.#bare.slice(-200))) {
        this.#skip(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y, "regex");
      } else this.#keep(char);
    }
  }

  #template(): void {
    this.#keep("`");
    for (;;) {
      this.#skip(/(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y, "text");
      if (this.#source.startsWith("${", this.#index)) {
        this.#keep("${");
        this.#code(true);
        this.#keep("}");
      } else return this.#keep("`");
    }
  }

  #keep(text: string): void {
    this.#index += text.length;
    this.#withoutComments += text;
    this.#bare += text;
  }

  #skip(pattern: RegExp, what: "comment" | "string" | "regex" | "text"): void {
    pattern.lastIndex = this.#index;
    const text = pattern.exec(this.#source)?.[0];
    if (text === undefined) throw new Error(`Cannot read the source: no end of a ${what} after ${this.#nearby()}`);
    const spaces = text.replaceAll(/[^\n]/g, " ");
    this.#index += text.length;
    this.#withoutComments += what === "comment" ? spaces : text;
    this.#bare += what === "string" ? `"${spaces.slice(2)}"` : spaces;
  }

  #nearby(): string {
    return JSON.stringify(this.#source.slice(this.#index, this.#index + 60));
  }
}

/** Tells code from comments and strings. */
export function readSource(source: string): SourceCode {
  return new Reader(source).read();
}

/** Counts the lines that hold code: not empty ones and not comments. */
export function countCodeLines({ withoutComments }: SourceCode): number {
  return withoutComments.split("\n").filter((line) => line.trim() !== "").length;
}

/** Finds what a module imports. */
export function findImports({ withoutComments, bare }: SourceCode): Imports {
  const specifiers = [...bare.matchAll(/\b(?:from|import)\s*\(?\s*"( *)"/g)].map(
    ({ 0: found, index, 1: inner = "" }) => {
      const start = index + found.lastIndexOf('"') - inner.length;
      return withoutComments.slice(start, start + inner.length);
    },
  );
  const computed = [...bare.matchAll(/\bimport\s*\(\s*(?!")[^)]*\)/g)].map(({ 0: found, index }) =>
    withoutComments.slice(index, index + found.length)
  );
  return { specifiers, computed };
}
