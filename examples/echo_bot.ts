// deno-lint-ignore-file no-console -- a program
/**
 * An adapter for a platform with a single user, who greets MaiBot, repeats three of its answers and leaves.
 *
 *     deno run -A maibot/main.ts --answer "Tell me more"     stands in for MaiBot; leave out for the real one
 *     deno run -A examples/echo_bot.ts                       or: bun examples/echo_bot.ts
 *
 * `MAIBOT_URL` and `MAIBOT_TOKEN` name another MaiBot than ws://127.0.0.1:8000/ws.
 * @module
 */
import { createMessage, MessageClient, plainText, seg } from "@maim/message";
import { echoing, maibotIssues } from "@maim/message/maibot";
import process from "node:process";

const { MAIBOT_URL: url = "ws://127.0.0.1:8000/ws", MAIBOT_TOKEN: token = "" } = process.env;
const client = new MessageClient(url, { platform: "echo", token, validate: maibotIssues });
const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
let answers = 0;

function say(text: string): void {
  console.log(`user: ${text}`);
  client.send(createMessage({ platform: "echo", user: { user_id: "1", user_nickname: "Echo" } }, seg.text(text)));
}

client.on("drop", ({ reason }) => console.log(`lost, or in doubt: ${reason}`));
client.on(
  "message",
  echoing(client, (message) => {
    console.log(`MaiBot: ${plainText(message)}`);
    if (++answers <= 3) say(`echo: ${plainText(message)}`);
    else finish();
    return `answer_${answers}`; // the id it has on our platform, which MaiBot is told
  }),
);

await client.connect({ retry: true }); // waits until MaiBot is there
say("hello");
await finished;
await client.close();
