import { plainText } from "../schema.ts";
import { customName } from "./fake_door.ts";
import type { MaibotReceipt } from "./fake_options.ts";
import { FakeMaiBot } from "./fake.ts";
import { type HintLanguage, hintOf } from "./issues.ts";
import { isChinese, type ProgramTexts, textsOf } from "./program_texts.ts";

/** The parts of `node:util` and `node:process` in use; only a program may import those. */
export interface MaibotSystem {
  readonly util: {
    parseArgs(config: {
      args: string[];
      options: Record<string, { type: "string" | "boolean"; multiple?: boolean }>;
    }): { values: Record<string, unknown> };
  };
  readonly process: {
    readonly argv: readonly string[];
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly stdout: { write(text: string): unknown; on(event: "error", handler: () => void): unknown };
    readonly stderr: { write(text: string): unknown };
    on(signal: "SIGINT" | "SIGTERM", handler: () => void): unknown;
    exit(code: number): never;
  };
}

interface Flags {
  host?: string;
  port?: string;
  path?: string;
  token?: string[];
  echo?: boolean;
  answer?: string;
  quiet?: boolean;
  help?: boolean;
}

/** A mistake of the person who started the program: one line, exit code 1. */
class UsageError extends Error {}

function readLanguage({ process }: MaibotSystem): HintLanguage {
  const fallback = new Intl.DateTimeFormat().resolvedOptions().locale;
  let env: MaibotSystem["process"]["env"] = {};
  try {
    const { LC_ALL, LC_MESSAGES, LANG } = process.env;
    env = { LC_ALL, LC_MESSAGES, LANG };
  } catch {
    // Deno without --allow-env: the runtime's own language must do.
  }
  return isChinese(env, fallback) ? "zh" : "en";
}

function readFlags({ util, process }: MaibotSystem, texts: ProgramTexts): Flags {
  const args = process.argv.slice(2);
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    host: text,
    port: text,
    path: text,
    token: { type: "string", multiple: true },
    echo: flag,
    answer: text,
    quiet: flag,
    help: flag,
  } as const;
  try {
    return util.parseArgs({ args, options }).values;
  } catch {
    const names = Object.keys(options);
    // Values are not repeated, nor what stands where the value of a flag belongs: it may be a token.
    const bad = args.find((arg, index) => {
      const isValue = index > 0 && /^--[a-z]+$/.test(args[index - 1] ?? "");
      return !isValue && arg.startsWith("-") && !names.includes(arg.slice(2).split("=")[0] ?? "");
    });
    throw new UsageError(bad === undefined ? texts.flagValue : texts.flagUnknown(bad.split("=")[0] ?? ""));
  }
}

function checkFlags({ port = "8000", path, token, echo, answer }: Flags, texts: ProgramTexts): void {
  if (!/^\d+$/.test(port) || Number(port) > 65535) throw new UsageError(texts.port(port));
  if (path !== undefined && !/^\/[^?#]*$/.test(path)) throw new UsageError(texts.path);
  if (token?.includes("")) throw new UsageError(texts.token);
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

/** A line stays a line whatever a message holds: neither control codes nor marks that turn it around get out. */
function oneLine(text: string, length = 200): string {
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g, " ");
  return line.length > length ? `${line.slice(0, length)}…` : line;
}

/** What MaiBot makes of a frame: whether it is taken, else MaiBot's own words. No base64, whatever it holds. */
function verdictOf({ kind, value, message, isAccepted, log }: MaibotReceipt, texts: ProgramTexts): string {
  const words = oneLine(log?.text ?? texts.silent).trimEnd();
  if (kind === "custom") return `${isAccepted ? "✓" : "✗"} {${oneLine(customName(value) ?? "")}} ${words}`;
  if (!isAccepted) return `✗ ${words}`;
  return `✓ ${texts.accepted}: ${message === null ? "" : oneLine(plainText(message))}`.trimEnd();
}

function narrate(bot: FakeMaiBot, language: HintLanguage, print: (line: string) => void): void {
  const texts = textsOf(language);
  bot.on("open", (platform) => print(`+ ${oneLine(platform)}`));
  bot.on("close", (platform, { code, reason }) => print(`- ${oneLine(platform)} ${code} ${oneLine(reason)}`.trimEnd()));
  bot.on("received", (receipt) => {
    print(`< ${oneLine(receipt.platform)} ${verdictOf(receipt, texts)}`);
    for (const issue of receipt.issues) {
      print(`    ${texts.levels[issue.level]} ${oneLine(issue.path)}: ${hintOf(issue, language)}`);
    }
  });
  bot.on("sent", (message) => print(`> ${oneLine(message.message_info.platform)} ${oneLine(plainText(message))}`));
  bot.on("log", ({ level, text }) => {
    if (text.startsWith("拒绝平台") || text.startsWith("未找到目标平台")) print(`! ${level} ${oneLine(text)}`);
  });
}

/** Resolves at the first Ctrl-C or termination; a second one ends the process at once. */
function stopSignal({ process }: MaibotSystem): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(130);
    isStopping = true;
    resolve();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return promise;
}

async function start(system: MaibotSystem, language: HintLanguage): Promise<void> {
  const texts = textsOf(language);
  const say = (line: string) => void system.process.stdout.write(`${line}\n`);
  // Whoever read the lines is gone, as in `main.ts | head -1`: that ends the program, not with a stack.
  system.process.stdout.on("error", () => system.process.exit(0));
  const flags = readFlags(system, texts);
  if (flags.help) return say(texts.help.trimEnd());
  checkFlags(flags, texts);
  const { host, port = "8000", path, token: tokens, echo, answer } = flags;
  const bot = new FakeMaiBot({
    keep: 0,
    ...(tokens === undefined ? {} : { tokens }),
    ...(path === undefined ? {} : { path }),
    ...(echo ? { answers: "echo" } : answer === undefined ? {} : { answers: () => answer }),
  });
  const print = flags.quiet ? () => {} : say;
  narrate(bot, language, print);
  bot.on("error", (error) => print(`! ${oneLine(reason(error, texts))}`));
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
  try {
    await start(system, language);
  } catch (error) {
    const text = error instanceof UsageError ? error.message : reason(error, textsOf(language));
    system.process.stderr.write(`${textsOf(language).error}${text}\n`);
    system.process.exit(1);
  }
  system.process.exit(0);
}
