import { CLOSE } from "../util/close_codes.ts";
import { DEFAULT_PLATFORM } from "./admission.ts";
import type { DuplicatePolicy } from "./options.ts";
import type { ServerPeer } from "./peer.ts";

/** Peers by platform. A message to a platform is sent to its peers. A peer that was removed is never added again. */
export class Routes {
  readonly #policy: DuplicatePolicy;
  readonly #peers = new Map<string, ServerPeer[]>();

  constructor(policy: DuplicatePolicy) {
    this.#policy = policy;
  }

  /** Adds a peer. Returns false if its platform is already connected and the policy keeps the older peer. */
  add(peer: ServerPeer): boolean {
    const older = this.#peers.get(peer.platform);
    // Peers that gave no platform name do not replace each other.
    const policy = peer.platform === DEFAULT_PLATFORM ? "share" : this.#policy;
    if (older === undefined || policy === "share") {
      if (older === undefined) this.#peers.set(peer.platform, [peer]);
      else older.push(peer);
      return true;
    }
    if (policy === "reject") return false;
    this.#peers.set(peer.platform, [peer]);
    // Source: maim_message 0.5.3 to 0.6.8, ws_connection.py, websocket_endpoint: the newest peer is kept.
    for (const old of older) old.closeReadingInput(CLOSE.replaced);
    return true;
  }

  /** Removes a peer. Does nothing if the peer was already replaced or removed. */
  remove(peer: ServerPeer): void {
    const peers = this.#peers.get(peer.platform) ?? [];
    const index = peers.indexOf(peer);
    if (index === -1) return;
    if (peers.length === 1) this.#peers.delete(peer.platform);
    else peers.splice(index, 1);
  }

  /** Returns the peers of a platform. */
  of(platform: string): readonly ServerPeer[] {
    return this.#peers.get(platform) ?? [];
  }

  /** Platforms that have a peer. */
  get platforms(): string[] {
    return [...this.#peers.keys()];
  }
}
