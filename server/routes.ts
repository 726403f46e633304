import { CLOSE } from "../util/close_codes.ts";
import { DEFAULT_PLATFORM } from "./admission.ts";
import type { DuplicatePolicy } from "./options.ts";
import type { ServerPeer } from "./peer.ts";

/** Which connections a platform's messages go to. A connection that has left never comes back. */
export class Registry {
  readonly #policy: DuplicatePolicy;
  readonly #routes = new Map<string, ServerPeer[]>();

  constructor(policy: DuplicatePolicy) {
    this.#policy = policy;
  }

  /** Gives a newcomer its name; returns whether it may stay. */
  add(peer: ServerPeer): boolean {
    const older = this.#routes.get(peer.platform);
    // Those without a name have nothing to take from one another.
    const policy = peer.platform === DEFAULT_PLATFORM ? "share" : this.#policy;
    if (older === undefined || policy === "share") {
      if (older === undefined) this.#routes.set(peer.platform, [peer]);
      else older.push(peer);
      return true;
    }
    if (policy === "reject") return false;
    this.#routes.set(peer.platform, [peer]);
    // Source: maim_message 0.5.3 to 0.6.8, ws_connection.py, websocket_endpoint: the newest wins.
    for (const old of older) old.retire(CLOSE.replaced);
    return true;
  }

  /** Takes a connection out of routing; one that was replaced holds nothing any more. */
  remove(peer: ServerPeer): void {
    const peers = this.#routes.get(peer.platform) ?? [];
    const index = peers.indexOf(peer);
    if (index === -1) return;
    if (peers.length === 1) this.#routes.delete(peer.platform);
    else peers.splice(index, 1);
  }

  of(platform: string): readonly ServerPeer[] {
    return this.#routes.get(platform) ?? [];
  }

  get platforms(): string[] {
    return [...this.#routes.keys()];
  }
}
