/**
 * Stands in for `@std/cli/parse-args` where JSR cannot be reached: `string`, `boolean`, `collect`, `default`, `alias`
 * and `--`, with the values the real one gives. Options no list names are read like the real one reads them, untyped.
 * @module
 */

/** One name or several. */
type Names<N extends string> = N | readonly N[];

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions<S extends string, B extends string, C extends string, D> {
  /** Options that take a value. @default {[]} */
  readonly string?: Names<S>;
  /** Options that take none and are false unless given. @default {[]} */
  readonly boolean?: Names<B>;
  /** Options that may be repeated and always give an array. @default {[]} */
  readonly collect?: Names<C>;
  /** Values of options not given. @default {{}} */
  readonly default?: D;
  /** Other names of an option; each of them shows in the result. @default {{}} */
  readonly alias?: Readonly<Record<string, Names<string>>>;
}

/** What was found; positional arguments are in `_`, numbers among them as numbers. */
export type ParsedArgs<S extends string, B extends string, C extends string, D> =
  & { _: (string | number)[] }
  & { [K in S]: K extends C ? string[] : K extends keyof D ? string | D[K] : string | undefined }
  & { [K in B]: boolean };

function toList(names: Names<string> | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === "string" ? [names] : names;
}

function toValue(text: string): string | number {
  return /^(?:0x[0-9a-f]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i.test(text) ? Number(text) : text;
}

/** The lists of {@linkcode ParseOptions}, by name, and where results go. */
class Parser {
  readonly found: Record<string, unknown> = {};
  readonly positional: (string | number)[] = [];
  readonly #strings: ReadonlySet<string>;
  readonly #booleans: ReadonlySet<string>;
  readonly #collected: ReadonlySet<string>;
  readonly #groups: readonly (readonly string[])[];

  constructor(options: ParseOptions<string, string, string, object>) {
    this.#groups = Object.entries(options.alias ?? {}).map(([name, others]) => [name, ...toList(others)]);
    this.#strings = this.#widen(options.string);
    this.#booleans = this.#widen(options.boolean);
    this.#collected = this.#widen(options.collect);
    for (const name of this.#collected) this.found[name] = [];
    for (const name of this.#booleans) this.found[name] = false;
    for (const [name, value] of Object.entries(options.default ?? {})) {
      for (const each of this.#namesOf(name)) this.found[each] = value;
    }
  }

  /** Reads `--name`, `--name=value`, `--name value`, `-n` and `-abc`; gives back how many arguments that took. */
  read(argument: string, next: string | undefined): number {
    const match = /^(--?)([^=]+)(?:=(.*))?$/s.exec(argument);
    if (match === null) return this.#keep(argument);
    const [, dashes, name = "", given] = match;
    const names = dashes === "--" ? [name] : [...name];
    for (const letter of names.slice(0, -1)) this.#set(letter, undefined);
    const last = names.at(-1) ?? "";
    const isTaken = given === undefined && next !== undefined && this.#takes(last, next);
    this.#set(last, isTaken ? next : given);
    return isTaken ? 2 : 1;
  }

  #takes(name: string, next: string): boolean {
    return this.#booleans.has(name) ? /^(?:true|false)$/.test(next) : next === "-" || !next.startsWith("-");
  }

  #keep(argument: string): number {
    this.positional.push(this.#strings.has("_") ? argument : toValue(argument));
    return 1;
  }

  #set(name: string, text: string | undefined): void {
    const value = this.#convert(name, text);
    for (const each of this.#namesOf(name)) {
      const before = this.found[each];
      this.found[each] = this.#collected.has(name) ? [...(Array.isArray(before) ? before : []), value] : value;
    }
  }

  #convert(name: string, text: string | undefined): unknown {
    if (this.#strings.has(name)) return text ?? "";
    if (this.#booleans.has(name)) return text !== "false";
    return text === undefined ? true : toValue(text);
  }

  #namesOf(name: string): readonly string[] {
    return this.#groups.find((group) => group.includes(name)) ?? [name];
  }

  #widen(names: Names<string> | undefined): ReadonlySet<string> {
    return new Set(toList(names).flatMap((name) => this.#namesOf(name)));
  }
}

/** Parses command line arguments. */
export function parseArgs<
  const S extends string = never,
  const B extends string = never,
  const C extends string = never,
  const D extends object = object,
>(args: readonly string[], options: ParseOptions<S, B, C, D> = {}): ParsedArgs<S, B, C, D> {
  const parser = new Parser(options);
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  for (let index = 0; index < end;) {
    const next = index + 1 < end ? args[index + 1] : undefined;
    index += parser.read(args[index] ?? "", next);
  }
  const rest = args.slice(end + 1);
  // The parser keeps to the lists the type is made from.
  return { ...parser.found, _: [...parser.positional, ...rest] } as ParsedArgs<S, B, C, D>;
}
