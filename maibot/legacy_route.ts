/**
 * Account and scope in the keys that adapters wrote before MaiBot 1.3.10, such as `self_id` in `additional_config`.
 * @module
 */

import { ACCOUNT_KEYS, SCOPE_KEYS } from "../schema/route.ts";
import { type Fields, isAbsent, isObject, own, strip, toText } from "./python/values.ts";

/** Returns `str(value).strip()` of a member; an empty string if it is null or missing. */
function idAt(fields: Fields, key: string): string {
  const value = own(fields, key);
  return isAbsent(value) ? "" : strip(toText(value));
}

/** Returns the value of the first key that is not blank; `null` if there is none, or no object. */
function firstId(fields: unknown, keys: readonly string[]): string | null {
  return isObject(fields) ? keys.map((key) => idAt(fields, key)).find((id) => id !== "") ?? null : null;
}

/** Returns the account in the legacy keys of an object; `null` if it names none. */
export function legacyAccount(fields: unknown): string | null {
  return firstId(fields, ACCOUNT_KEYS);
}

/** Returns the scope in the legacy keys of an object; `null` if it names none. */
export function legacyScope(fields: unknown): string | null {
  return firstId(fields, SCOPE_KEYS);
}

/** Returns the legacy keys that have a value. MaiBot copies them from a message to its answer. */
export function legacyRouteFields(config: unknown): Fields {
  if (!isObject(config)) return {};
  const keys = [...ACCOUNT_KEYS, ...SCOPE_KEYS].filter((key) => idAt(config, key) !== "");
  return Object.fromEntries(keys.map((key) => [key, config[key]]));
}
