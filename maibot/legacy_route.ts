/**
 * Account and scope in the keys that adapters wrote before MaiBot 1.3.10, such as `self_id` in `additional_config`.
 * @module
 */

import { ACCOUNT_KEYS, SCOPE_KEYS } from "../schema/account.ts";
import { type Fields, isAbsent, isObject, own, strip, toText } from "./python/values.ts";

/** Returns Python's `str(value).strip()` of a member; an empty string if the member is null or missing. */
function idAt(fields: Fields, key: string): string {
  const value = own(fields, key);
  return isAbsent(value) ? "" : strip(toText(value));
}

/** Returns the first value that is not blank, in the order of the keys; `null` if none is, or if there is no object. */
function firstId(fields: unknown, keys: readonly string[]): string | null {
  return isObject(fields) ? keys.map((key) => idAt(fields, key)).find((id) => id !== "") ?? null : null;
}

/** Returns the account in the legacy keys of an object; `null` if these keys name no account. */
export function legacyAccount(fields: unknown): string | null {
  return firstId(fields, ACCOUNT_KEYS);
}

/** Returns the scope in the legacy keys of an object; `null` if these keys name no scope. */
export function legacyScope(fields: unknown): string | null {
  return firstId(fields, SCOPE_KEYS);
}

/** Returns the legacy keys that have a value, with their values. MaiBot copies them from a message to its answer. */
export function legacyRouteFields(config: unknown): Fields {
  if (!isObject(config)) return {};
  const keys = [...ACCOUNT_KEYS, ...SCOPE_KEYS].filter((key) => idAt(config, key) !== "");
  return Object.fromEntries(keys.map((key) => [key, config[key]]));
}
