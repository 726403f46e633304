import { checkPath } from "../../server/settings.ts";
import { checkChoice, checkFunction, checkNumber, checkObject, checkSecrets } from "../../util/checks.ts";
import { strip } from "../python/values.ts";
import { MAIBOT_VERSIONS } from "../rules.ts";
import { type MaibotSetup, readAccounts } from "../setup.ts";
import type { FakeMaiBotOptions, MaibotAnswers, MaibotPolicy } from "./options.ts";
import type { PeersOptions } from "./peers.ts";

const OWNER = "FakeMaiBot";

/** The options of a fake after they were checked and the defaults were filled in. */
export interface FakeMaiBotSettings {
  readonly setup: MaibotSetup;
  readonly answers: MaibotAnswers;
  readonly nickname: string;
  /** The policy; `null` if every chat is allowed. */
  readonly policy: MaibotPolicy | null;
  /** Time before each answer, in milliseconds. */
  readonly delay: number;
  readonly keep: number;
  readonly peers: PeersOptions;
}

function checkAnswers(answers: unknown): void {
  if (answers === "echo" || typeof answers === "function" || Array.isArray(answers)) return;
  throw new TypeError(`${OWNER}: 'answers' must be "echo", a list or a function`);
}

function checkText(option: string, text: unknown): void {
  if (typeof text !== "string") throw new TypeError(`${OWNER}: '${option}' must be a string; received ${typeof text}`);
}

/**
 * Checks the options of a fake, and fills in the defaults.
 *
 * @throws {TypeError} If an option is of the wrong type. The text names the option.
 * @throws {RangeError} If an option is out of range. The text names the option.
 */
export function resolveOptions(options: FakeMaiBotOptions): FakeMaiBotSettings {
  const { version = "1.3.15", answers = [], delay = 0, tokens = [], path = "/ws", account = "777" } = options;
  const { accounts, policy, nickname = "麦麦", keep = 10_000, closeTimeout = 2000 } = options;
  checkChoice(OWNER, "version", version, MAIBOT_VERSIONS);
  if (policy !== undefined) checkFunction(OWNER, "policy", policy);
  if (accounts !== undefined) checkObject(OWNER, "accounts", accounts);
  checkAnswers(answers);
  checkSecrets(OWNER, "tokens", tokens);
  checkText("account", account);
  checkText("nickname", nickname);
  const everywhere = strip(account); // MaiBot also strips the account that a message names
  if (everywhere === "") throw new TypeError(`${OWNER}: 'account' must not be blank`);
  for (const [name, value] of Object.entries({ delay, keep, closeTimeout })) checkNumber(OWNER, name, value, 0);
  return {
    setup: { version, accountOn: accounts === undefined ? () => everywhere : readAccounts(accounts) },
    answers,
    nickname,
    policy: policy ?? null,
    delay,
    keep,
    peers: { path: checkPath(OWNER, path), tokens: new Set(tokens), closeTimeout },
  };
}
