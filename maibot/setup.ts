import { strip } from "./python/values.ts";
import { MAIBOT_VERSIONS, type MaibotVersion } from "./rules.ts";

/** Returns the bot's account on a platform; `null` if MaiBot's configuration names no account for the platform. */
export type AccountLookup = (platform: string) => string | null;

/** Describes the MaiBot that will get the messages: its version, and the bot's accounts. */
export interface MaibotSetup {
  readonly version: MaibotVersion;
  /** The function that returns the bot's account on a platform; `null` if MaiBot's configuration is not known. */
  readonly accountOn: AccountLookup | null;
}

/** Returns the name under which MaiBot keeps a platform. Source: MaiBot, platform_io/types.py, RouteKey. */
export function platformKey(platform: string): string {
  return strip(platform).toLowerCase();
}

/**
 * Checks the accounts of MaiBot's configuration, and returns the function that looks them up. The keys of `accounts`
 * are platforms.
 *
 * @throws {TypeError} If an account is not a string, or is blank.
 */
export function readAccounts(accounts: Readonly<Record<string, string>>): AccountLookup {
  for (const [platform, account] of Object.entries(accounts)) {
    if (typeof account === "string" && strip(account) !== "") continue;
    const received = typeof account === "string" ? "a blank string" : typeof account;
    throw new TypeError(`'accounts.${platform}' must be a string that is not blank; received ${received}`);
  }
  const byKey = new Map(Object.entries(accounts).map(([platform, account]) => [platformKey(platform), strip(account)]));
  return (platform) => byKey.get(platformKey(platform)) || null;
}

/**
 * Checks the options that describe a MaiBot, and fills in the default version.
 *
 * @throws {RangeError} If the rules of the version are not known.
 * @throws {TypeError} If an account is not a string, or is blank.
 */
export function readSetup(
  { version = "1.3.15", accounts }: {
    readonly version?: MaibotVersion;
    readonly accounts?: Readonly<Record<string, string>>;
  },
): MaibotSetup {
  if (!MAIBOT_VERSIONS.includes(version)) {
    const versions = MAIBOT_VERSIONS.map((known) => `"${known}"`).join(" or ");
    throw new RangeError(`'version' must be ${versions}; received "${version}"`);
  }
  return { version, accountOn: accounts === undefined ? null : readAccounts(accounts) };
}
