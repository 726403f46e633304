import type { BaseMessageInfo, MessageBase } from "../schema/types.ts";
import type { Fields } from "../util/values.ts";

/** The keys of the infos inside an info, at any depth. Nulls are left out of these infos too. */
interface InfoTree {
  readonly [key: string]: InfoTree;
}

const PARTY: InfoTree = { user_info: {}, group_info: {} };
const INFO: InfoTree = { ...PARTY, format_info: {}, template_info: {}, sender_info: PARTY, receiver_info: PARTY };

/**
 * Returns an object without its nulls and the nulls of the infos inside it; the same object if there are none. The
 * rules have checked that each member named in `tree` is an object, null or absent.
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
 * Returns a message without the nulls of `message_info` and of the infos inside it, because maim_message 0.3.0 to 0.5.4
 * crash on them.
 *
 * @param message A message, or only its envelope. The rules have accepted it.
 * @returns The same object if it has no such nulls, otherwise a copy.
 */
export function withoutInfoNulls<T extends Pick<MessageBase, "message_info">>(message: T): T {
  const info = message.message_info as BaseMessageInfo & Fields; // needed because an interface has no index signature
  const clean = withoutNulls(info, INFO);
  return clean === info ? message : { ...message, message_info: clean };
}
