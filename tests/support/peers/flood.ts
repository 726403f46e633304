/**
 * A peer that never stops writing.
 * @module
 */

import type { RawPeer } from "./raw_peer.ts";

/** Writes a block again and again until the other side has ended the connection; returns the bytes written. */
export async function flood(peer: RawPeer, block: string): Promise<number> {
  let isEnded = false;
  const closed = peer.closed.then(() => void (isEnded = true));
  let bytes = 0;
  while (!isEnded) {
    peer.write(block);
    bytes += block.length;
    await Promise.race([peer.flushed(), closed]);
    await new Promise((resolve) => setTimeout(resolve, 0)); // a write the kernel takes at once lets nobody else run
  }
  return bytes;
}
