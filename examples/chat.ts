// deno-lint-ignore-file no-console -- a program
/**
 * A terminal chat with MaiBot, or with a stand-in that repeats what it hears. For Deno.
 *
 *     deno task chat                                          with the stand-in
 *     deno task chat --url ws://127.0.0.1:8000/ws             with a MaiBot; --help lists the rest
 *
 * MaiBot answers only if its configuration has the account of `--account`: `[bot] platforms = ["terminal:777"]`.
 * @module
 */
import { createMessage, MessageClient, plainText, type Seg, seg } from "@maim/message";
import { echoing, maibotIssues, mention, replyTarget } from "@maim/message/maibot";
import { FakeMaiBot } from "@maim/message/maibot/fake";
import { parseArgs } from "@std/cli/parse-args";
import { bold, cyan, dim, red, yellow } from "@std/fmt/colors";

const HELP = `Talks to MaiBot: each line is a message, "/image FILE" sends a picture, the end of input leaves.

  --url URL          address of MaiBot; without it a stand-in answers
  --token TOKEN      what MaiBot asks for, if anything
  --platform NAME    name of the connection (default terminal)
  --account ID       the bot's own id on that platform, as in [bot] of MaiBot's configuration (default 777)
  --user NAME        who you are (default you)
  --group NAME       talk in a group, and not in private
  --help             print this`;

const flags = parseArgs(Deno.args, {
  string: ["url", "token", "platform", "account", "user", "group"],
  boolean: ["help"],
  default: { platform: "terminal", account: "777", user: "you" },
});
if (flags.help) {
  console.log(HELP);
  Deno.exit(0);
}
const { url, token = "", platform, account, user, group } = flags;

const standIn = new FakeMaiBot({ account, answers: (message) => `You said: ${plainText(message)}` });
const address = url ?? standIn.listen({ port: 0 });
const client = new MessageClient(address, { platform, account, token, validate: maibotIssues });

function complain(error: unknown): void {
  console.log(red(error instanceof Error ? error.message : String(error)));
}

let count = 0;
client.on(
  "message",
  echoing(client, (message) => {
    const nickname = message.message_info.user_info?.user_nickname ?? "MaiBot";
    const target = replyTarget(message);
    console.log(
      `${bold(cyan(nickname))}${dim(target?.kind === "group" ? ` in ${target.id}` : "")} ${plainText(message)}`,
    );
    return client.status.state === "open" ? `${platform}_${++count}` : null; // once we leave there is nobody to tell
  }),
);
client.on("status", ({ state }) => console.log(dim(`(${state})`)));
client.on("drop", ({ reason }) => console.log(yellow(`lost, or in doubt: ${reason}`)));
client.on("warning", (_message, issues) => issues.forEach(({ path, hint }) => console.log(yellow(`${path}: ${hint}`))));
client.on("error", complain);

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split(/\r?\n/);
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}

async function read(line: string): Promise<Seg> {
  const file = /^\/image (.+)$/.exec(line)?.[1];
  return file === undefined ? seg.text(line) : seg.image(await Deno.readFile(file));
}

async function say(line: string): Promise<void> {
  const where = group === undefined ? {} : { group };
  const message = createMessage({ platform, user, ...where }, await read(line));
  client.send(group === undefined ? message : mention(message)); // in a group MaiBot answers whom it is called by
}

try {
  await client.connect({ signal: AbortSignal.timeout(10_000) });
} catch (error) {
  complain(error);
  Deno.exit(1);
}
for await (const line of lines()) {
  if (line.trim() !== "") await say(line).catch(complain);
}
await client.close();
await standIn.close();
Deno.exit(0);
