// deno-lint-ignore-file no-console -- a program
/**
 * A bridge between MaiBot and QQ, by the WebSocket of a OneBot v11 implementation such as NapCat or LLOneBot.
 *
 *     deno run -A examples/onebot_adapter.ts     or: bun examples/onebot_adapter.ts
 *
 * Environment, with defaults: `ONEBOT_URL` ws://127.0.0.1:3001/, `ONEBOT_TOKEN` none, `MAIBOT_URL`
 * ws://127.0.0.1:8000/ws, `MAIBOT_TOKEN` none, `PLATFORM` qq. OneBot's message format must be `array`, not `string`.
 * MaiBot answers only if its configuration has the bot's own account, which is printed: `[bot] qq_account = "ACCOUNT"`.
 * @module
 */
import { createMessage, isSeg, type MessageBase, MessageClient, plainText, type Seg, seg } from "@maim/message";
import { echoing, maibotIssues, mention, replyTarget, stripTrusted, unwrap } from "@maim/message/maibot";
import process from "node:process";

const { ONEBOT_URL = "ws://127.0.0.1:3001/", ONEBOT_TOKEN = "" } = process.env;
const { MAIBOT_URL = "ws://127.0.0.1:8000/ws", MAIBOT_TOKEN = "", PLATFORM = "qq" } = process.env;
const CALL_TIMEOUT = 30_000;
const DOWNLOAD_TIMEOUT = 15_000;
const REDIAL = 3000;

type Fields = Record<string, unknown>;

interface OneBotSegment {
  type: string;
  data: Fields;
}

interface OneBotMessage {
  message_type: "group" | "private";
  message_id: number;
  self_id: number;
  time: number;
  user_id: number;
  group_id?: number;
  group_name?: string; // an extension of NapCat
  sender?: { nickname?: string; card?: string };
  message: OneBotSegment[] | string;
}

const client = new MessageClient(MAIBOT_URL, { platform: PLATFORM, token: MAIBOT_TOKEN, validate: maibotIssues });

function complain(error: unknown): void {
  console.log(`! ${error instanceof Error ? error.message : error}`);
}

// ---- the line to OneBot

let onebot: WebSocket | null = null;
/** Calls that wait for their answer, by their `echo`. */
const calls = new Map<string, PromiseWithResolvers<Fields>>();

function dial(): void {
  const headers: Record<string, string> = ONEBOT_TOKEN === "" ? {} : { authorization: `Bearer ${ONEBOT_TOKEN}` };
  const socket = new WebSocket(ONEBOT_URL, { headers });
  socket.onopen = () => {
    onebot = socket;
    console.log("OneBot is connected");
    tellAccount().catch(complain);
  };
  socket.onmessage = ({ data }) => read(String(data));
  socket.onerror = () => {}; // a close follows
  socket.onclose = ({ code }) => {
    onebot = null;
    for (const { reject } of calls.values()) reject(new Error("OneBot is gone, and with it the answer"));
    console.log(`OneBot is gone (${code}), dialling again in ${REDIAL / 1000} s`);
    setTimeout(dial, REDIAL);
  };
}

/** MaiBot answers no message to an account that is not in its configuration, and does not say so. */
async function tellAccount(): Promise<void> {
  const { user_id, nickname } = await call("get_login_info", {});
  console.log(`The bot is ${nickname}, account ${user_id}: MaiBot must have it in [bot]`);
}

/** Messages are forwarded one after the other, so that a picture that loads slowly does not lose its place. */
let forwarding = Promise.resolve();

/** What OneBot says: an event, or the answer to a call. */
type Frame = OneBotMessage & { post_type?: string; echo?: string } & Fields;

function parse(text: string): Partial<Frame> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    complain("OneBot has sent something that is not JSON");
    return {};
  }
}

function read(text: string): void {
  const frame = parse(text);
  if (typeof frame.echo === "string") calls.get(frame.echo)?.resolve(frame);
  // What the bot itself has said may be reported, too, as `message_sent` or with the bot as author: MaiBot would answer.
  else if (frame.post_type === "message" && String(frame.user_id) !== String(frame.self_id)) {
    forwarding = forwarding.then(() => forward(frame as Frame)).catch(complain);
  }
}

async function call(action: string, params: Fields): Promise<Fields> {
  if (onebot === null) throw new Error(`OneBot is not connected: ${action} was not called`);
  const echo = crypto.randomUUID();
  const answer = Promise.withResolvers<Fields>();
  const timer = setTimeout(() => answer.reject(new Error(`OneBot did not answer ${action}`)), CALL_TIMEOUT);
  calls.set(echo, answer);
  try {
    onebot.send(JSON.stringify({ action, params, echo }));
    const { status, retcode, data } = await answer.promise;
    if (status === "failed") throw new Error(`OneBot refused ${action}: ${retcode}`);
    return data as Fields ?? {};
  } finally {
    clearTimeout(timer);
    calls.delete(echo);
  }
}

// ---- from OneBot to MaiBot

const groupNames = new Map<number, string>();

async function groupName(id: number): Promise<string> {
  const known = groupNames.get(id);
  if (known !== undefined) return known;
  const { group_name } = await call("get_group_info", { group_id: id }).catch((): Fields => ({}));
  if (typeof group_name !== "string" || group_name === "") return String(id);
  groupNames.set(id, group_name);
  return group_name;
}

async function download(address: string): Promise<Uint8Array> {
  // Strangers choose it, and `fetch` would read the files of this machine as well.
  if (!/^https?:\/\//i.test(address)) throw new TypeError("the address must be http or https");
  const response = await fetch(address, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return await response.bytes();
}

async function picture({ file, url, sub_type }: Fields): Promise<Seg> {
  try {
    const inline = /^base64:\/\/(.+)$/s.exec(String(file))?.[1];
    const content = inline ?? await download(String(url ?? file));
    return Number(sub_type) === 1 ? seg.emoji(content) : seg.image(content);
  } catch (error) {
    complain(`a picture is missing: ${error instanceof Error ? error.name : "unknown"}`); // a text may hold the picture
    return seg.text("[图片]");
  }
}

function toMaim({ type, data }: OneBotSegment): Seg | Promise<Seg> {
  switch (type) {
    case "text":
      return seg.text(String(data.text));
    case "image":
      return picture(data);
    case "at":
      return data.qq === "all" ? seg.text("@全体成员") : seg.at(String(data.qq));
    case "reply":
      return seg.reply(String(data.id));
    case "face":
      return seg.text(`[表情:${data.id}]`); // MaiBot drops a message with a face
    case "file": {
      const { name = data.file, file_id, file_size, url } = data;
      return seg.file({
        name: String(name),
        ...(file_id === undefined ? {} : { file_id: String(file_id) }),
        ...(file_size === undefined ? {} : { size: Number(file_size) }),
        ...(url === undefined ? {} : { url: String(url) }),
      });
    }
    default:
      return seg.text(`[${type}]`);
  }
}

async function forward(event: OneBotMessage): Promise<void> {
  const { message_id, self_id, time, user_id, group_id, sender = {} } = event;
  const pieces: OneBotSegment[] = typeof event.message === "string"
    ? [{ type: "text", data: { text: event.message } }]
    : event.message;
  // A temporary private chat names the group where the two have met: it is private all the same.
  const group = event.message_type !== "group" || group_id === undefined
    ? {}
    : { group: { group_id: String(group_id), group_name: event.group_name || await groupName(group_id) } };
  const message = createMessage(
    {
      platform: PLATFORM,
      account: String(self_id),
      message_id: String(message_id),
      time,
      user: { user_id: String(user_id), user_nickname: sender.nickname ?? null, user_cardname: sender.card ?? null },
      ...group,
    },
    ...await Promise.all(pieces.map(toMaim)),
  );
  const isAddressed = pieces.some(({ type, data }) => type === "at" && String(data.qq) === String(self_id));
  // Nothing that strangers write may count as the operator's word.
  client.send(stripTrusted(isAddressed ? mention(message) : message));
}

// ---- from MaiBot to OneBot

function accountOf(at: string | Fields): string {
  return typeof at === "string" ? at : String(at.target_user_id ?? at.qq ?? at.user_id ?? at.id);
}

function toOneBot(piece: Seg): OneBotSegment[] {
  const content = unwrap(piece);
  if (isSeg(content, "text")) return [{ type: "text", data: { text: content.data } }];
  if (isSeg(content, "image")) return [{ type: "image", data: { file: `base64://${content.data}` } }];
  if (isSeg(content, "emoji")) return [{ type: "image", data: { file: `base64://${content.data}`, sub_type: 1 } }];
  if (isSeg(content, "imageurl")) return [{ type: "image", data: { file: content.data } }];
  if (isSeg(content, "voice")) return [{ type: "record", data: { file: `base64://${content.data}` } }];
  if (isSeg(content, "at")) return [{ type: "at", data: { qq: accountOf(content.data) } }];
  if (isSeg(content, "reply")) return [{ type: "reply", data: { id: content.data } }];
  if (isSeg(content, "face")) return [{ type: "face", data: { id: String(content.data) } }];
  if (isSeg(content, "file") && typeof content.data === "object") {
    const { name = "file", url, base64 } = content.data;
    return [{ type: "file", data: { file: base64 === undefined ? url : `base64://${base64}`, name } }];
  }
  complain(`OneBot has no way to say ${content.type}: it is left out`);
  return [];
}

/** Says a message on QQ; returns the id it has there. */
async function deliver(message: MessageBase): Promise<string | null> {
  const target = replyTarget(message);
  const { message_segment: top } = message;
  const content = (isSeg(top, "seglist") ? top.data : [top]).flatMap(toOneBot);
  if (target === null) throw new Error("a message of MaiBot names nobody to send it to");
  if (content.length === 0) return null;
  const { message_id } = target.kind === "group"
    ? await call("send_group_msg", { group_id: Number(target.id), message: content })
    : await call("send_private_msg", { user_id: Number(target.id), message: content });
  return message_id === undefined ? null : String(message_id);
}

/** Messages are delivered one after the other: OneBot may take longer over one than over the next. */
let delivering: Promise<unknown> = Promise.resolve();

function deliverInTurn(message: MessageBase): Promise<string | null> {
  const delivered = delivering.then(() => deliver(message));
  delivering = delivered.catch(() => {}); // told by the event `error`
  return delivered;
}

client.on("message", echoing(client, deliverInTurn)); // MaiBot is told the id, so that quotes and recalls find it
client.on("error", complain);
client.on("warning", (_message, issues) => issues.forEach(({ path, hint }) => complain(`${path}: ${hint}`)));
client.on("status", (status) => {
  console.log(`MaiBot: ${status.state}`);
  if (status.state !== "closed" || status.reason === undefined) return;
  complain(status.reason); // another adapter has taken our place, or the token is wrong now
  setTimeout(() => process.exit(1)); // once the drops are told
});
client.on("drop", ({ message, reason }) => {
  if ("message_info" in message) return console.log(`! ${reason}: ${plainText(message)}`);
  // MaiBot ignores the second echo of an id, so one that may be lost may as well come twice.
  if (reason === "unconfirmed" && client.status.state === "waiting") return client.send(message);
  complain(`${reason}: the id of an answer, so that MaiBot can not find it again`);
});
process.on("SIGINT", () => void client.close().then(() => process.exit(0)));

await client.connect({ retry: true });
dial();
