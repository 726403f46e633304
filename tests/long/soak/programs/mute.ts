/**
 * A peer that large messages are sent to. It reads none of them, or all.
 * @module
 */

import { RawPeer } from "../../../support/peers/raw.ts";
import { answerWith, openSocket } from "./answers.ts";

/** How it comes. */
export interface Arrival {
  readonly url: string;
  readonly platform: string;
  readonly isReading: boolean;
  /** Whether what it had opened before is closed first. */
  readonly leavesFirst: boolean;
}

/** What it answers. */
export interface MuteAnswers {
  come(arrival: Arrival): Promise<void>;
  /** Drops all connections. */
  leave(): Promise<void>;
  /** Characters read so far. */
  read(): number;
}

const peers = new Set<RawPeer>();
let characters = 0;

async function leave(): Promise<void> {
  await Promise.all([...peers].map((peer) => peer[Symbol.asyncDispose]()));
  peers.clear();
}

await answerWith<MuteAnswers>({
  async come({ url, platform, isReading, leavesFirst }) {
    if (leavesFirst) await leave();
    if (isReading) {
      // Reads through the runtime's own client, which keeps nothing.
      const socket = await openSocket(url, { platform });
      socket.onmessage = ({ data }) => void (characters += data.length);
      return;
    }
    const peer = await RawPeer.connect(url, { headers: [["platform", platform]] });
    peer.pause();
    peers.add(peer);
  },
  leave,
  read: () => characters,
});
