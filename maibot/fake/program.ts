import { plainText } from "../../schema/plain_text.ts";
import {
  isPort,
  linePrinter,
  parseFlags,
  type ProgramSystem,
  runToEnd,
  stopSignal,
  UsageError,
} from "../../util/program.ts";
import { oneLine } from "../../util/display.ts";
import { customName } from "../custom_frame.ts";
import { type HintLanguage, hintOf, MAX_ISSUES } from "../issues.ts";
import { MAIBOT_VERSIONS, type MaibotVersion } from "../rules.ts";
import { shorten } from "../shorten.ts";
import type { MaibotReceipt } from "./events.ts";
import { FakeMaiBot } from "./fake.ts";
import { isNotice } from "./log.ts";
import { LoopError } from "./loop_guard.ts";
import { isChinese, type ProgramTexts, textsOf } from "./program_texts.ts";

/**
 * Maximum number of issues of one message that are printed. If the first `drop` comes after them, it is printed too.
 */
const MAX_PRINTED = 20;

/** The environment variables. Some of them set the language. */
type Env = Readonly<Record<string, string | undefined>>;

/** The parts of `node:util` and `node:process` that the program uses. */
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
  const locale = new Intl.DateTimeFormat().resolvedOptions().locale;
  let env: Env = {};
  try {
    const { LC_ALL, LC_MESSAGES, LANG } = process.env;
    env = { LC_ALL, LC_MESSAGES, LANG };
  } catch {
    // Deno without --allow-env does not let the program read the variables. The locale of the runtime is used instead.
  }
  return isChinese(env, locale) ? "zh" : "en";
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

/** The value of `--bot`: a platform and its account, such as `qq:777`. */
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

/** Describes an error of the operating system or the runtime in one line. */
function describeFailure(error: unknown, texts: ProgramTexts): string {
  const { code, name, message } = error as Error & { code?: string };
  if (code === "EADDRINUSE") return texts.portInUse;
  if (code === "EADDRNOTAVAIL") return texts.addressNotLocal;
  if (code === "EINVAL" || code === "ENOTFOUND") return texts.addressUnknown;
  if (code === "EACCES" || name === "PermissionDenied") return texts.forbidden;
  if (name === "NotCapable") return `${message.split(",")[0]}; ${texts.runAgain}`;
  return message.split("\n")[0] ?? name;
}

function shortName(name: string): string {
  return oneLine(shorten(name));
}

/** Describes in one line what MaiBot does with a frame. The line never holds base64 of the frame. */
function summaryOf(receipt: MaibotReceipt, texts: ProgramTexts): string {
  const { kind, value, message, isAccepted, isAnswerable, log } = receipt;
  const logText = oneLine(log?.text ?? texts.droppedSilently).trimEnd();
  if (kind === "custom") return `${isAccepted ? "✓" : "✗"} {${shortName(customName(value) ?? "")}} ${logText}`;
  if (!isAccepted) return `✗ ${logText}`;
  const content = message === null ? "" : oneLine(plainText(message));
  return `${isAnswerable ? `✓ ${texts.accepted}` : `? ${texts.stored}`}: ${content}`.trimEnd();
}

/** Returns the lines that are printed for a frame: what MaiBot does with it, and its issues. */
function* receiptLines(receipt: MaibotReceipt, version: MaibotVersion, language: HintLanguage): Generator<string> {
  const texts = textsOf(language);
  const { platform, issues } = receipt;
  yield `< ${shortName(platform)} ${summaryOf(receipt, texts)}`;
  const firstDrop = issues.find(({ level }) => level === "drop");
  const printed = issues.filter((issue, index) => index < MAX_PRINTED || issue === firstDrop);
  for (const issue of printed) {
    yield `    ${texts.levels[issue.level]} ${oneLine(issue.path)}: ${hintOf(issue, language, version)}`;
  }
  const rest = issues.length - printed.length;
  if (rest > 0) yield `    ${issues.length >= MAX_ISSUES ? texts.moreAtLeast(rest) : texts.more(rest)}`;
}

/** Prints a line for each event. */
function printEvents(
  bot: FakeMaiBot,
  print: (line: string) => void,
  { version, language }: { readonly version: MaibotVersion; readonly language: HintLanguage },
): void {
  bot.on("open", (platform) => print(`+ ${shortName(platform)}`));
  bot.on("close", (platform, { code, reason }) => {
    print(`- ${shortName(platform)} ${code} ${oneLine(reason)}`.trimEnd());
  });
  bot.on("received", (receipt) => {
    for (const line of receiptLines(receipt, version, language)) print(line);
  });
  bot.on("sent", (message) => print(`> ${shortName(message.message_info.platform)} ${oneLine(plainText(message))}`));
  bot.on("log", (line) => {
    if (isNotice(line)) print(`! ${line.level} ${oneLine(line.text)}`);
  });
  const texts = textsOf(language);
  bot.on("error", (error) => {
    print(`! ${error instanceof LoopError ? texts.loop : oneLine(describeFailure(error, texts))}`);
  });
}

function accountsOf(entries: readonly string[]): Record<string, string> {
  const pairs = entries.map((entry) => BOT_FORM.exec(entry)).filter((match) => match !== null);
  return Object.fromEntries(pairs.map(([, platform = "", account = ""]) => [platform.trim(), account.trim()]));
}

function createBot(flags: Flags, version: MaibotVersion): FakeMaiBot {
  const { path, token: tokens, account, bot: accounts = [], echo, answer } = flags;
  return new FakeMaiBot({
    keep: 0,
    version,
    ...(account === undefined ? {} : { account }),
    ...(accounts.length === 0 ? {} : { accounts: accountsOf(accounts) }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(path === undefined ? {} : { path }),
    ...(echo ? { answers: "echo" } : answer === undefined ? {} : { answers: () => answer }),
  });
}

async function start(system: MaibotSystem, language: HintLanguage): Promise<void> {
  const texts = textsOf(language);
  const printAlways = linePrinter(system);
  const flags = readFlags(system, texts);
  if (flags.help) return printAlways(texts.help.trimEnd());
  checkFlags(flags, texts);
  const { host, port = "8000", maibot = "1.3.15" } = flags;
  const version = isVersion(maibot) ? maibot : "1.3.15"; // checkFlags() has checked that it is a version
  const bot = createBot(flags, version);
  printEvents(bot, flags.quiet ? () => {} : printAlways, { version, language });
  const stopped = stopSignal(system);
  printAlways(bot.listen({ port: Number(port), ...(host === undefined ? {} : { hostname: host }) }));
  await stopped;
  await bot.close();
}

/**
 * Runs `maibot/main.ts` as a program: reads the flags, simulates MaiBot until Ctrl-C, and ends the process.
 *
 * @param system `node:util` and `node:process`.
 */
export async function runMaibot(system: MaibotSystem): Promise<void> {
  const language = readLanguage(system);
  const texts = textsOf(language);
  await runToEnd(system, () => start(system, language), (error) => {
    return `${texts.error}${error instanceof UsageError ? error.message : describeFailure(error, texts)}`;
  });
}
