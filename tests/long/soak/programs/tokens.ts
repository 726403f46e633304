/**
 * Attacks on the token.
 * @module
 */

import { encodeFrame } from "../../../support/peers/frames.ts";
import { RawPeer } from "../../../support/peers/raw.ts";
import { pause } from "../pause.ts";
import { addressOf, type Attack, goodText, inTurns, Outcomes, type Victim } from "./outcomes.ts";

const GUESSES = 10_000;
const AT_ONCE = 50;
const STREAMING = 20;
/** Messages that a streaming caller writes at once. */
const BURST = 50;

async function guess({ url }: Victim, token: string, localAddress: string, outcomes: Outcomes): Promise<void> {
  const headers = [["platform", "attacker"], ["authorization", token]] as const;
  try {
    await using peer = await RawPeer.connect(url, { headers, localAddress, timeoutMs: 10_000 });
    const { status } = peer.response;
    if (status !== 101) return outcomes.add(`refused with ${status}`);
    const close = await peer.frame({ opcode: 8, timeoutMs: 10_000 });
    outcomes.add(close === null ? "dropped" : `closed with ${close.code}`);
  } catch {
    outcomes.add("left without an answer");
  }
}

/** Guesses 10,000 times, from so many addresses. */
export function guessesFrom(addresses: number): Attack {
  return async (victim) => {
    const outcomes = new Outcomes();
    await inTurns(GUESSES, AT_ONCE, async (index) => {
      await guess(victim, `wrong-${index}`, addressOf(1 + index % addresses), outcomes);
    });
    return `${outcomes}`;
  };
}

/** Streams on one connection until it is ended; gives the number of messages written. */
async function streamOnce({ url, seconds }: Victim, index: number, outcomes: Outcomes): Promise<number> {
  const headers = [["platform", "attacker"], ["authorization", `wrong-${index}`]] as const;
  await using peer = await RawPeer.connect(url, { headers, localAddress: addressOf(index), timeoutMs: 10_000 });
  if (peer.response.status !== 101) {
    outcomes.add(`refused with ${peer.response.status}`);
    await pause(100);
    return 0;
  }
  const burst = new Uint8Array(BURST * 512);
  const frame = encodeFrame(1, goodText("let me in"), { masked: true });
  for (let at = 0; at < BURST; at++) burst.set(frame, at * frame.length);
  let isOpen = true;
  void peer.closed.then(() => isOpen = false); // never rejects
  let written = 0;
  const end = performance.now() + Math.max(seconds, 5) * 1000;
  for (; isOpen && performance.now() < end; written += BURST) {
    peer.write(burst.subarray(0, BURST * frame.length));
    await peer.flushed({ timeoutMs: 10_000 });
    await pause(2);
  }
  const close = isOpen ? undefined : await peer.frame({ opcode: 8 });
  outcomes.add(close === undefined ? "never closed" : close === null ? "dropped" : `closed with ${close.code}`);
  return written;
}

/** 20 callers with wrong tokens who stream messages from the first moment, and come back when they are ended. */
export const streams: Attack = async (victim) => {
  const outcomes = new Outcomes();
  let written = 0;
  const end = performance.now() + victim.seconds * 1000;
  await inTurns(STREAMING, STREAMING, async (index) => {
    while (performance.now() < end) {
      try {
        written += await streamOnce(victim, 1 + index, outcomes);
      } catch {
        outcomes.add("left without an answer");
        await pause(100);
      }
    }
  });
  return `${written.toLocaleString("en-US")} messages on connections of which ${outcomes}`;
};
