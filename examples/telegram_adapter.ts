// deno-lint-ignore-file no-console -- a program
/**
 * A bridge between MaiBot and Telegram, by long polling of the Bot API.
 *
 *     TELEGRAM_TOKEN=123:abc deno run -A examples/telegram_adapter.ts     or: bun examples/telegram_adapter.ts
 *
 * Environment, with defaults: `TELEGRAM_TOKEN`, `TELEGRAM_API` https://api.telegram.org, `MAIBOT_URL`
 * ws://127.0.0.1:8000/ws, `MAIBOT_TOKEN` none. MaiBot answers only if its configuration has the bot's own account:
 * `[bot] platforms = ["telegram:ID"]`, the digits before the colon of the token.
 * @module
 */
import { createMessage, isSeg, type MessageBase, plainText, type Seg, seg } from "@maim/message";
import { MessageClient, MessageConnectionError } from "@maim/message";
import { echoing, maibotIssues, mention, replyTarget, stripTrusted, unwrap } from "@maim/message/maibot";
import process from "node:process";

const { TELEGRAM_TOKEN = "", TELEGRAM_API = "https://api.telegram.org" } = process.env;
const { MAIBOT_URL = "ws://127.0.0.1:8000/ws", MAIBOT_TOKEN = "" } = process.env;
const PLATFORM = "telegram";
const POLL_SECONDS = 25;
const RETRY = 3000;

interface User {
  id: number;
  first_name: string;
  username?: string;
}

interface Message {
  message_id: number;
  date: number;
  chat: { id: number; type: "private" | "group" | "supergroup" | "channel"; title?: string };
  from?: User;
  text?: string;
  caption?: string;
  photo?: { file_id: string }[];
  sticker?: { file_id: string; emoji?: string; is_animated: boolean; is_video: boolean };
  document?: { file_id: string; file_name?: string; mime_type?: string; file_size?: number };
  reply_to_message?: Message;
}

interface Answer<T> {
  ok: boolean;
  result: T;
  description?: string;
  parameters?: { retry_after?: number };
}

const me = await call<User>("getMe", {});
const client = new MessageClient(MAIBOT_URL, {
  platform: PLATFORM,
  account: String(me.id),
  token: MAIBOT_TOKEN,
  validate: maibotIssues,
});

function complain(error: unknown): void {
  console.log(`! ${error instanceof Error ? error.message : error}`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// ---- the Bot API

/** As `fetch`, but without the URL in an error: the token is in there. */
async function request(what: string, path: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(`${TELEGRAM_API}${path}`, { ...init, signal: AbortSignal.timeout((POLL_SECONDS + 20) * 1000) });
  } catch (error) {
    throw new Error(`Telegram can not be reached for ${what}: ${(error as Error).name}`);
  }
}

async function call<T>(method: string, parameters: Record<string, unknown> | FormData): Promise<T> {
  const init = parameters instanceof FormData
    ? { method: "POST", body: parameters }
    : { method: "POST", body: JSON.stringify(parameters), headers: { "content-type": "application/json" } };
  for (;;) {
    const response = await request(method, `/bot${TELEGRAM_TOKEN}/${method}`, init);
    const { ok, result, description, parameters: advice } = await response.json() as Answer<T>;
    if (ok) return result;
    if (advice?.retry_after === undefined) throw new Error(`Telegram refused ${method}: ${description}`);
    await sleep(advice.retry_after * 1000); // it was not sent, so it can not come twice
  }
}

async function download(file_id: string): Promise<Uint8Array> {
  const { file_path } = await call<{ file_path: string }>("getFile", { file_id });
  const response = await request("a file", `/file/bot${TELEGRAM_TOKEN}/${file_path}`);
  if (!response.ok) throw new Error(`Telegram refused a file: HTTP ${response.status}`);
  return await response.bytes();
}

// ---- from Telegram to MaiBot

/** How to call somebody who was seen, by id. */
const names = new Map<string, string>();

/** Telegram counts the messages of each chat from 1. */
function idOf({ chat, message_id }: Message): string {
  return `${chat.id}:${message_id}`;
}

async function picture(file_id: string, make: (bytes: Uint8Array) => Seg): Promise<Seg> {
  try {
    return make(await download(file_id));
  } catch (error) {
    complain(error);
    return seg.text("[图片]");
  }
}

async function contentOf({ text, caption, photo, sticker, document, reply_to_message }: Message): Promise<Seg[]> {
  const pieces: Seg[] = [];
  if (reply_to_message !== undefined) pieces.push(seg.reply(idOf(reply_to_message)));
  const largest = photo?.at(-1);
  if (largest !== undefined) pieces.push(await picture(largest.file_id, seg.image));
  if (sticker !== undefined) {
    const isStill = !sticker.is_animated && !sticker.is_video;
    pieces.push(isStill ? await picture(sticker.file_id, seg.emoji) : seg.text(sticker.emoji ?? "[表情]"));
  }
  if (document !== undefined) {
    const { file_id, file_name: name = "file", file_size: size, mime_type } = document;
    pieces.push(
      seg.file({ file_id, name, ...(size === undefined ? {} : { size }), ...(mime_type ? { mime_type } : {}) }),
    );
  }
  const words = text ?? caption ?? "";
  if (words !== "") pieces.push(seg.text(words));
  return pieces;
}

async function forward(received: Message): Promise<void> {
  const { chat, from, date, text, caption, reply_to_message: quoted } = received;
  if (from === undefined || from.id === me.id || chat.type === "channel") return; // MaiBot would answer the bot itself
  const pieces = await contentOf(received);
  if (pieces.length === 0) return; // somebody joined, and the like
  names.set(String(from.id), from.username ?? from.first_name);
  const group = chat.type === "private" ? {} : { group: { group_id: String(chat.id), group_name: chat.title ?? null } };
  const message = createMessage(
    {
      platform: PLATFORM,
      message_id: idOf(received),
      time: date,
      user: { user_id: String(from.id), user_nickname: from.first_name },
      ...group,
    },
    ...pieces,
  );
  // As a whole name, `@mai_bot` or `/help@mai_bot`: another bot may be called `mai_bot2`.
  const isCalled = me.username !== undefined && new RegExp(`@${me.username}(?!\\w)`, "i").test(text ?? caption ?? "");
  const isQuoted = quoted?.from?.id === me.id;
  const marked = isCalled || isQuoted ? mention(message, { isWeak: !isCalled }) : message;
  client.send(stripTrusted(marked)); // nothing that strangers write may count as the operator's word
}

/** Forwards a message, or tells why MaiBot can not have it; throws where it may have it later. */
async function tryForward(message: Message): Promise<void> {
  try {
    await forward(message);
  } catch (error) {
    if (error instanceof MessageConnectionError) throw error; // we are leaving, or too much waits already
    complain(error);
  }
}

async function poll(): Promise<void> {
  // In memory only. Telegram keeps an update for 24 hours until a poll with a higher offset confirms it: what was not
  // forwarded comes again after a restart, and with it what was forwarded since the last poll.
  let offset = 0;
  while (client.status.state !== "closing" && client.status.state !== "closed") {
    try {
      await client.flush(); // while MaiBot is away nothing is fetched
      const updates = await call<{ update_id: number; message?: Message }[]>("getUpdates", {
        offset,
        timeout: POLL_SECONDS,
        allowed_updates: ["message"],
      });
      for (const { update_id, message } of updates) {
        if (message !== undefined) await tryForward(message);
        offset = update_id + 1;
      }
    } catch (error) {
      complain(error);
      await sleep(RETRY);
    }
  }
}

// ---- from MaiBot to Telegram

interface Spoken {
  quoted?: number;
  text: string;
  pictures: Uint8Array<ArrayBuffer>[];
}

/** Gathers a message into what Telegram has: one text and pictures. */
function spokenOf(pieces: readonly Seg[]): Spoken {
  const spoken: Spoken = { text: "", pictures: [] };
  for (const piece of pieces.map(unwrap)) {
    if (isSeg(piece, "text")) spoken.text += piece.data;
    else if (isSeg(piece, "at") && typeof piece.data === "string") {
      spoken.text += `@${names.get(piece.data) ?? piece.data} `;
    } else if (isSeg(piece, "reply")) spoken.quoted = Number(piece.data.split(":").at(-1));
    else if (isSeg(piece, "image") || isSeg(piece, "emoji")) {
      spoken.pictures.push(Uint8Array.fromBase64(piece.data));
    } else complain(`Telegram has no way to say ${piece.type}: it is left out`);
  }
  return spoken;
}

/** Says a message on Telegram; returns the id that its first part has there. */
async function deliver(message: MessageBase): Promise<string | null> {
  const target = replyTarget(message);
  if (target === null) throw new Error("a message of MaiBot names nobody to send it to");
  const { message_segment: top } = message;
  const { quoted, text, pictures } = spokenOf(isSeg(top, "seglist") ? top.data : [top]);
  let reply = quoted ? { message_id: quoted, allow_sending_without_reply: true } : undefined;
  const said: Message[] = [];
  // 4096 units at most, and no character cut in two; Telegram refuses what is nothing but white space.
  for (const part of (text.match(/.{1,2048}/gsu) ?? []).filter((part) => part.trim() !== "")) {
    said.push(await call<Message>("sendMessage", { chat_id: target.id, text: part, reply_parameters: reply }));
    reply = undefined;
  }
  for (const bytes of pictures) {
    const form = new FormData();
    form.set("chat_id", target.id);
    if (reply !== undefined) form.set("reply_parameters", JSON.stringify(reply));
    form.set("photo", new Blob([bytes]), "picture");
    said.push(await call<Message>("sendPhoto", form));
    reply = undefined;
  }
  return said[0] === undefined ? null : idOf(said[0]);
}

/** Messages are delivered one after the other: Telegram orders them as they come. */
let delivering: Promise<unknown> = Promise.resolve();

function deliverInTurn(message: MessageBase): Promise<string | null> {
  const delivered = delivering.then(() => deliver(message));
  delivering = delivered.catch(() => {}); // told by the event `error`
  return delivered;
}

client.on("message", echoing(client, deliverInTurn)); // MaiBot is told the id, so that quotes find the message
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

console.log(`Telegram: @${me.username}, account ${me.id}: MaiBot must have it in [bot]`);
await client.connect({ retry: true });
await poll();
