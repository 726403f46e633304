import {
  isPort,
  linePrinter,
  oneLine,
  parseFlags,
  type ProgramSystem,
  runToEnd,
  stopSignal,
  UsageError,
} from "../../util/program.ts";
import { plainText } from "../../schema/plain_text.ts";
import { customName } from "./receipt.ts";
import type { MaibotReceipt } from "./options.ts";
import { FakeMaiBot } from "./fake.ts";
import { type HintLanguage, hintOf, MAX_ISSUES } from "../issues.ts";
import { LoopError } from "./loop_guard.ts";
import { isChinese, type ProgramTexts, textsOf } from "./program_texts.ts";
import { MAIBOT_VERSIONS, type MaibotVersion } from "../rules.ts";
import { shorten } from "../shorten.ts";

/** Issues of one message that are printed; a first `drop` that comes later is one more. */
const MAX_SHOWN = 20;

/** The variables that choose the language, and more of them. */
type Env = Readonly<Record<string, string | undefined>>;

/** The parts of the runtime's own modules in use. */
export type MaibotSystem = ProgramSystem & { readonly process: { readonly env: Env } };

interface Flags {
  host?: string;
  port?: string;
  path?: string;
  token?: string[];
  account?: string;
  bot?: string[];
  maibot?: string;
  echo?: boolean;
  answer?: string;
  quiet?: boolean;
  help?: boolean;
}

function readLanguage({ process }: MaibotSystem): HintLanguage {
  const fallback = new Intl.DateTimeFormat().resolvedOptions().locale;
  let env: Env = {};
  try {
    const { LC_ALL, LC_MESSAGES, LANG } = process.env;
    env = { LC_ALL, LC_MESSAGES, LANG };
  } catch {
    // Deno without --allow-env: the runtime's own language must do.
  }
  return isChinese(env, fallback) ? "zh" : "en";
}

function readFlags(system: MaibotSystem, texts: ProgramTexts): Flags {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    host: text,
    port: text,
    path: text,
    token: { type: "string", multiple: true },
    account: text,
    bot: { type: "string", multiple: true },
    maibot: text,
    echo: flag,
    answer: text,
    quiet: flag,
    help: flag,
  } as const;
  return parseFlags(options, system, texts);
}

/** A platform and the account there, as `qq:777`. */
const BOT_FORM = /^\s*([^:\s][^:]*):(.*\S.*)$/;

function isVersion(text: string): text is MaibotVersion {
  return (MAIBOT_VERSIONS as readonly string[]).includes(text);
}

function checkFlags(flags: Flags, texts: ProgramTexts): void {
  const { port = "8000", path, token, account, bot = [], maibot, echo, answer } = flags;
  if (!isPort(port)) throw new UsageError(texts.port(port));
  if (path !== undefined && !/^\/[^?#]*$/.test(path)) throw new UsageError(texts.path);
  if (token?.includes("")) throw new UsageError(texts.token);
  if (account?.trim() === "") throw new UsageError(texts.accountEmpty);
  if (!bot.every((entry) => BOT_FORM.test(entry))) throw new UsageError(texts.botForm);
  if (account !== undefined && bot.length > 0) throw new UsageError(texts.accountOrBot);
  if (maibot !== undefined && !isVersion(maibot)) throw new UsageError(texts.version(maibot));
  if (answer === "") throw new UsageError(texts.answerEmpty);
  if (echo && answer !== undefined) throw new UsageError(texts.echoOrAnswer);
}

/** One line about a failure of the system. */
function reason(error: unknown, texts: ProgramTexts): string {
  const { code, name, message } = error as Error & { code?: string };
  if (code === "EADDRINUSE") return texts.portTaken;
  if (code === "EADDRNOTAVAIL") return texts.addressForeign;
  if (code === "EINVAL" || code === "ENOTFOUND") return texts.addressUnknown;
  if (code === "EACCES" || name === "PermissionDenied") return texts.forbidden;
  if (name === "NotCapable") return `${message.split(",")[0]}; ${texts.runAgain}`;
  return message.split("\n")[0] ?? name;
}

function oneName(name: string): string {
  return oneLine(shorten(name));
}

/** What MaiBot makes of a frame: whether it is taken, else MaiBot's own words. No base64, whatever it holds. */
function verdictOf(
  { kind, value, message, isAccepted, isAnswerable, log }: MaibotReceipt,
  texts: ProgramTexts,
): string {
  const words = oneLine(log?.text ?? texts.silent).trimEnd();
  if (kind === "custom") return `${isAccepted ? "✓" : "✗"} {${oneName(customName(value) ?? "")}} ${words}`;
  if (!isAccepted) return `✗ ${words}`;
  return `${isAnswerable ? `✓ ${texts.accepted}` : `? ${texts.stored}`}: ${
    message === null ? "" : oneLine(plainText(message))
  }`.trimEnd();
}

/** Lines about one frame: what becomes of it, and why. */
function* report(receipt: MaibotReceipt, version: MaibotVersion, language: HintLanguage): Generator<string> {
  const texts = textsOf(language);
  const { platform, issues } = receipt;
  yield `< ${oneName(platform)} ${verdictOf(receipt, texts)}`;
  const firstDrop = issues.find(({ level }) => level === "drop");
  const shown = issues.filter((issue, index) => index < MAX_SHOWN || issue === firstDrop);
  for (const issue of shown) {
    yield `    ${texts.levels[issue.level]} ${oneLine(issue.path)}: ${hintOf(issue, language, version)}`;
  }
  const rest = issues.length - shown.length;
  if (rest > 0) yield `    ${texts.more(rest, issues.length >= MAX_ISSUES)}`;
}

/** How lines begin that are no verdict on a frame and that a user has to know. */
const TOLD = /^(拒绝平台|未找到目标平台|\[SendService\]|适配器|固定引用规则)/;

function narrate(bot: FakeMaiBot, version: MaibotVersion, language: HintLanguage, print: (line: string) => void): void {
  bot.on("open", (platform) => print(`+ ${oneName(platform)}`));
  bot.on("close", (platform, { code, reason }) => print(`- ${oneName(platform)} ${code} ${oneLine(reason)}`.trimEnd()));
  bot.on("received", (receipt) => {
    for (const line of report(receipt, version, language)) print(line);
  });
  bot.on("sent", (message) => print(`> ${oneName(message.message_info.platform)} ${oneLine(plainText(message))}`));
  bot.on("log", ({ level, text }) => {
    if (TOLD.test(text)) print(`! ${level} ${oneLine(text)}`);
  });
}

function accountsOf(entries: readonly string[]): Record<string, string> {
  const pairs = entries.map((entry) => BOT_FORM.exec(entry)).filter((match) => match !== null);
  return Object.fromEntries(pairs.map(([, platform = "", account = ""]) => [platform.trim(), account.trim()]));
}

async function start(system: MaibotSystem, language: HintLanguage): Promise<void> {
  const texts = textsOf(language);
  const say = linePrinter(system);
  const flags = readFlags(system, texts);
  if (flags.help) return say(texts.help.trimEnd());
  checkFlags(flags, texts);
  const { host, port = "8000", path, token: tokens, account, bot: accounts = [], maibot = "1.3.15", echo, answer } =
    flags;
  const version = isVersion(maibot) ? maibot : "1.3.15"; // checked above
  const bot = new FakeMaiBot({
    keep: 0,
    version,
    ...(account === undefined ? {} : { account }),
    ...(accounts.length === 0 ? {} : { accounts: accountsOf(accounts) }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(path === undefined ? {} : { path }),
    ...(echo ? { answers: "echo" } : answer === undefined ? {} : { answers: () => answer }),
  });
  const print = flags.quiet ? () => {} : say;
  narrate(bot, version, language, print);
  bot.on("error", (error) => print(`! ${error instanceof LoopError ? texts.loop : oneLine(reason(error, texts))}`));
  const stopped = stopSignal(system);
  say(bot.listen({ port: Number(port), ...(host === undefined ? {} : { hostname: host }) }));
  await stopped;
  await bot.close();
}

/**
 * Runs `maibot/main.ts` as a program: reads the flags, serves until Ctrl-C, and ends the process.
 *
 * @param system The runtime's own modules.
 */
export async function runMaibot(system: MaibotSystem): Promise<void> {
  const language = readLanguage(system);
  const texts = textsOf(language);
  await runToEnd(system, () => start(system, language), (error) => {
    return `${texts.error}${error instanceof UsageError ? error.message : reason(error, texts)}`;
  });
}
