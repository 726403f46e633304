/**
 * A chat platform with its users, and an adapter of ours between it and MaiBot.
 * @module
 */

/** What a user writes. */
export interface Utterance {
  readonly text?: string;
  /** Group it is written in; in private without one. */
  readonly group?: string;
  /** Whether it is said to the bot, in a group. */
  readonly isMention?: boolean;
  /** Id of the message it quotes, on the platform. */
  readonly quote?: string;
  /** What comes along. */
  readonly attached?: "picture" | "voice" | "file";
}

/** What MaiBot has said on the platform. */
export interface Heard {
  /** "user 1" or "group 1". */
  readonly to: string;
  /** Id it has on the platform. */
  readonly id: string;
  readonly text: string;
  /** Id of the message it quotes; by chance MaiBot quotes the message it answers. */
  readonly quoted: string | null;
  /** Fingerprints of its pictures. */
  readonly pictures: readonly string[];
}

/** What MaiBot has its model read, by what is written on the platform. */
export interface Shown {
  readonly mention: string;
  readonly picture: string;
  /** Null where the adapter has no voice. */
  readonly voice: string | null;
  readonly file: string;
}

/** A platform; leaving its scope ends the adapter. */
export interface Platform extends AsyncDisposable {
  /** Name of the platform for MaiBot. */
  readonly name: string;
  readonly shows: Shown;
  /** Waits until the adapter is connected to MaiBot, and to the platform. */
  connected(): Promise<void>;
  /** Waits until the adapter has lost MaiBot and dials again. */
  waiting(): Promise<void>;
  /** Has a user write; returns the id of that. */
  say(user: string, utterance: Utterance): string;
  /** Takes the next message of MaiBot. */
  hear(): Promise<Heard>;
}

/** Starting a runtime is slow on a busy machine. */
export const START: { readonly timeoutMs: number } = { timeoutMs: 60_000 };
/** MaiBot may be busy with more than the answer. */
export const ANSWER: { readonly timeoutMs: number } = { timeoutMs: 30_000 };

/** Writes an utterance for a reader. */
export function describe({ text = "", isMention, quote, attached }: Utterance): string {
  return [
    ...(isMention ? ["(to the bot)"] : []),
    ...(quote === undefined ? [] : [`(quotes ${quote})`]),
    ...(attached === undefined ? [] : [`<${attached}>`]),
    text,
  ].join(" ").trim();
}

/** Writes what MaiBot has said for a reader. */
export function describeHeard({ text, quoted, pictures }: Heard): string {
  const quote = quoted === null ? [] : [`(quotes ${quoted})`];
  return [...quote, text, ...pictures.map((picture) => `<picture ${picture}>`)].join(" ").trim();
}
