/**
 * The frames that are judged, in sets of one configuration each.
 *
 * `maibot_accept.jsonl` has `name` and `input`, a frame; its verdicts are of MaiBot 1.2.1. The rows of
 * `maibot_1_3_accept.jsonl` were recorded from MaiBot 1.3.15 and have
 * - `name`; `message`, the frame, or `text`, its JSON where `JSON.parse` would change it;
 * - `accounts`, `platform:account` of `[bot]` separated by commas, "qq:777" unless given; `policy`, the text of
 *   `config/adapter_policy.toml`;
 * - `maibot_1_3_15` and `maibot_1_2_1`: "accept" or "drop"; `reason`, the last line of the log of a drop;
 * - `unanswered`: "no_account" or "no_chat" where MaiBot 1.3.15 stores the frame and no answer can come;
 * - `session`: account, scope, group and user of the chat stream; `warnings`, how often an old route was warned of.
 * @module
 */

import { readFileSync } from "node:fs";

import { seedVectors } from "../../support/vectors.ts";
import { buildFrames } from "./built.ts";
import { generateTexts, type GeneratorOptions } from "./generated.ts";
import { readAsPython } from "./json_text.ts";

/** What a vector says of a frame. */
export interface Recorded {
  readonly maibot_1_3_15: "accept" | "drop";
  readonly reason?: string;
  readonly unanswered?: "no_account" | "no_chat";
  readonly session?: Readonly<Record<string, string | null>>;
  readonly warnings?: number;
}

/** One frame. */
export interface Frame {
  readonly name: string;
  readonly text: string;
  /** What `maibotIssues` is given. */
  readonly value: unknown;
  /** Whether the value says the same to Python as the text does. */
  readonly isFaithful: boolean;
  readonly policy?: string | undefined;
  readonly recorded?: Recorded | undefined;
}

/** Frames that meet the same MaiBot. */
export interface FrameSet {
  readonly name: string;
  readonly accounts: string;
  readonly frames: readonly Frame[];
}

const DEFAULT_ACCOUNTS = "qq:777";
/** MaiBot is started for each set: the builders' frames are many, and are split. */
const MAX_FRAMES = 5000;

function rows(name: string): Record<string, unknown>[] {
  const text = readFileSync(new URL(`../../support/vectors/${name}`, import.meta.url), "utf8");
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

function frameOf(name: string, text: string): Frame {
  return { name, text, ...readAsPython(text) };
}

/** The vectors, in a set for each configuration of accounts. */
export function vectorSets(): FrameSet[] {
  const sets = Map.groupBy(rows("maibot_1_3_accept.jsonl"), ({ accounts }) => String(accounts ?? DEFAULT_ACCOUNTS));
  return [...sets].map(([accounts, rowsOfSet]) => {
    const frames = rowsOfSet.map((row): Frame => {
      const { name, policy, text = JSON.stringify(row.message) } = row as Record<"name" | "policy" | "text", string>;
      return { ...frameOf(name, text), policy, recorded: row as unknown as Recorded }; // as documented above
    });
    return { name: "vectors of 1.3.15", accounts, frames };
  });
}

/** The vectors of MaiBot 1.2.1, and the examples of the seed. */
function olderSet(): FrameSet {
  const vectors = rows("maibot_accept.jsonl").map(({ name, input }) => frameOf(String(name), JSON.stringify(input)));
  const seeds = Object.entries(seedVectors.messages).map(([name, value]) =>
    frameOf(`seed ${name}`, JSON.stringify(value))
  );
  const segments = Object.entries(seedVectors.segments).map(([name, segment]) => {
    const user_info = { platform: "qq", user_id: "1", user_nickname: "n" };
    const message_info = { platform: "qq", message_id: name, time: 1703123456.789, user_info };
    return frameOf(
      `seed segment ${name}`,
      JSON.stringify({ account_id: "777", message_info, message_segment: segment }),
    );
  });
  const accounts = "qq:777,discord:778,telegram:779,my_platform:780";
  return { name: "vectors of 1.2.1 and the seed", accounts, frames: [...vectors, ...seeds, ...segments] };
}

function generatedSet(options: GeneratorOptions): FrameSet {
  const frames = generateTexts(options).map((text, index) => frameOf(`generated ${index}`, text));
  return { name: "generated", accounts: "qq:777,tp:888", frames };
}

/** The frames of the builders; `maibotIssues` is given the message as it was built. */
function builtSets(options: GeneratorOptions): FrameSet[] {
  const frames = buildFrames(options).map(({ message, text }, index): Frame => {
    return { name: `built ${index}`, text, value: message, isFaithful: true };
  });
  return Array.from({ length: Math.ceil(frames.length / MAX_FRAMES) }, (_, part) => {
    const start = part * MAX_FRAMES;
    return { name: "built", accounts: "qq:777,tp:888", frames: frames.slice(start, start + MAX_FRAMES) };
  });
}

/** How many frames are made, and of which seed. */
export interface FrameOptions {
  readonly seed: number;
  /** Frames that are generated. */
  readonly generated: number;
  /** Calls of the builders. */
  readonly built: number;
}

/** All frames, the large sets first. */
export function frameSets({ seed, generated, built }: FrameOptions): FrameSet[] {
  const sets = [...builtSets({ seed, count: built }), generatedSet({ seed, count: generated }), olderSet()];
  return [...sets, ...vectorSets()];
}
