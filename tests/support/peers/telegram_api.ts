/**
 * A fake Bot API of Telegram: long polling with confirmed offsets, texts, pictures and files.
 * @module
 */

import { runtime } from "../../../runtime/mod.ts";
import type { Listener } from "../../../runtime/types.ts";
import { Inbox, type WaitOptions } from "./inbox.ts";

/** A message that the adapter had Telegram send. */
export interface TelegramSent {
  readonly method: string;
  readonly chatId: string;
  /** Empty for a picture. */
  readonly text: string;
  /** Content of a picture. */
  readonly photo: Uint8Array | null;
  /** Id of the message it quotes. */
  readonly quoted: number | null;
  /** Id that it was given. */
  readonly messageId: number;
}

/** How the API behaves. */
export interface TelegramOptions {
  /** Sees each message as it is sent, before any wait does. */
  readonly onSent?: (sent: TelegramSent) => void;
}

/** The bot, as `getMe` tells it. */
export const ME = { id: 123, is_bot: true, first_name: "麦麦", username: "mai_bot" } as const;
/** Token of the bot. */
export const TELEGRAM_TOKEN = "123:secret";
/** Content of every file. */
export const FILE: Uint8Array<ArrayBuffer> = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);

const LIMITS = { maxBytes: 2 ** 24, idleTimeout: 0 };

interface Update {
  readonly update_id: number;
  readonly message: Readonly<Record<string, unknown>>;
}

function refusal(status: number, description: string, parameters: object = {}): Response {
  return Response.json({ ok: false, error_code: status, description, parameters }, { status });
}

/** One Bot API on a free port; leaving its scope ends it. */
export class TelegramApi implements AsyncDisposable {
  /** Every message sent, in order. */
  readonly sent: TelegramSent[] = [];
  readonly #listener: Listener;
  readonly #onSent: (sent: TelegramSent) => void;
  readonly #unread = new Inbox<TelegramSent>();
  readonly #polls = new Inbox<number>();
  readonly #ids = new Map<string, number>();
  #updates: Update[] = [];
  #lastUpdate = 500;
  #refusals = 0;
  /** Ends the poll that waits. */
  #wake = (): void => {};
  #isClosed = false;

  constructor({ onSent = () => {} }: TelegramOptions = {}) {
    this.#onSent = onSent;
    this.#listener = runtime.listen({ hostname: "127.0.0.1", port: 0 }, LIMITS, (request) => this.#serve(request));
  }

  /** What stands in for `https://api.telegram.org`. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.port}`;
  }

  /** Ids of the messages that no poll has confirmed: Telegram would send them again. */
  get unconfirmed(): readonly unknown[] {
    return this.#updates.map(({ message }) => message.message_id);
  }

  /** Waits until somebody asks for updates. */
  async polled({ timeoutMs = 30_000 }: WaitOptions = {}): Promise<void> {
    await this.#polls.take(() => true, () => "a bot at the Bot API", { timeoutMs });
  }

  /** Has somebody write in a chat, of which a negative id is a group's; returns the id of that. */
  say(content: Readonly<Record<string, unknown>>, chatId: number = 20001): number {
    const messageId = this.#nextId(`${chatId}`);
    const isGroup = chatId < 0;
    const message = {
      message_id: messageId,
      date: Math.floor(Date.now() / 1000),
      chat: isGroup ? { id: chatId, type: "supergroup", title: "群" } : { id: chatId, type: "private" },
      from: { id: isGroup ? 20001 : chatId, is_bot: false, first_name: "用户", username: "user_20001" },
      ...content,
    };
    this.#updates.push({ update_id: ++this.#lastUpdate, message });
    this.#wake();
    return messageId;
  }

  /** Refuses the next call that sends with 429. */
  refuseOnce(): void {
    this.#refusals = 1;
  }

  /** Takes the next message sent that no earlier call has taken. */
  async next({ timeoutMs = 10_000 }: WaitOptions = {}): Promise<TelegramSent> {
    const sent = await this.#unread.take(() => true, () => "a message at the Bot API", { timeoutMs });
    return sent!; // this inbox never ends
  }

  /** Ends the poll that waits, then the port. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    await this.#listener.stop();
  }

  #nextId(chatId: string): number {
    const id = (this.#ids.get(chatId) ?? 0) + 1;
    this.#ids.set(chatId, id);
    return id;
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === `/file/bot${TELEGRAM_TOKEN}/photos/file`) return new Response(FILE);
    const prefix = `/bot${TELEGRAM_TOKEN}/`;
    if (!pathname.startsWith(prefix)) return refusal(401, "Unauthorized");
    const method = pathname.slice(prefix.length);
    const isForm = request.headers.get("content-type")?.startsWith("multipart/form-data");
    if (isForm) return await this.#send(method, await request.formData());
    const parameters = await request.json();
    if (method === "getMe") return Response.json({ ok: true, result: ME });
    if (method === "getFile") return Response.json({ ok: true, result: { file_path: "photos/file" } });
    if (method === "getUpdates") return await this.#poll(parameters);
    const form = new FormData();
    for (const [key, value] of Object.entries(parameters)) {
      form.set(key, typeof value === "string" ? value : JSON.stringify(value));
    }
    return await this.#send(method, form);
  }

  /** Forgets what is confirmed, and answers once there is something else, or time is up. */
  async #poll({ offset, timeout }: { offset: number; timeout: number }): Promise<Response> {
    this.#wake(); // Telegram knows one poll at a time
    this.#updates = this.#updates.filter(({ update_id }) => update_id >= offset);
    this.#polls.push(offset);
    if (this.#updates.length === 0 && !this.#isClosed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeout * 1000);
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
    }
    return Response.json({ ok: true, result: this.#updates.slice(0, 100) });
  }

  async #send(method: string, form: FormData): Promise<Response> {
    if (this.#refusals > 0) {
      this.#refusals--;
      return refusal(429, "Too Many Requests: retry after 1", { retry_after: 1 });
    }
    if (method !== "sendMessage" && method !== "sendPhoto") return refusal(404, "Not Found");
    const chatId = String(form.get("chat_id"));
    const photo = form.get("photo");
    const sent: TelegramSent = {
      method,
      chatId,
      text: String(form.get("text") ?? ""),
      photo: photo instanceof Blob ? new Uint8Array(await photo.arrayBuffer()) : null,
      quoted: JSON.parse(String(form.get("reply_parameters") ?? "null"))?.message_id ?? null,
      messageId: this.#nextId(chatId),
    };
    this.sent.push(sent);
    this.#unread.push(sent);
    this.#onSent(sent);
    return Response.json({
      ok: true,
      result: { message_id: sent.messageId, date: 1, chat: { id: Number(chatId), type: "private" }, from: ME },
    });
  }
}
