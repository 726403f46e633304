import type { BaseMessageInfo, MessageBase } from "../schema/types.ts";

/** The infos inside an info, each of which may hold nulls of its own. */
interface InfoTree {
  readonly [key: string]: InfoTree;
}

const PARTY: InfoTree = { user_info: {}, group_info: {} };
const INFO: InfoTree = { ...PARTY, format_info: {}, template_info: {}, sender_info: PARTY, receiver_info: PARTY };

function withoutNulls(object: Record<string, unknown>, tree: InfoTree): Record<string, unknown> {
  let copy: Record<string, unknown> | null = null;
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const inside = Object.hasOwn(tree, key) ? tree[key] : undefined;
    const clean = value === null
      ? undefined
      : inside === undefined
      ? value
      : withoutNulls(value as Record<string, unknown>, inside); // the walk has proved it an object
    if (clean !== value) (copy ??= { ...object })[key] = clean;
  }
  return copy ?? object;
}

/**
 * Leaves out the nulls of `message_info` and its infos, on which maim_message 0.3.0 to 0.5.4 crash.
 *
 * @param message A message, or its envelope alone, that passed the walk.
 * @returns The same object when it holds no such null, else a copy.
 */
export function withoutInfoNulls<T extends Pick<MessageBase, "message_info">>(message: T): T {
  const info = message.message_info as BaseMessageInfo & Record<string, unknown>; // interfaces lack an index signature
  const clean = withoutNulls(info, INFO);
  return clean === info ? message : { ...message, message_info: clean };
}
