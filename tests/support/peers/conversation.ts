/**
 * A long conversation through an adapter, while MaiBot is killed twice.
 * @module
 */

import { assert, assertEquals } from "@std/assert";

import type { FakeMaiBot } from "../../../maibot/fake/mod.ts";
import { type MessageBase, plainText, type Seg, seg } from "../../../schema.ts";
import type { BotProgram } from "./example.ts";
import { withTimeout } from "./inbox.ts";
import type { LineProcess } from "./process.ts";

const MESSAGES = 200;
/** Messages that may wait for what becomes of them. */
const WINDOW = 8;
/** MaiBot is killed once so many are settled. */
const KILL_AT = [60, 130];

/** How a conversation is held. */
export interface Script {
  /** Has somebody write on the platform. */
  readonly say: (text: string, index: number) => void;
  readonly kill: () => void;
}

/** Numbered messages, each answered or reported lost; a new one is said as soon as there is room. */
export class Conversation {
  /** Ids that the answers to a number have on the platform. */
  readonly answers: Map<number, string[]> = new Map<number, string[]>();
  readonly reported: Set<number> = new Set<number>();
  readonly #done = Promise.withResolvers<void>();
  #script: Script | null = null;
  #said = 0;
  #kills = 0;

  /** Says everything, and waits until all of it is settled. */
  async hold(script: Script): Promise<void> {
    this.#script = script;
    this.#advance();
    await withTimeout(this.#done.promise, 90_000, () => `a conversation: ${this.#describe()}`);
  }

  /** Takes note of an answer on the platform, and of its id there. */
  answered(text: string, id: string): void {
    const number = numberIn(text);
    this.answers.set(number, [...this.answers.get(number) ?? [], id]);
    this.#advance();
  }

  /** Reads what the adapter prints about messages that are lost, or may be. */
  readonly heard = (line: string): void => {
    if (!line.startsWith("! unconfirmed: ")) return;
    this.reported.add(numberIn(line));
    this.#advance();
  };

  /** Numbers without an answer. */
  get unanswered(): number[] {
    return Array.from({ length: MESSAGES }, (_, number) => number).filter((number) => !this.answers.has(number));
  }

  get #settled(): number {
    return new Set([...this.answers.keys(), ...this.reported]).size;
  }

  #advance(): void {
    const settled = this.#settled;
    if (settled === MESSAGES) this.#done.resolve();
    if (settled >= (KILL_AT[this.#kills] ?? Infinity)) {
      this.#kills++;
      this.#script?.kill();
    }
    while (this.#said < MESSAGES && this.#said - settled < WINDOW) {
      const number = this.#said++;
      this.#script?.say(`m${number}.`, number);
    }
  }

  #describe(): string {
    const open = this.unanswered.filter((number) => number < this.#said && !this.reported.has(number));
    return `${this.#said} said, ${this.answers.size} answered, ${this.reported.size} reported, open: ${open}`;
  }
}

function numberIn(text: string): number {
  return Number(/m(\d+)\./.exec(text)?.[1]);
}

/** Answers with a quote and the words themselves. */
export function answer(message: MessageBase): Seg[] {
  return [seg.reply(message.message_info.message_id ?? ""), seg.text(`re ${plainText(message)}`)];
}

/** Killed, not closed: what is under way is lost, and the port is dead for a while. */
export function kill(bot: FakeMaiBot, restarts: Promise<void>[]): void {
  bot.cut();
  restarts.push(bot.restart({ downtime: 200 }));
}

/** Every message settled, every echo of an answer back, nothing that MaiBot would refuse, nothing sent twice. */
export async function assertWhole(conversation: Conversation, bot: FakeMaiBot, child: LineProcess): Promise<void> {
  const { answers } = conversation;
  assertSettled(conversation, child);
  for (const message of bot.sent) {
    const [id] = answers.get(numberIn(plainText(message))) ?? [];
    if (id !== undefined) assertEquals(await bot.echoed(message), id);
  }
  const messages = bot.receipts.filter(({ kind }) => kind === "message");
  assertEquals(messages.filter(({ isAnswerable, issues }) => !isAnswerable || issues.length > 0), []);
  const ids = messages.map(({ message }) => message?.message_info.message_id);
  assertEquals(new Set(ids).size, ids.length);
}

/** The same of a bot that was killed: all that is known of it is what its lives have printed. */
export async function assertWholeOf(conversation: Conversation, bot: BotProgram, child: LineProcess): Promise<void> {
  assertSettled(conversation, child);
  for (const [id] of conversation.answers.values()) await bot.printed(new RegExp(`message_id_echo.* -> ${id}$`));
  assertEquals(bot.complaints, []);
  const numbers = bot.verdicts.map(numberIn);
  assertEquals(new Set(numbers).size, numbers.length);
}

/** Every message answered or reported, no answer twice, nothing else complained about. */
function assertSettled({ answers, reported, unanswered }: Conversation, child: LineProcess): void {
  assertEquals(unanswered.filter((number) => !reported.has(number)), []);
  assert(unanswered.length <= 2 * WINDOW * KILL_AT.length, `${unanswered.length} are unanswered`);
  assert(reported.size > 0, "nothing was in doubt");
  assertEquals([...answers].filter(([, ids]) => ids.length > 1), []);
  assertEquals(child.lines.filter((line) => /^! (?!unconfirmed: )/.test(line)), []);
}
