import { ACCOUNT_KEYS, SCOPE_KEYS } from "../schema/route.ts";
import { type Fields, isAbsent, isObject, own, strip, toText } from "./python/values.ts";

export { ACCOUNT_KEYS, SCOPE_KEYS };

/** `str(value).strip()` of one member; empty if it is null or not there. */
function idAt(fields: Fields, key: string): string {
  const value = own(fields, key);
  return isAbsent(value) ? "" : strip(toText(value));
}

/** Finds the account or the scope among free data: the first of the keys that is not blank. */
export function routeId(fields: unknown, keys: readonly string[]): string | undefined {
  return isObject(fields) ? keys.map((key) => idAt(fields, key)).find((id) => id !== "") : undefined;
}

/** The members that MaiBot's answer has from the message it answers, as they came. */
export function routeFields(config: unknown): Fields {
  if (!isObject(config)) return {};
  const keys = [...ACCOUNT_KEYS, ...SCOPE_KEYS].filter((key) => idAt(config, key) !== "");
  return Object.fromEntries(keys.map((key) => [key, config[key]]));
}
