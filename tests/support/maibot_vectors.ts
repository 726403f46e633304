/**
 * Verdicts and messages recorded from the own code of MaiBot 1.2.1 and 1.3.15.
 * @module
 */

import { readFileSync } from "node:fs";

import { MAIBOT_VERSIONS, type MaibotVersion } from "../../maibot/rules.ts";

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

/** One frame, and what two versions of MaiBot did with it. */
export interface VerdictVector {
  /** What the row is about. */
  readonly name: string;
  /** The frame as it came: not always JSON, and not always one that `JSON.parse` would leave as it is. */
  readonly text: string;
  /** Whether each version took it; only 1.3.15 was asked where there is a policy. */
  readonly isTaken: Readonly<Partial<Record<MaibotVersion, boolean>>>;
  /** Why 1.3.15, which took it, can never answer; null where it can. */
  readonly unanswered: "no_account" | "no_chat" | null;
  /** What 1.3.15 wrote of one that it dropped; empty where it wrote nothing. */
  readonly reason: string;
  /** Warnings that 1.3.15 wrote, most of them that the account should stand at the top. */
  readonly warnings: number;
  /** `[bot]` of the configuration: the first account of a platform is the one that lives. */
  readonly accounts: Readonly<Record<string, string>>;
  /** Text of `config/adapter_policy.toml`; null where there was none. */
  readonly policy: string | null;
}

/** One message of MaiBot's beside what it answers. */
export interface SaidVector {
  /** What the row is about. */
  readonly name: string;
  /** Who said it. */
  readonly version: MaibotVersion;
  /** Account, scope and free data of the message that was answered; null where MaiBot spoke first. */
  readonly inbound: Readonly<Record<string, unknown>> | null;
  /** What MaiBot sent; null where it had to say something and nothing came. */
  readonly frame: Readonly<Record<string, unknown>> | null;
}

/** Reads `qq:777,tp:888`. */
function accountsOf(text: string): Record<string, string> {
  const pairs = text.split(",").map((entry) => entry.split(":") as [platform: string, account: string]);
  return Object.fromEntries(pairs.toReversed()); // so that the first wins
}

function versionOf(text: unknown): MaibotVersion {
  const version = MAIBOT_VERSIONS.find((known) => known === text);
  if (version === undefined) throw new Error(`Cannot read vectors as the version must be known: ${text}`);
  return version;
}

function verdictVector(row: Record<string, unknown>): VerdictVector {
  const [now, before] = [row.maibot_1_3_15, row.maibot_1_2_1];
  return {
    name: String(row.name),
    text: String(row.text ?? JSON.stringify(row.message)),
    isTaken: { "1.3.15": now === "accept", ...(before === undefined ? {} : { "1.2.1": before === "accept" }) },
    unanswered: (row.unanswered ?? null) as VerdictVector["unanswered"], // as the recorder writes it
    reason: String(row.reason ?? ""),
    warnings: Number(row.warnings ?? 0),
    accounts: accountsOf(String(row.accounts ?? "qq:777")),
    policy: row.policy === undefined ? null : String(row.policy),
  };
}

/** The verdicts of both versions, in the order of the file. */
export const verdictVectors: readonly VerdictVector[] = rows("maibot_1_3_accept.jsonl").map(verdictVector);

/** What both versions sent, in the order of the file. */
export const saidVectors: readonly SaidVector[] = rows("maibot_1_3_outbound.jsonl").map((row) => {
  const { name, maibot, inbound, frame } = row as Record<keyof SaidVector | "maibot", SaidVector["frame"]>; // as above
  return { name: String(name), version: versionOf(maibot), inbound, frame };
});
