/**
 * Verdicts and messages recorded from MaiBot 1.2.1's own code.
 * @module
 */

import { readFileSync } from "node:fs";

/** One frame and what MaiBot's front door did with it. */
export interface AcceptVector {
  /** What the row is about. */
  readonly name: string;
  /** The decoded frame. */
  readonly input: unknown;
  /** Type and text of the exception, as `AssertionError: `; null where MaiBot took the message. */
  readonly dropped: string | null;
}

/** One message of MaiBot's, as it leaves on each transport. */
export interface OutboundVector {
  /** What the row is about. */
  readonly name: string;
  /** On the legacy transport. */
  readonly legacy: unknown;
  /** The payload on the API server. */
  readonly api: unknown;
}

function rows(name: string): Record<string, unknown>[] {
  const text = readFileSync(new URL(`vectors/${name}`, import.meta.url), "utf8");
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

/** The verdicts, in the order of the file. */
export const acceptVectors: readonly AcceptVector[] = rows("maibot_accept.jsonl").map((row) => {
  const verdict = row.maibot_1_2_1 as { dropped?: string }; // as the recorder writes it
  return { name: String(row.name), input: row.input, dropped: verdict.dropped ?? null };
});

/** The messages, in the order of the file. */
export const outboundVectors: readonly OutboundVector[] = rows("maibot_outbound.jsonl").map((row) => {
  return { name: String(row.name), legacy: row.legacy_wire, api: row.api_send_payload };
});
