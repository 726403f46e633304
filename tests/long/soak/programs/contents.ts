/**
 * Attacks by somebody who has been let in.
 * @module
 */

import { encodeFrame } from "../../../support/peers/frames.ts";
import { pause } from "../pause.ts";
import { type Attack, comeIn, fateOf } from "./outcomes.ts";

const BATCH = 1000;
const DEPTH = 10_000;
const SEGMENTS = 1_000_000;
const FRAGMENTS = 75;
const FRAGMENT_BYTES = 8_000_000;

function repeated(frame: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(frame.length * count);
  for (let at = 0; at < count; at++) bytes.set(frame, at * frame.length);
  return bytes;
}

/** Sends one frame many times. */
function frames(opcode: number, payload: string, count: number): Attack {
  return async (victim) => {
    await using peer = await comeIn(victim);
    const frame = encodeFrame(opcode, payload, { masked: true });
    const batch = repeated(frame, Math.min(BATCH, count));
    for (let sent = 0; sent < count; sent += BATCH) {
      peer.write(batch);
      // One that is closed meanwhile takes no more: its fate tells.
      await peer.flushed({ timeoutMs: 60_000 }).catch(() => {});
    }
    return await fateOf(peer);
  };
}

function messageOf(segment: string): string {
  return `{"message_info":{"platform":"attacker"},"message_segment":${segment}}`;
}

/** 100,000 frames that are no JSON. */
export const badFrames: Attack = frames(1, "{", 100_000);

/** 100,000 binary frames. */
export const binaryFrames: Attack = frames(2, "x", 100_000);

/** Lists in lists, 10,000 deep, a hundred times. */
export const deepLists: Attack = frames(
  1,
  messageOf(`${'{"type":"seglist","data":['.repeat(DEPTH)}${"]}".repeat(DEPTH)}`),
  100,
);

/** Free JSON, 10,000 deep, a hundred times. */
export const deepJson: Attack = frames(
  1,
  messageOf(`{"type":"x","data":${"[".repeat(DEPTH)}${"]".repeat(DEPTH)}}`),
  100,
);

/** A list of a million segments, three times. */
export const manySegments: Attack = async (victim) => {
  const segment = '{"type":"text","data":""}';
  const text = messageOf(`{"type":"seglist","data":[${`${segment},`.repeat(SEGMENTS - 1)}${segment}]}`);
  return `${(text.length / 1e6).toFixed(0)} MB each; ${await frames(1, text, 3)(victim)}`;
};

/** One message of 600 MB in fragments: more than the longest string there is on Deno. */
export const giant: Attack = async (victim) => {
  await using peer = await comeIn(victim);
  let isOpen = true;
  void peer.closed.then(() => isOpen = false); // never rejects
  const payload = "x".repeat(FRAGMENT_BYTES);
  const [first, next, last] = [[1, false], [0, false], [0, true]].map(([opcode, fin]) => {
    return encodeFrame(Number(opcode), payload, { masked: true, fin: fin === true });
  });
  let taken = 0;
  for (let sent = 0; sent < FRAGMENTS && isOpen && peer.error === null; sent++) {
    peer.write((sent === 0 ? first : sent === FRAGMENTS - 1 ? last : next) ?? "");
    await peer.flushed({ timeoutMs: 60_000 });
    await pause(1); // so that an end is seen
    if (isOpen && peer.error === null) taken++;
  }
  return `${taken * FRAGMENT_BYTES / 1e6} MB taken; ${await fateOf(peer)}`;
};
