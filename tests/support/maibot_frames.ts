/**
 * Frames to start from and to spoil, for the tests of MaiBot's rules.
 * @module
 */

import { type MaibotIssue, maibotIssues, type MaibotIssuesOptions } from "../../maibot/mod.ts";
import { createCustom, type CustomMessage } from "../../schema.ts";
import { ABSENT, putAt } from "./samples.ts";

/** Paths that the tests speak of. */
export const INFO: string = "$.message_info";
export const USER: string = `${INFO}.user_info`;
export const GROUP: string = `${INFO}.group_info`;
export const CONFIG: string = `${INFO}.additional_config`;
export const ACCOUNT: string = "$.account_id";
export const SEG: string = "$.message_segment";
export const ITEM: string = `${SEG}.data[0]`;

/** A value somewhere in a frame. */
export type Change = readonly [path: string, value: unknown];

/** A group message that both versions of MaiBot take and answer, as `JSON.parse` gives it. */
export function taken(): Record<string, unknown> {
  const user_info = { platform: "qq", user_id: "1", user_nickname: "n" };
  const group_info = { platform: "qq", group_id: "9", group_name: "g" };
  return JSON.parse(JSON.stringify({
    account_id: "777",
    message_info: { platform: "qq", message_id: "m", time: 1703123456.789, user_info, group_info },
    message_segment: { type: "seglist", data: [{ type: "text", data: "hi" }] },
  }));
}

/** The same with other values at some paths. */
export function changed(...changes: readonly Change[]): Record<string, unknown> {
  const message = taken();
  for (const [path, value] of changes) putAt(message, path, value);
  return message;
}

/** The same with another value at one path. */
export function at(path: string, value: unknown): Record<string, unknown> {
  return changed([path, value]);
}

/** The same with one segment. */
export function holding(type: unknown, data: unknown): Record<string, unknown> {
  return at(ITEM, { type, data });
}

/** The same from one user alone. */
export function inPrivate(...changes: readonly Change[]): Record<string, unknown> {
  return changed([GROUP, ABSENT], ...changes);
}

/** The same with account and scope among the free data, as older adapters have them. */
export function legacy(config: Readonly<Record<string, unknown>>, ...changes: readonly Change[]): unknown {
  return changed([ACCOUNT, ABSENT], [CONFIG, config], ...changes);
}

/** An echo of an id. */
export function echo(content: unknown): CustomMessage {
  return createCustom("message_id_echo", content, "qq");
}

/** What an echo has to hold. */
export const ECHO = { type: "echo", echo: "send_api_1", actual_id: "7" };

/** Rules and paths. */
export function brief(issues: readonly MaibotIssue[]): string[] {
  return issues.map(({ rule, path }) => `${rule} ${path}`);
}

/** What drops. */
export function drops(message: unknown, options: MaibotIssuesOptions = {}): MaibotIssue[] {
  return maibotIssues(message, options).filter(({ level }) => level === "drop");
}
