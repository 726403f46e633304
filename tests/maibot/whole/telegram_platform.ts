/**
 * Telegram: the fake Bot API of the tests, and `examples/telegram_adapter.ts`.
 * @module
 */

import type { LineProcess, RuntimeName } from "../../support/peers/process.ts";
import { ME, TELEGRAM_TOKEN, type TelegramApi } from "../../support/peers/telegram_api.ts";
import { startExample } from "./examples.ts";
import { PICTURE } from "./media.ts";
import { fingerprint } from "./mind.ts";
import { ANSWER, type Heard, type Platform, type Shown, START, type Utterance } from "./platform.ts";

/** A message as Telegram repeats it when another quotes it: one of the bot. */
function quotedMessage(id: string): unknown {
  const [chat, message] = id.split(":");
  return { message_id: Number(message), date: 1, chat: { id: Number(chat), type: "private" }, from: ME };
}

/** Telegram, by `examples/telegram_adapter.ts`. Its groups have negative ids; here they are without the sign. */
export class TelegramPlatform implements Platform {
  readonly name: string = "telegram";
  readonly shows: Shown = {
    mention: `@${ME.username}`,
    picture: `[图片：picture ${fingerprint(PICTURE)}]`,
    voice: null,
    file: "[文件] a.txt，大小: 12，文件ID: d",
  };
  readonly #api: TelegramApi;
  readonly #child: LineProcess;

  /** Starts the adapter, which dials the front of the Bot API. Another API would give the same ids to other messages. */
  constructor(runtime: RuntimeName, url: string, api: TelegramApi, front: string) {
    this.#api = api;
    this.#child = startExample(runtime, "telegram_adapter.ts", url, { TELEGRAM_API: front, TELEGRAM_TOKEN });
  }

  async connected(): Promise<void> {
    await this.#child.line(/^MaiBot: open$/, START);
  }

  async waiting(): Promise<void> {
    await this.#child.line(/^MaiBot: waiting$/, ANSWER);
  }

  say(user: string, utterance: Utterance): string {
    const { text, group, isMention, quote, attached } = utterance;
    const chat = group === undefined ? Number(user) : -Number(group);
    const words = [...(isMention ? [`@${ME.username}`] : []), ...(text === undefined ? [] : [text])].join("");
    const id = this.#api.say({
      ...(quote === undefined ? {} : { reply_to_message: quotedMessage(quote) }),
      ...(attached === "picture" ? { photo: [{ file_id: "p" }] } : {}),
      ...(attached === "file" ? { document: { file_id: "d", file_name: "a.txt", file_size: 12 } } : {}),
      ...(words === "" ? {} : attached === undefined ? { text: words } : { caption: words }),
    }, chat);
    return `${chat}:${id}`;
  }

  async hear(): Promise<Heard> {
    const { chatId, messageId, text, quoted, photo } = await this.#api.next(ANSWER);
    return {
      to: chatId.startsWith("-") ? `group ${chatId.slice(1)}` : `user ${chatId}`,
      id: `${chatId}:${messageId}`,
      text,
      quoted: quoted === null ? null : `${chatId}:${quoted}`,
      pictures: photo === null ? [] : [fingerprint(photo)],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
