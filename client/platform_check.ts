import { isCustom } from "../schema/guards.ts";
import type { WireMessage } from "../schema/types.ts";
import { oneLine } from "../util/display.ts";
import type { ValidationIssue } from "./check_before_sending.ts";
import type { OtherPlatforms } from "./options.ts";

/** Maximum number of platforms that are remembered because a warning about them was given. */
const MAX_PLATFORMS = 100;

/**
 * Checks that a message names the platform of its client. MaiBot sends its answer to the platform that the message
 * names, so the answer to any other platform does not come back to this client.
 */
export class PlatformCheck {
  readonly #platform: string;
  readonly #policy: OtherPlatforms;
  /** Platforms about which there was a warning. */
  readonly #warned = new Set<string>();

  constructor(platform: string, policy: OtherPlatforms) {
    this.#platform = platform;
    this.#policy = policy;
  }

  /** Returns an issue if the message names another platform. A warning is returned once for each platform. */
  check(message: WireMessage): ValidationIssue | null {
    if (this.#policy === "allow" || isCustom(message)) return null;
    const { platform } = message.message_info;
    if (platform === this.#platform) return null;
    if (this.#policy === "warn") {
      if (this.#warned.has(platform) || this.#warned.size >= MAX_PLATFORMS) return null;
      this.#warned.add(platform);
    }
    return {
      level: this.#policy === "refuse" ? "drop" : "unanswered",
      path: "$.message_info.platform",
      rule: "wrong_platform",
      hint: `the message names "${oneLine(platform)}", but this client is "${oneLine(this.#platform)}", so no answer ` +
        `comes back: write platform: client.platform, or set otherPlatforms: "allow" in a gateway`,
    };
  }
}
