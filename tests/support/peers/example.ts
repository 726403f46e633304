/**
 * The programs of `examples/` and the MaiBot that they are started against: a fake in this process, or its program.
 * @module
 */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { FakeMaiBot, type FakeMaiBotOptions } from "../../../maibot/fake/mod.ts";
import type { MessageBase } from "../../../schema.ts";
import { SELF_ID } from "./onebot_peer.ts";
import type { WaitOptions } from "./inbox.ts";
import { currentRuntime, type LineProcess, runtimeCommand, runtimeProgram, spawnLines } from "./process.ts";
import type { SignalName, SpawnOptions } from "./process.ts";
import { ME } from "./telegram_api.ts";

/** The repository. */
export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));
/** For what waits for the start of a program. */
export const START: WaitOptions = { timeoutMs: 60_000 };
/** The bot's account by platform, as MaiBot's configuration has them: what OneBot and Telegram tell, and a default. */
export const ACCOUNTS: Readonly<Record<string, string>> = {
  qq: `${SELF_ID}`,
  telegram: `${ME.id}`,
  terminal: "777",
  echo: "777",
};

/** Starts a program of this repository in the runtime that runs the tests. */
export function start(program: string, options: SpawnOptions, args: readonly string[] = []): LineProcess {
  const [command, flags] = runtimeCommand(currentRuntime, resolve(ROOT, program), args);
  return spawnLines(command, flags, { ...options, env: { NO_COLOR: "1", ...options.env } });
}

/** Starts a program that needs `@std`: those of JSR, or the stand-ins. */
export function startInDeno(args: readonly string[]): LineProcess {
  return spawnLines(runtimeProgram("deno"), ["run", "-A", "tests/support/std/run.ts", ...args], {
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
}

/** A MaiBot that has the accounts of the examples. */
export function newBot(options: FakeMaiBotOptions = {}): FakeMaiBot {
  return new FakeMaiBot({ closeTimeout: 500, accounts: ACCOUNTS, ...options });
}

/** What the segments of a message are. */
export function contentOf(message: MessageBase | null): unknown {
  return message?.message_segment.data;
}

/** The program `maibot/main.ts` with {@linkcode ACCOUNTS}, which can be killed and started again on its port. */
export class BotProgram implements AsyncDisposable {
  readonly #children: LineProcess[] = [];
  readonly #answers: readonly string[];
  /** Where it listens. */
  url = "";

  constructor(...answers: readonly string[]) {
    this.#answers = answers.length === 0 ? ["--echo"] : answers;
  }

  /** Starts it on a free port, or again on the one it had. */
  async start(): Promise<void> {
    const port = this.url === "" ? "0" : new URL(this.url).port;
    const accounts = Object.entries(ACCOUNTS).flatMap(([platform, account]) => ["--bot", `${platform}:${account}`]);
    const args = ["--port", port, ...accounts, ...this.#answers];
    const child = start("maibot/main.ts", { env: { LC_ALL: "en_US.UTF-8" } }, args);
    this.#children.push(child);
    this.url = await child.line(/^ws:/, START);
  }

  /** Ends it without a word, and starts it again. */
  async restart(): Promise<void> {
    this.signal("SIGKILL");
    await this.#children.at(-1)?.exit();
    await this.start();
  }

  /** Sends a signal to the life it has now. */
  signal(name: SignalName): void {
    this.#children.at(-1)?.kill(name);
  }

  /** All that its lives have printed. */
  get lines(): readonly string[] {
    return this.#children.flatMap(({ lines }) => lines);
  }

  /** What it has said of ordinary messages, one line each. */
  get verdicts(): readonly string[] {
    return this.lines.filter((line) => line.startsWith("< ") && !line.includes("{message_id_echo}"));
  }

  /** What it has held against ordinary messages, and answers that it could not send. */
  get complaints(): readonly string[] {
    return this.lines.filter((line) => /^(?: {4}|! |< \S+ ✗ (?!\{message_id_echo\}))/.test(line));
  }

  /** Waits until one of its lives has printed a line that fits. */
  async printed(fits: RegExp): Promise<void> {
    if (this.lines.some((line) => fits.test(line))) return;
    await this.#children.at(-1)?.line(fits);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await child[Symbol.asyncDispose]();
  }
}
