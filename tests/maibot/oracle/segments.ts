/**
 * Generators of message segments, each type with the data it should have and with any other.
 * @module
 */

import fc from "fast-check";

import { anything, base64s, dicts, files, ids, mentions, texts, type Values } from "./values.ts";

/** Types that MaiBot takes, and the data that fits each. */
const FITTING: Readonly<Record<string, Values>> = {
  text: texts,
  image: base64s,
  emoji: base64s,
  voice: base64s,
  at: fc.oneof(texts, mentions),
  reply: fc.oneof(texts, ids),
  file: files,
  dict: dicts,
};

const FOREIGN = [
  ...["face", "forward", "video", "imageurl", "videourl", "voiceurl", "music", "command", "notify", "poke"],
  ...["Text", " text", "", "seglist ", "市场", "'", "x".repeat(60)],
];

function segment(type: unknown, data: Values): Values {
  return fc.oneof(
    { weight: 20, arbitrary: data.map((value) => ({ type, data: value })) },
    { weight: 1, arbitrary: fc.constant({ type }) },
  );
}

/** Segments of each type that MaiBot takes, with data of the right kind: what is in it may be wrong. */
export const fittingSegments: readonly Values[] = Object.entries(FITTING).map(([type, data]) => segment(type, data));

const fitting: Values = fc.oneof(...fittingSegments);
const ill: Values = fc.constantFrom(...Object.keys(FITTING)).chain((type) => segment(type, anything));
const foreign: Values = fc.oneof(fc.constantFrom<unknown>(...FOREIGN), anything).chain((type) => segment(type, texts));

/** Segments; lists in lists among them. */
export const segments: Values = fc.letrec<{ segment: unknown }>((tie) => ({
  segment: fc.oneof(
    { maxDepth: 4 },
    { weight: 8, arbitrary: fitting },
    { weight: 3, arbitrary: ill },
    { weight: 2, arbitrary: foreign },
    { weight: 1, arbitrary: anything },
    { weight: 2, arbitrary: fc.array(tie("segment"), { maxLength: 3 }).map((data) => ({ type: "seglist", data })) },
  ),
})).segment;

/** Contents of a message: a list, or one segment by itself. */
export const contents: Values = fc.oneof(
  fc.array(segments, { maxLength: 4 }).map((data) => ({ type: "seglist", data })),
  segments,
  anything.map((data) => ({ type: "seglist", data })),
  anything,
);
