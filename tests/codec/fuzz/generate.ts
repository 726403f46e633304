/**
 * Texts that are messages, nearly messages, and nearly JSON.
 * @module
 */

import { Choices } from "../../support/random.ts";
import { spell, type Tree } from "./tree.ts";

const KEYS = [
  "__proto__",
  "constructor",
  "toJSON",
  "prototype",
  "hasOwnProperty",
  "",
  "a",
  "0",
  "12",
  "type",
  "data",
  "你好",
];
const NAMES = [
  ...["message_info", "message_segment", "raw_message", "platform", "message_id", "time", "user_info", "group_info"],
  ...["user_id", "group_id", "is_custom_message", "message_type_name", "content", "additional_config", "base64"],
];
const BITS = [
  ...["a", "hello", "你好", "😀", "é", "\ud800", "\udc00", "\ud83d", "\ude00", "\u0000", "\u001f", "\u007f", "\u0080"],
  ...["\u2028", "\ufeff", "\ufffd", "\uffff", "\n", "\t", '"', "\\", "/", "\\ud800", "\\u0041", "\\", "&", "1e5"],
  ...["__proto__", "toJSON", "NaN", "12345678901234567890", " "],
];
const BASE64 = [
  "",
  "AQID",
  "AQ==",
  "AQI=",
  "AQ",
  "AQ-_",
  "A Q\nID",
  "data:image/png;base64,AQID",
  "!!",
  "A",
  "AQID=",
  "/+8=",
];
const NUMBERS = [
  ...["0", "-0", "1", "-1", "42", "10001", "4294967295", "9007199254740991", "9007199254740992", "9007199254740993"],
  ...["-9007199254740991", "-9007199254740992", "-9007199254740993", "9007199254740994", "18446744073709551616"],
  ...[
    "1234567890123456",
    "12345678901234567",
    "1.5",
    "-0.0",
    "0.1",
    "1e5",
    "1E+2",
    "1e-7",
    "1e20",
    "1e21",
    "1e22",
    "1e300",
  ],
  ...["1e400", "-1e400", "1e-400", "9007199254740993.0", "9007199254740993e0", "900719925474099.3e1", "5e-324", "0e0"],
  ...["1703123456.789", "1700000000000000001", "123456789012345678901234567890e-20", "0E+000", "1e0400"],
];
const NO_NUMBERS = [
  "01",
  "1.",
  ".5",
  "+1",
  "NaN",
  "Infinity",
  "-Infinity",
  "-",
  "0x10",
  "1e",
  "--1",
  "1_000",
  "undefined",
  "nul",
  "True",
  "'a'",
];
const INSERTS = [
  ...['"', "\\", "{", "}", "[", "]", ",", ":", "\ufeff", "\u00a0", "\u000b", "\u2028", "\u0000", "\u001f", "\n", " "],
  ...["\ud800", "\udc00", "\\u", "\\ud83d", "\\x41", "\\U0041", "//", "/**/", "null", "0", "-", "e", "NaN", "\u0085"],
];
const TYPES = [
  "text",
  "image",
  "emoji",
  "voice",
  "video",
  "at",
  "reply",
  "file",
  "dict",
  "face",
  "forward",
  "music",
  "x",
  "constructor",
];

const text = (value: string): Tree => ({ kind: "text", value });
const raw = (value: string): Tree => ({ kind: "raw", text: value });

/** Makes trees. */
class Generator {
  readonly #choices: Choices;
  /** One in so many optional members is null. */
  readonly #nulls: number;

  constructor(choices: Choices) {
    this.#choices = choices;
    this.#nulls = choices.pick([1, 8, 8, 8]);
  }

  string(): string {
    return this.#choices.list(0, 4, () => this.#choices.pick(BITS)).join("");
  }

  filled(): string {
    return this.string() + this.#choices.pick(["qq", "平台", "x"]);
  }

  number(): Tree {
    const choices = this.#choices;
    if (!choices.oneIn(4)) return raw(choices.pick(NUMBERS));
    const digits = Array.from({ length: choices.pick([15, 16, 17, 20, 40, 400]) }, () => choices.below(10)).join("");
    const [sign, end] = [choices.pick(["", "-"]), choices.pick(["", "", "", ".5", "e3", "E-10"])];
    return raw(`${sign}${1 + choices.below(9)}${digits}${end}`);
  }

  json(depth: number = 3): Tree {
    const choices = this.#choices;
    switch (choices.below(depth > 0 ? 8 : 5)) {
      case 0:
        return raw(choices.pick(["null", "true", "false"]));
      case 1:
      case 2:
        return this.number();
      case 3:
      case 4:
        return text(this.string());
      case 5:
        return { kind: "list", items: choices.list(0, 3, () => this.json(depth - 1)) };
      default:
        return { kind: "object", members: choices.list(0, 3, () => [this.key(), this.json(depth - 1)]) };
    }
  }

  key(): string {
    const choices = this.#choices;
    return choices.oneIn(3) ? this.string().replaceAll("\\", "|") : choices.pick(choices.oneIn(3) ? NAMES : KEYS);
  }

  /** Members, each of which may be left out, in any order now and then. */
  members(...all: readonly (readonly [key: string, make: () => Tree])[]): [string, Tree][] {
    const choices = this.#choices;
    const kept = all.filter(() => !choices.oneIn(2)).map(([key, make]): [string, Tree] => [
      key,
      choices.oneIn(this.#nulls) ? raw("null") : make(),
    ]);
    if (choices.oneIn(5)) kept.push([this.key(), this.json()]);
    return kept;
  }

  id(): Tree {
    return this.#choices.oneIn(2) ? this.number() : text(this.string());
  }

  /** Any string, as a tree. */
  text(): Tree {
    return text(this.string());
  }

  party(): Tree {
    return {
      kind: "object",
      members: this.members(["user_info", () => this.user()], ["group_info", () => this.group()]),
    };
  }

  user(): Tree {
    const members = this.members(
      ["platform", () => this.text()],
      ["user_id", () => this.id()],
      ["user_nickname", () => this.text()],
      ["user_cardname", () => this.text()],
    );
    return { kind: "object", members };
  }

  group(): Tree {
    const members = this.members(["platform", () => this.text()], ["group_id", () => this.id()], [
      "group_name",
      () => this.text(),
    ]);
    return { kind: "object", members };
  }

  texts(): Tree {
    return { kind: "list", items: this.#choices.list(0, 3, () => this.text()) };
  }

  info(): Tree {
    const template = () => ({
      kind: "object" as const,
      members: this.members(["template_items", () => this.json()], ["template_name", () => this.text()]),
    });
    const members = this.members(
      ["message_id", () => this.id()],
      ["time", () => raw(this.#choices.pick(["1703123456.789", "1703123456", "-1", "1700000000000000001", "1e3"]))],
      ["user_info", () => this.user()],
      ["group_info", () => this.group()],
      ["sender_info", () => this.party()],
      ["receiver_info", () => this.party()],
      [
        "format_info",
        () => ({
          kind: "object",
          members: this.members(["content_format", () => this.texts()], ["accept_format", () => this.texts()]),
        }),
      ],
      ["template_info", template],
      ["additional_config", () => this.json()],
    );
    members.splice(this.#choices.below(members.length + 1), 0, ["platform", text(this.filled())]);
    return { kind: "object", members };
  }

  data(type: string): Tree {
    const choices = this.#choices;
    if (type === "image" || type === "voice" || type === "emoji") {
      return text(choices.oneIn(3) ? this.string() : choices.pick(BASE64));
    }
    if (type === "text" || type === "reply") return this.text();
    if (type === "at") return choices.oneIn(2) ? this.text() : { kind: "object", members: [["user_id", this.id()]] };
    if (type === "file" && choices.oneIn(2)) {
      return {
        kind: "object",
        members: this.members(["name", () => this.text()], ["base64", () => text(choices.pick(BASE64))]),
      };
    }
    if (type === "video" && choices.oneIn(2)) return text(choices.pick(BASE64));
    return this.json();
  }

  segment(depth: number = 3): Tree {
    const choices = this.#choices;
    if (depth > 0 && choices.oneIn(3)) {
      const data: Tree = { kind: "list", items: choices.list(0, 4, () => this.segment(depth - 1)) };
      return { kind: "object", members: this.#ordered(["type", text("seglist")], ["data", data]) };
    }
    const type = choices.pick(TYPES);
    return { kind: "object", members: this.#ordered(["type", text(type)], ["data", this.data(type)]) };
  }

  #ordered(...members: [string, Tree][]): [string, Tree][] {
    if (this.#choices.oneIn(6)) members.push([this.key(), this.json(1)]);
    return this.#choices.oneIn(5) ? members.reverse() : members;
  }

  /** A message that is mostly base64, or nearly base64. */
  large(): Tree {
    const data = "AQID".repeat(8192 + this.#choices.below(1000)) + this.#choices.pick(["", "!", "字"]);
    const segment: Tree = { kind: "object", members: [["type", text("image")], ["data", text(data)]] };
    return { kind: "object", members: [["message_info", this.info()], ["message_segment", segment]] };
  }

  message(): Tree {
    const choices = this.#choices;
    if (choices.oneIn(6)) {
      const members: [string, Tree][] = [["message_type_name", text(this.filled())], ["content", this.json()]];
      members.push(
        ["is_custom_message", raw("true")],
        ...this.members(["platform", () => this.text()], ["time", () => this.number()]),
      );
      return { kind: "object", members };
    }
    const raws = this.members(["raw_message", () => this.text()]);
    return {
      kind: "object",
      members: this.#ordered(["message_info", this.info()], ["message_segment", this.segment()], ...raws),
    };
  }
}

/** Everything in a tree that holds others. */
function holders(tree: Tree): (Tree & { kind: "list" | "object" })[] {
  if (tree.kind === "list") return [tree, ...tree.items.flatMap(holders)];
  return tree.kind === "object" ? [tree, ...tree.members.flatMap(([, value]) => holders(value))] : [];
}

function nest(levels: number, inner: Tree, isList: boolean): Tree {
  let tree = inner;
  for (let level = 0; level < levels; level++) {
    tree = isList
      ? { kind: "object", members: [["type", text("seglist")], ["data", { kind: "list", items: [tree] }]] }
      : { kind: "list", items: [tree] };
  }
  return tree;
}

/** Changes one place of a tree. */
function mutateTree(root: Tree, generator: Generator, choices: Choices): void {
  const holder = choices.pick(holders(root));
  const junk = (): Tree => choices.oneIn(4) ? raw(choices.pick(NO_NUMBERS)) : generator.json();
  const deep = (): Tree =>
    choices.oneIn(2)
      ? nest(choices.pick([1, 3, 31, 32, 33]), generator.segment(0), true)
      : nest(choices.pick([5, 100, 496, 499, 500, 501, 900]), junk(), false);
  const made = choices.oneIn(6) ? deep() : junk();
  if (holder.kind === "list") {
    if (choices.oneIn(2)) holder.items.splice(choices.below(holder.items.length + 1), 0, made);
    else if (holder.items.length > 0) holder.items[choices.below(holder.items.length)] = made;
    return;
  }
  const { members } = holder;
  const index = choices.below(members.length);
  const member = members[index];
  if (member === undefined) return void members.push([generator.key(), made]);
  switch (choices.below(6)) {
    case 0: // twice, with another value or another place
      return void members.splice(choices.below(members.length + 1), 0, [
        member[0],
        choices.oneIn(3) ? member[1] : made,
      ]);
    case 1:
      return void members.splice(index, 1);
    case 2:
      return void (member[0] = generator.key());
    case 3:
      return void members.push([generator.key(), made]);
    case 4:
      return void (member[1] = { kind: "list", items: [member[1]] });
    default:
      member[1] = made;
  }
}

/** Changes one place of a text. */
function mutateText(json: string, choices: Choices): string {
  const at = choices.below(json.length + 1);
  const insert = choices.pick(INSERTS);
  switch (choices.below(7)) {
    case 0:
      return json.slice(0, at);
    case 1:
      return json.slice(0, at) + json.slice(at + 1 + choices.below(3));
    case 2:
    case 3:
      return json.slice(0, at) + insert + json.slice(at);
    case 4:
      return json.slice(0, at) + insert + json.slice(at + 1);
    case 5:
      return choices.pick([`${insert}${json}`, `${json}${insert}`, `${json}${json}`]);
    default:
      return json.slice(0, at) + json.slice(Math.max(0, at - choices.below(20)));
  }
}

/**
 * Matches a key that holds a backslash. V8 13 to 15 remember such a key and read other keys, written with an escape, as
 * it: once the text `{"\\":0}` was parsed, the text `{"\u0061":0}` has the key `\` (nodejs/node issue 63785).
 */
const KEY_WITH_BACKSLASH = /(?:\\\\|\\u005c)[^"]*"\s*:/i;

/** Makes the text of a number: the same one for the same number. */
export function generateText(seed: number): string {
  const choices = new Choices(seed);
  const generator = new Generator(choices);
  const tree = choices.oneIn(200) ? generator.json() : generator.message();
  const isChanged = choices.below(10);
  if (choices.oneIn(1500)) return spell(generator.large(), choices);
  if (isChanged >= 5 && holders(tree).length > 0) {
    for (let count = 1 + choices.below(3); count > 0; count--) mutateTree(tree, generator, choices);
  }
  let json = spell(tree, choices);
  const whole = json;
  if (isChanged >= 8) { for (let count = 1 + choices.below(2); count > 0; count--) json = mutateText(json, choices); }
  return KEY_WITH_BACKSLASH.test(json) ? whole : json;
}
