/**
 * Frames made of a message that MaiBot takes, with members of any value: the same ones for the same seed.
 * @module
 */

import fc from "fast-check";

import { ABSENT } from "../../support/samples.ts";
import { jsonText } from "./json_text.ts";
import { contents, fittingSegments, segments } from "./segments.ts";
import {
  accounts,
  anything,
  dicts,
  falsy,
  flags,
  ids,
  numbers,
  platforms,
  surrogates,
  texts,
  times,
  type Values,
} from "./values.ts";

/** Which frames to generate. */
export interface GeneratorOptions {
  readonly seed: number;
  readonly count: number;
}

/** A path, `.` between its keys, and what is put there. */
type Member = readonly [path: string, values: Values];

const ACCOUNT_KEYS = ["platform_io_account_id", "account_id", "self_id", "bot_account"];
const SCOPE_KEYS = ["platform_io_scope", "route_scope", "adapter_scope", "connection_id"];
const OTHER_KEYS = [
  ...["is_mentioned", "at_bot", "is_notify", "reply_probability_boost", "is_local_operator", "scope", "zz"],
  ...["platform_io_target_user_id", "platform_io_target_group_id"],
];

function at(folder: string, keys: readonly string[], values: Values): Member[] {
  return keys.map((key) => [`${folder}${key}`, values]);
}

/** What becomes of a member whose path ends here; the whole object is one of them. */
const MESSAGE_MEMBERS: readonly Member[] = [
  ["account_id", accounts],
  ["scope", accounts],
  ...at("", [...ACCOUNT_KEYS, ...SCOPE_KEYS].filter((key) => key !== "account_id"), accounts),
  ...at("", ["message_id", "platform", "raw_message", "content", "zz"], anything),
  ["message_type_name", fc.oneof(anything, fc.constant("message_id_echo"))],
  ["is_custom_message", flags],

  ["message_info", anything],
  ["message_info.platform", platforms],
  ["message_info.message_id", ids],
  ["message_info.time", times],
  ...at("message_info.", ["user_info", "group_info"], fc.oneof(anything, falsy)),
  ["message_info.user_info.user_id", ids],
  ["message_info.group_info.group_id", ids],
  ...at("message_info.user_info.", ["user_nickname", "user_cardname", "platform"], fc.oneof(texts, anything)),
  ...at("message_info.group_info.", ["group_name", "platform"], fc.oneof(texts, anything)),
  ...["sender_info", "receiver_info"].flatMap((party): Member[] => [
    [`message_info.${party}`, anything],
    ...at(`message_info.${party}.`, ["user_info", "group_info"], fc.oneof(anything, falsy)),
    [`message_info.${party}.user_info.user_id`, anything],
    [`message_info.${party}.group_info.group_id`, anything],
  ]),
  ...at("message_info.", ["format_info", "template_info", "zz", ...ACCOUNT_KEYS, ...SCOPE_KEYS], accounts),
  ["message_info.additional_config", fc.oneof(anything, falsy)],
  ...at("message_info.additional_config.", [...ACCOUNT_KEYS, ...SCOPE_KEYS], accounts),
  ...at("message_info.additional_config.", OTHER_KEYS, flags),

  // Most of what can go wrong is in the content.
  ...[contents, contents, ...fittingSegments].map((values): Member => ["message_segment", values]),
  ...[segments, segments, ...fittingSegments].map((values): Member => ["message_segment.data.0", values]),
  ...Array.from({ length: 3 }, (): Member => ["message_segment.data.0", dicts.map((data) => ({ type: "dict", data }))]),
  ["message_segment.type", texts],
  ["message_segment.data", fc.oneof(anything, fc.array(segments, { maxLength: 3 }))],
  ["message_segment.data.0.type", texts],
  ["message_segment.data.0.data", fc.oneof(anything, surrogates)],
];

const ECHO_MEMBERS: readonly Member[] = [
  ["content", anything],
  ["content.type", texts],
  ...at("content.", ["echo", "actual_id"], fc.oneof(ids, falsy)),
  ["message_type_name", texts],
  ["is_custom_message", flags],
  ...at("", ["platform", "timestamp", "account_id", "message_info"], anything),
  ["timestamp", numbers],
];

/** Where the bot's account is named in the message that is changed. */
const ROUTES: readonly Readonly<Record<string, unknown>>[] = [
  { account_id: "777" },
  { account_id: "777", scope: "s" },
  {},
  { account_id: null },
];

const mutable = (isRemoved: boolean, value: unknown) => isRemoved ? ABSENT : value;

/** What is put at a path, now and then nothing: the member goes. */
function changeOf([path, values]: Member): fc.Arbitrary<readonly [path: string, value: unknown]> {
  return fc.tuple(fc.integer({ max: 11, min: 0 }), values).map(([die, value]) => [path, mutable(die === 0, value)]);
}

/** The change of one member, and now and then of others: what MaiBot trips on first is to be told. */
function changesOf(member: Member, all: readonly Member[]): fc.Arbitrary<readonly (readonly [string, unknown])[]> {
  const others = fc.array(fc.constantFrom(...all).chain(changeOf), { maxLength: 2 });
  return fc.tuple(changeOf(member), fc.boolean(), others)
    .map(([change, isAlone, more]) => isAlone ? [change] : [change, ...more]);
}

/** Puts a value at a path, making the objects on the way; the deepest go first, so that nothing is put into a text. */
function change(root: Record<string, unknown>, changes: readonly (readonly [string, unknown])[]): void {
  const depth = ([path]: readonly [string, unknown]) => path.split(".").length;
  for (const [path, value] of changes.toSorted((a, b) => depth(b) - depth(a))) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let parent: object = root;
    for (const key of keys) {
      const next: unknown = Reflect.get(parent, key) ?? {};
      if (!Reflect.has(parent, key)) Reflect.set(parent, key, next);
      parent = next as object; // the ones that are there are objects, as deeper paths went before
    }
    if (value === ABSENT) Reflect.deleteProperty(parent, last);
    else Reflect.set(parent, last, value);
  }
}

/** A message that MaiBot takes; the ids are its own, as a chat that was opened stays open. */
function message(index: number, isPrivate: boolean): Record<string, unknown> {
  const user_info = { platform: "qq", user_id: `u${index}`, user_nickname: "n" };
  const group_info = { platform: "qq", group_id: `g${index}`, group_name: "g" };
  const message_info = { platform: "qq", message_id: `m${index}`, time: 1790000000.5, user_info };
  return structuredClone({
    message_info: isPrivate ? message_info : { ...message_info, group_info },
    message_segment: { type: "seglist", data: [{ type: "text", data: "hi" }] },
  });
}

function echo(index: number): Record<string, unknown> {
  const content = { type: "echo", echo: `send_api_${index}`, actual_id: `a${index}` };
  return {
    platform: "qq",
    message_type_name: "message_id_echo",
    content,
    timestamp: 1790000000.5,
    is_custom_message: true,
  };
}

/** Makes the frames; each member is changed in about as many as any other. */
export function generateTexts({ seed, count }: GeneratorOptions): string[] {
  const members = [
    ...MESSAGE_MEMBERS.map((member) => ({ member, isEcho: false })),
    ...ECHO_MEMBERS.map((member) => ({ member, isEcho: true })),
  ];
  const rounds = Math.ceil(count / members.length);
  const columns = members.map(({ member, isEcho }, column) => {
    const changes = changesOf(member, isEcho ? ECHO_MEMBERS : MESSAGE_MEMBERS);
    const frames = fc.tuple(changes, fc.boolean(), fc.constantFrom(...ROUTES));
    return fc.sample(frames, { seed: seed * 1000 + column, numRuns: rounds }).map(
      ([applied, isPrivate, route], row) => {
        const index = row * members.length + column;
        const frame = isEcho ? echo(index) : { ...message(index, isPrivate), ...route };
        change(frame, applied);
        return jsonText(frame);
      },
    );
  });
  // Round by round, so that the first frames have something of everything.
  return Array.from({ length: rounds }, (_, row) => columns.map((column) => column[row] ?? "")).flat().slice(0, count);
}
