// deno-lint-ignore-file no-console -- a program
/**
 * An adapter for a platform with a single user, who greets MaiBot, repeats three of its answers and leaves.
 *
 *     deno run -A maibot/main.ts --answer "Tell me more"     stands in for MaiBot
 *     deno run -A examples/echo_bot.ts                       or: bun examples/echo_bot.ts
 *
 * Environment, with defaults: `MAIBOT_URL` ws://127.0.0.1:8000/ws, `MAIBOT_TOKEN` none, `MAIBOT_ACCOUNT` 777.
 * A real MaiBot answers only if its configuration has that account: `[bot] platforms = ["echo:777"]`.
 * @module
 */
import { type MessageBase, MessageClient, plainText } from "@maim/message";
import { echoing, maibotIssues } from "@maim/message/maibot";
import process from "node:process";

const { MAIBOT_URL = "ws://127.0.0.1:8000/ws", MAIBOT_TOKEN: token = "", MAIBOT_ACCOUNT: account = "777" } =
  process.env;
const client = new MessageClient(MAIBOT_URL, { platform: "echo", account, token, validate: maibotIssues });
let answers = 0;

function say(text: string): void {
  console.log(`user: ${text}`);
  client.sendText(text, { user: { user_id: "1", user_nickname: "Echo" } }); // the author, never the bot itself
}

function hear(message: MessageBase): string {
  console.log(`MaiBot: ${plainText(message)}`);
  if (++answers <= 3) say(`echo: ${plainText(message)}`);
  else setTimeout(() => void client.close()); // once the id is told
  return `answer_${answers}`; // the id it has on our platform, which MaiBot is told
}

function giveUp(problem: unknown): never {
  console.log(`lost, or in doubt: ${problem}`);
  process.exit(1); // nobody answers what MaiBot has not got
}

client.on("message", echoing(client, hear));
client.on("drop", ({ reason }) => giveUp(reason));
client.on("error", giveUp);
await client.connect({ retry: true }); // waits until MaiBot is there
say("hello");
