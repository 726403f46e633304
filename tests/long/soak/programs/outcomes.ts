/**
 * What attacks are given and what they tell.
 * @module
 */

import { createMessage, seg } from "../../../../mod.ts";
import { OPCODES } from "../../../support/peers/frames.ts";
import { RawPeer } from "../../../support/peers/raw.ts";

/** Whom to attack, and for how long where an attack takes time. */
export interface Victim {
  readonly url: string;
  /** The right token: some attackers have one. */
  readonly token: string;
  readonly seconds: number;
}

/** Attacks, and tells what has become of the attacker. */
export type Attack = (victim: Victim) => Promise<string>;

const PLATFORM = "attacker";
/** Seconds that an answer may take at the end of an attack. */
const PATIENCE = 20;

/** Counts outcomes by name. */
export class Outcomes {
  readonly #counts = new Map<string, number>();

  /** Counts one. */
  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Lists them, the most frequent first. */
  toString(): string {
    const sorted = [...this.#counts].sort(([, a], [, b]) => b - a);
    return sorted.map(([name, count]) => `${count.toLocaleString("en-US")} ${name}`).join(", ");
  }
}

/** Names an address of this machine; all of 127.0.0.0/8 are. */
export function addressOf(index: number): string {
  return `127.0.${2 + (index >> 8)}.${index & 255}`;
}

/** A message that is in order. */
export function goodText(text: string): string {
  return JSON.stringify(createMessage({ platform: PLATFORM, user: "1" }, seg.text(text)));
}

/** Comes in with the right token, from an address of its own. */
export function comeIn({ url, token }: Victim): Promise<RawPeer> {
  const headers = [["platform", PLATFORM], ["authorization", token]] as const;
  return RawPeer.connect(url, { headers, localAddress: addressOf(1), timeoutMs: 10_000 });
}

/** Tells how a connection stands after all that was sent on it: whether a good message still gets its echo. */
export async function fateOf(peer: RawPeer): Promise<string> {
  const start = performance.now();
  let echoed = 0;
  peer.text(goodText("the end"));
  for (;;) {
    const frame = await peer.frame({ timeoutMs: PATIENCE * 1000 }).catch(() => undefined); // told below
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (frame === undefined) return `no answer in ${PATIENCE} s`;
    if (frame === null) return `dropped after ${seconds} s`;
    if (frame.opcode === OPCODES.close) return `closed with ${frame.code} after ${seconds} s`;
    if (frame.opcode !== OPCODES.text) continue;
    if (frame.text.includes("the end")) {
      return `let live, ${echoed} echoed; its next good message came back after ${seconds} s`;
    }
    echoed++;
  }
}

/** Runs so many jobs, so many at a time. */
export async function inTurns(jobs: number, atOnce: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs) await run(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
