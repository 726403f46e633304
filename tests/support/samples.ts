/**
 * Messages to start from and ways to spoil them.
 * @module
 */

/** A message with every member the rules name, as `JSON.parse` would give it. */
export function fullMessage(): Record<string, unknown> {
  const user_info = { platform: "qq", user_id: "1", user_nickname: "n", user_cardname: "c" };
  const group_info = { platform: "qq", group_id: "9", group_name: "g" };
  const message = {
    message_info: {
      ...{ platform: "qq", message_id: "m", time: 1703123456.789, user_info, group_info },
      format_info: { content_format: ["text"], accept_format: ["text", "emoji"] },
      template_info: { template_items: { a: "b" }, template_name: "t", template_default: true },
      additional_config: { at_bot: true },
      sender_info: { user_info, group_info },
      receiver_info: { user_info, group_info },
    },
    message_segment: { type: "seglist", data: [{ type: "text", data: "hi" }, { type: "at", data: "2" }] },
    raw_message: "hi",
  };
  // Not structuredClone: it would keep that users and groups are the same objects.
  return JSON.parse(JSON.stringify(message));
}

/** A custom message with every member the rules name. */
export function fullCustom(): Record<string, unknown> {
  return { platform: "qq", message_type_name: "poke", content: { a: 1 }, timestamp: 5, is_custom_message: true };
}

/** Stands for a member that is not there. */
export const ABSENT: unique symbol = Symbol("absent");

/** Puts a value at a path such as `$.message_info.user_info.user_id` or `$.a.data[0].data`; changes the root given. */
export function putAt(root: object, path: string, value: unknown): void {
  const keys = [...path.matchAll(/\.(\w+)|\[(\d+)\]/g)].map(([, key, index]) => key ?? index ?? "");
  const last = keys.pop() ?? "";
  const parent = keys.reduce<object>((object, key) => Reflect.get(object, key), root);
  if (value === ABSENT) Reflect.deleteProperty(parent, last);
  else Reflect.set(parent, last, value);
}

/** Names a value in a test's name. */
export function show(value: unknown): string {
  if (typeof value === "symbol") return value.description ?? "";
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

/** Nests segment lists, one inside the other, around one text. */
export function nestedLists(levels: number): string {
  return '{"type":"seglist","data":['.repeat(levels) + '{"type":"text","data":"hi"}' + "]}".repeat(levels);
}

/** Builds the text of a message; members of `message_info` and the segment are given as JSON text. */
export function messageText(info: string = "", segment: string = '{"type":"text","data":"hi"}'): string {
  return `{"message_info":{"platform":"qq"${info === "" ? "" : `,${info}`}},"message_segment":${segment}}`;
}

/** Runs a function while `Object.prototype` has more members; nothing else can run meanwhile. */
export function whilePolluted<T>(members: Readonly<Record<string, unknown>>, fn: () => T): T {
  Object.assign(Object.prototype, members);
  try {
    return fn();
  } finally {
    for (const key of Object.keys(members)) Reflect.deleteProperty(Object.prototype, key);
  }
}

/** Passes a value of the wrong type where the compiler would not. */
export function wrong(value: unknown): never {
  return value as never; // what the tests of TypeErrors are about
}

/** Puts a value at a path of a message and gives the message. */
export function changed(root: object, path: string, value: unknown): object {
  putAt(root, path, structuredClone(value === ABSENT ? undefined : value));
  if (value === ABSENT) putAt(root, path, ABSENT);
  return root;
}
