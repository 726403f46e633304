/**
 * A newcomer's first adapter, as README shows it, for a platform whose users are lines of standard input.
 *
 * Its one argument is the JSON of {@linkcode FirstAdapterOptions}; each line of standard input is the JSON of a
 * {@linkcode Said}, each line it prints the JSON of a {@linkcode Report}.
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";

import { echoing, maibotIssues, mention } from "../../../maibot/mod.ts";
import { createMessage, type MessageBase, MessageClient, MessageConnectionError, type Seg } from "../../../mod.ts";

/** What the adapter is started with. */
export interface FirstAdapterOptions {
  readonly url: string;
  readonly platform: string;
  readonly token: string;
  /** The bot's own id on the platform; an adapter may forget it. */
  readonly account?: string;
}

/** Something that a user of the platform has written. */
export interface Said {
  readonly id: string;
  readonly user: string;
  readonly nickname: string;
  /** Id of the group; in private without one. */
  readonly group?: string;
  /** Whether it is said to the bot, in a group. */
  readonly isMention?: boolean;
  readonly content: readonly Seg[];
}

/** What has happened. */
export type Report =
  | { readonly event: "status"; readonly state: string }
  | { readonly event: "message"; readonly message: MessageBase; readonly id: string }
  | { readonly event: "warning" | "drop" | "error" | "refused"; readonly text: string };

const options: FirstAdapterOptions = JSON.parse(process.argv[2] ?? "{}");
const { url, ...connection } = options;
const client = new MessageClient(url, { ...connection, validate: maibotIssues });
let answers = 0;

function report(what: Report): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function say({ id, user, nickname, group, isMention = false, content }: Said): void {
  const message = createMessage(
    {
      platform: options.platform,
      message_id: id,
      user: { user_id: user, user_nickname: nickname },
      ...(group === undefined ? {} : { group: { group_id: group, group_name: `group ${group}` } }),
    },
    ...content,
  );
  client.send(isMention ? mention(message) : message);
}

client.on(
  "message",
  echoing(client, (message) => {
    const id = `${process.pid}_${++answers}`; // what a platform would call it
    report({ event: "message", message, id });
    return id;
  }),
);
client.on("status", ({ state }) => report({ event: "status", state }));
client.on("warning", (_message, issues) => {
  for (const { path, hint } of issues) report({ event: "warning", text: `${path}: ${hint}` });
});
client.on("drop", ({ reason }) => report({ event: "drop", text: reason }));
client.on("error", (error) => report({ event: "error", text: String(error) }));

try {
  await client.connect({ retry: true });
} catch (error) {
  report({ event: "refused", text: error instanceof MessageConnectionError ? error.code : String(error) });
  process.exit(1);
}
for await (const line of createInterface({ input: process.stdin })) say(JSON.parse(line));
await client.close();
process.exit(0);
