/**
 * What the codec must do, written down once more as plainly as possible: a parser of its own, and the rules of the
 * protocol as a list.
 * @module
 */

/** A number as it was written. */
export class Num {
  /** @param text The literal. */
  constructor(readonly text: string) {}
}

/** Parsed JSON. The last of repeated members counts, in the place of the first. */
export type Json = null | boolean | string | Num | Json[] | Map<string, Json>;

/** What a text holds. */
export interface Parsed {
  readonly value: Json;
  /** True if an object has a member twice. */
  readonly hasRepeated: boolean;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// deno-lint-ignore no-control-regex -- JSON forbids them.
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

class Reader {
  readonly #text: string;
  #at = 0;
  hasRepeated = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Json {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw new SyntaxError("more text");
    return value;
  }

  #space(): void {
    while (this.#at < this.#text.length && " \t\n\r".includes(this.#text[this.#at]!)) this.#at++;
  }

  #takes(token: string): boolean {
    this.#space();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    this.#space();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #string(): string | undefined {
    const literal = this.#match(STRING);
    return literal?.slice(1, -1).replace(
      /\\(u....|.)/gs,
      (_escape, code: string) =>
        code.length > 1 ? String.fromCharCode(parseInt(code.slice(1), 16)) : ESCAPES[code] ?? code,
    );
  }

  #value(): Json {
    if (this.#takes("{")) return this.#object();
    if (this.#takes("[")) return this.#list();
    for (const [word, value] of [["null", null], ["true", true], ["false", false]] as const) {
      if (this.#takes(word)) return value;
    }
    const string = this.#string();
    if (string !== undefined) return string;
    const number = this.#match(NUMBER);
    if (number === undefined) throw new SyntaxError("no value");
    return new Num(number);
  }

  #list(): Json[] {
    const items: Json[] = [];
    if (this.#takes("]")) return items;
    do items.push(this.#value()); while (this.#takes(","));
    if (!this.#takes("]")) throw new SyntaxError("no ]");
    return items;
  }

  #object(): Map<string, Json> {
    const members = new Map<string, Json>();
    if (this.#takes("}")) return members;
    do {
      const key = this.#string();
      if (key === undefined || !this.#takes(":")) throw new SyntaxError("no member");
      if (members.has(key)) this.hasRepeated = true;
      members.set(key, this.#value());
    } while (this.#takes(","));
    if (!this.#takes("}")) throw new SyntaxError("no }");
    return members;
  }
}

/** Parses JSON; null if the text is none. */
export function parse(text: string): Parsed | null {
  const reader = new Reader(text);
  try {
    return { value: reader.read(), hasRepeated: reader.hasRepeated };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

// ------------------------------------------------------------------------------------------ rules

type Rule = (value: Json | undefined, path: string) => string[];

const isAbsent = (value: Json | undefined): boolean => value === undefined || value === null;
/** A rule that one test decides. */
const rule = (isGood: (value: Json | undefined) => boolean): Rule => (value, path) =>
  isGood(value) ? [] : [`invalid_shape ${path}`];
const anything: Rule = () => [];
const string = rule((value) => typeof value === "string");
const filled = rule((value) => typeof value === "string" && value !== "");
const optional = rule((value) => isAbsent(value) || typeof value === "string");
const id = rule((value) => isAbsent(value) || typeof value === "string" || value instanceof Num);
const time = rule((value) => isAbsent(value) || (value instanceof Num && Number.isFinite(Number(value.text))));
const names = rule((value) =>
  isAbsent(value) || (Array.isArray(value) && value.every((each) => typeof each === "string"))
);
const nameOrObject = rule((value) => isAbsent(value) || typeof value === "string" || value instanceof Map);
const textOrObject = rule((value) => typeof value === "string" || value instanceof Map);

/** An object with rules for some members. */
function object(members: Readonly<Record<string, Rule>>, isOptional: boolean): Rule {
  return (value, path) => {
    if (isOptional && isAbsent(value)) return [];
    if (!(value instanceof Map)) return [`invalid_shape ${path}`];
    return Object.entries(members).flatMap(([key, check]) => check(value.get(key), `${path}.${key}`));
  };
}

const user = object({ platform: optional, user_id: id, user_nickname: optional, user_cardname: optional }, true);
const group = object({ platform: optional, group_id: id, group_name: optional }, true);
const party = object({ user_info: user, group_info: group }, true);
const info = object({
  ...{ platform: filled, message_id: id, time, user_info: user, group_info: group, sender_info: party },
  receiver_info: party,
  format_info: object({ content_format: names, accept_format: names }, true),
  template_info: object({ template_name: nameOrObject }, true),
}, false);
const DATA: Readonly<Record<string, Rule>> = {
  ...{ text: string, image: string, emoji: string, voice: string, reply: string, at: textOrObject },
};

function segment(value: Json | undefined, path: string, depth: number): string[] {
  if (!(value instanceof Map)) return [`invalid_shape ${path}`];
  const [type, data] = [value.get("type"), value.get("data")];
  if (typeof type !== "string") return [`invalid_shape ${path}.type`];
  if (type !== "seglist") return (Object.hasOwn(DATA, type) ? DATA[type]! : anything)(data, `${path}.data`);
  if (!Array.isArray(data)) return [`invalid_shape ${path}.data`];
  if (depth < 1) return [`too_deep ${path}.data`];
  return data.flatMap((item, index) => segment(item, `${path}.data[${index}]`, depth - 1));
}

/** Whether a parsed text is a custom message. */
export function isCustom(value: Json): boolean {
  return value instanceof Map && value.get("is_custom_message") === true;
}

/** Every fault of a message, as code and path. */
export function faults(value: Json, maxDepth: number): string[] {
  if (!(value instanceof Map)) return ["invalid_shape $"];
  if (isCustom(value)) {
    const content = value.has("content") ? [] : ["invalid_shape $.content"];
    return [
      ...filled(value.get("message_type_name"), "$.message_type_name"),
      ...content,
      ...optional(value.get("platform"), "$.platform"),
    ];
  }
  return [
    ...info(value.get("message_info"), "$.message_info"),
    ...segment(value.get("message_segment"), "$.message_segment", maxDepth),
    ...optional(value.get("raw_message"), "$.raw_message"),
  ];
}

// ------------------------------------------------------------------------------------------ decoding

/** A number as decoding gives it: a string if it is an integer that a double cannot hold, or beyond all doubles. */
function exact({ text }: Num): number | string {
  if (/^-?\d+$/.test(text)) {
    const value = BigInt(text);
    return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(text) : text;
  }
  return Number.isFinite(Number(text)) ? Number(text) : text;
}

function idText({ text }: Num): string {
  const value = exact(new Num(text));
  // As JavaScript writes it, but never with an exponent.
  return typeof value === "number" && Math.abs(value) >= 1e21 ? BigInt(value).toString() : String(value);
}

const IDS = /^message_info\.(?:message_id|(?:(?:sender|receiver)_info\.)?(?:user_info\.user_id|group_info\.group_id))$/;

/** What decoding makes of a value: plain objects. `path` is that of an ordinary message, null anywhere else. */
function decoded(value: Json, path: string | null): unknown {
  if (value instanceof Num) {
    if (path === "message_info.time") return Number(value.text);
    return path !== null && IDS.test(path) ? idText(value) : exact(value);
  }
  if (Array.isArray(value)) return value.map((item) => decoded(item, null));
  if (!(value instanceof Map)) return value;
  const result = {};
  for (const [key, member] of value) {
    const inside = path === null || key.includes(".") ? null : path === "" ? key : `${path}.${key}`;
    const made = decoded(member, inside);
    Object.defineProperty(result, key, { value: made, enumerable: true, writable: true, configurable: true });
  }
  return result;
}

/** What decoding makes of a message without a fault. */
export function decode(value: Json): unknown {
  return decoded(value, isCustom(value) ? null : "");
}

// ------------------------------------------------------------------------------------------ encoding

const INFOS =
  /^message_info(?:\.(?:user|group|format|template)_info|\.(?:sender|receiver)_info(?:\.(?:user|group)_info)?)?$/;

function encoded(value: unknown, path: string | null): string {
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => encoded(item, null)).join(",")}]`;
  const hasNoNulls = path !== null && INFOS.test(path);
  const members = Object.keys(value).flatMap((key) => {
    const member: unknown = Reflect.get(value, key);
    if (hasNoNulls && member === null) return [];
    const inside = path === null || key.includes(".") ? null : path === "" ? key : `${path}.${key}`;
    return [`${encoded(key, null)}:${encoded(member, inside)}`];
  });
  return `{${members.join(",")}}`;
}

/** What encoding writes of a decoded message. */
export function encode(message: object): string {
  const isOrdinary = Reflect.get(message, "is_custom_message") !== true;
  return encoded(message, isOrdinary ? "" : null);
}

/** Levels of nesting below a value. */
export function levels(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Object.values(value).reduce<number>((most, each) => Math.max(most, levels(each)), 0);
}
