/**
 * What the fake model answers. It repeats what it is shown, so that an answer tells what MaiBot has understood.
 * @module
 */

import { createHash } from "node:crypto";

/** One message of a request to the model. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly { readonly function: { readonly name: string } }[];
}

/** What the model decides: a tool to call, or words. */
export type Decision =
  | { readonly tool: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly text: string };

/** A chat message as MaiBot shows it to its planner. */
interface Shown {
  readonly id: string;
  readonly text: string;
  /** Whether the bot has written it. */
  readonly isOwn: boolean;
}

/** By these words a user has the picture sent back. */
export const SEND_BACK = "send it back";
/** With these words before it, a user names an earlier message of theirs to be answered. */
export const ANSWER = "answer my: ";
/** What begins with this is not answered. */
export const ASIDE = "(";

const SHOWN = /^<message ([^>]*)>\n?([\s\S]*)$/;
const SAY = "SAY ";
const STOP: Decision = { tool: "stop", args: {} };

/** Names content by its digest, so that an answer tells whether every byte has come. */
export function fingerprint(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 8);
}

function attribute(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1];
}

/** Reads a chat message; null for what else a request holds. */
function shownIn({ role, content }: ChatMessage): Shown | null {
  const [, attributes = "", text = ""] = SHOWN.exec(role === "user" && typeof content === "string" ? content : "") ??
    [];
  const id = attribute(attributes, "msg_id");
  if (id === undefined) return null;
  const isOwn = attribute(attributes, "is_self_message") !== undefined;
  return { id, text: text.trim(), isOwn };
}

function reply(to: Shown, text: string, more: Readonly<Record<string, unknown>> = {}): Decision {
  return { tool: "reply", args: { msg_id: to.id, reply_reference: `${SAY}${text}`, ...more } };
}

/** Decides as the planner: answers the last message of a user once. */
export function plan(messages: readonly ChatMessage[]): Decision {
  const all = messages.map(shownIn);
  const at = all.findLastIndex((shown) => shown !== null && !shown.isOwn);
  const last = all[at] ?? null;
  const isAnswered = messages.slice(at + 1).some(({ tool_calls = [] }) => tool_calls.length > 0);
  if (last === null || isAnswered || last.text.startsWith(ASIDE)) return STOP;
  const earlier = all.slice(0, at).flatMap((shown) => shown === null || shown.isOwn ? [] : [shown]);
  if (last.text.includes(SEND_BACK)) {
    const picture = earlier.findLast(({ text }) => text.includes("[图片"));
    if (picture === undefined) return reply(last, "There is no picture");
    return reply(last, "Here it is", { attach_pic: [{ msg_id: picture.id, index: 0 }] });
  }
  const [, named] = last.text.split(ANSWER);
  if (named === undefined) return reply(last, `You said: ${last.text}`);
  const target = earlier.find(({ text }) => text === named);
  return target === undefined ? reply(last, `There is no "${named}"`) : reply(target, `You said: ${named}`);
}

/** Finds the words that the planner has decided on. */
export function wordsOf(messages: readonly ChatMessage[]): Decision {
  const said = messages.findLast(({ content }) => typeof content === "string" && content.startsWith(SAY));
  return { text: typeof said?.content === "string" ? said.content.slice(SAY.length) : "" };
}

/** Describes the picture of a request by its digest. */
export function describePicture(messages: readonly ChatMessage[]): Decision {
  const base64 = /"data:image\/[\w+.-]+;base64,([^"]+)"/.exec(JSON.stringify(messages))?.[1] ?? "";
  return { text: `picture ${fingerprint(Uint8Array.fromBase64(base64))}` };
}

/** Decides for one of MaiBot's model tasks. */
export function decide(task: string, messages: readonly ChatMessage[]): Decision {
  if (task === "planner") return plan(messages);
  if (task === "replyer") return wordsOf(messages);
  if (task === "vlm") return describePicture(messages);
  return { text: "[]" }; // facts about a person, expressions to learn: there are none
}
