import { type Fields, isAbsent, isObject, own, toText } from "./python.ts";

/** Where MaiBot looks for the account of a route. Source: MaiBot 1.2.1, RouteKeyFactory; the first not empty counts. */
export const ACCOUNT_KEYS: readonly string[] = ["platform_io_account_id", "account_id", "self_id", "bot_account"];
/** Where it looks for the scope. */
export const SCOPE_KEYS: readonly string[] = ["platform_io_scope", "route_scope", "adapter_scope", "connection_id"];

function idAt(config: Fields, key: string): string {
  const value = own(config, key);
  return isAbsent(value) ? "" : toText(value).trim();
}

/** Finds the account or the scope in `additional_config`. */
export function routeId(config: unknown, keys: readonly string[]): string | undefined {
  return isObject(config) ? keys.map((key) => idAt(config, key)).find((id) => id !== "") : undefined;
}

/** The members that MaiBot's answer has from the message it answers, as they came. */
export function routeFields(config: unknown): Fields {
  if (!isObject(config)) return {};
  const keys = [...ACCOUNT_KEYS, ...SCOPE_KEYS].filter((key) => idAt(config, key) !== "");
  return Object.fromEntries(keys.map((key) => [key, config[key]]));
}
