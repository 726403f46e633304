import type { BaseMessageInfo, MessageBase } from "../schema/types.ts";
import type { Fields } from "../util/values.ts";

/** The infos inside an info. Each of them may hold nulls too. */
interface InfoTree {
  readonly [key: string]: InfoTree;
}

const PARTY: InfoTree = { user_info: {}, group_info: {} };
const INFO: InfoTree = { ...PARTY, format_info: {}, template_info: {}, sender_info: PARTY, receiver_info: PARTY };

/**
 * Leaves out the nulls of an object and of its infos. The rules have checked that each member named in the tree is an
 * object, null or absent.
 */
function withoutNulls(object: Fields, tree: InfoTree): Fields {
  let copy: Fields | null = null;
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const inside = Object.hasOwn(tree, key) ? tree[key] : undefined;
    const clean = value === null ? undefined : inside === undefined ? value : withoutNulls(value as Fields, inside);
    if (clean !== value) (copy ??= { ...object })[key] = clean;
  }
  return copy ?? object;
}

/**
 * Leaves out the nulls of `message_info` and its infos, because maim_message 0.3.0 to 0.5.4 crash on them.
 *
 * @param message A message, or only its envelope. The rules have accepted it.
 * @returns The same object if it holds no such null, otherwise a copy.
 */
export function withoutInfoNulls<T extends Pick<MessageBase, "message_info">>(message: T): T {
  const info = message.message_info as BaseMessageInfo & Fields; // an interface has no index signature
  const clean = withoutNulls(info, INFO);
  return clean === info ? message : { ...message, message_info: clean };
}
