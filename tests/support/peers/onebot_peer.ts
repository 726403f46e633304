/**
 * A scripted OneBot v11 implementation: one WebSocket for events and calls at `/`, and a picture to fetch.
 * @module
 */

import { runtime } from "../../../runtime/mod.ts";
import type { Listener, ServerSocket } from "../../../runtime/types.ts";
import { Inbox, type WaitOptions } from "./inbox.ts";

/** One segment of a message of OneBot's. */
export interface OneBotSegment {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A message that the adapter had OneBot send. */
export interface OneBotSent {
  readonly action: string;
  readonly params: {
    readonly group_id?: unknown;
    readonly user_id?: unknown;
    readonly message: readonly OneBotSegment[];
  };
  /** Id that it was given. */
  readonly messageId: number;
}

/** Who writes where; in private without a group. */
export interface OneBotFrom {
  readonly user?: number;
  readonly group?: number;
}

/** How a peer behaves. */
export interface OneBotOptions {
  /** Sees each message as it is sent, before any wait does. */
  readonly onSent?: (sent: OneBotSent) => void;
  /** Answers a call that sends once this resolves. */
  readonly answerAfter?: (sent: OneBotSent) => Promise<void>;
  /** Reports what the adapter had it send as events, as NapCat does when configured to. */
  readonly reportsOwn?: boolean;
}

/** Account of the bot. */
export const SELF_ID = 10001;
/** What an adapter must say to be let in. */
export const ONEBOT_TOKEN = "onebot secret";
/** Content of the picture at {@linkcode OneBotPeer.pictureUrl}: a PNG's first bytes, and some more. */
export const PICTURE: Uint8Array<ArrayBuffer> = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2]);

const LIMITS = { maxBytes: 2 ** 24, idleTimeout: 0 };

/** The event of a message: of one that came in, or of one that the bot has sent. */
function eventOf(
  post_type: "message" | "message_sent",
  message_id: number,
  message: readonly OneBotSegment[],
  user_id: number,
  group_id?: number,
): Readonly<Record<string, unknown>> {
  const isPrivate = group_id === undefined;
  return {
    time: Math.floor(Date.now() / 1000),
    self_id: SELF_ID,
    post_type,
    message_type: isPrivate ? "private" : "group",
    sub_type: isPrivate ? "friend" : "normal",
    message_id,
    user_id,
    ...(isPrivate ? {} : { group_id }),
    message,
    raw_message: "",
    font: 0,
    sender: { user_id, nickname: `用户${user_id}`, ...(isPrivate ? {} : { card: "名片" }) },
  };
}

/** One OneBot on a free port; leaving its scope ends it. */
export class OneBotPeer implements AsyncDisposable {
  /** Every message sent, in order. */
  readonly sent: OneBotSent[] = [];
  readonly #listener: Listener;
  readonly #sockets = new Set<ServerSocket>();
  readonly #opened = new Inbox<ServerSocket>();
  readonly #closed = new Inbox<ServerSocket>();
  readonly #unread = new Inbox<OneBotSent>();
  readonly #onSent: (sent: OneBotSent) => void;
  readonly #answerAfter: (sent: OneBotSent) => Promise<void>;
  readonly #reportsOwn: boolean;
  #lastId = 1000;

  constructor(
    { onSent = () => {}, answerAfter = () => Promise.resolve(), reportsOwn = false }: OneBotOptions = {},
  ) {
    this.#onSent = onSent;
    this.#answerAfter = answerAfter;
    this.#reportsOwn = reportsOwn;
    this.#listener = runtime.listen({ hostname: "127.0.0.1", port: 0 }, LIMITS, (request, info) => {
      return this.#admit(request, info);
    });
  }

  /** What an adapter dials. */
  get url(): string {
    return `ws://127.0.0.1:${this.#listener.port}/`;
  }

  /** Where {@linkcode PICTURE} is. */
  get pictureUrl(): string {
    return `http://127.0.0.1:${this.#listener.port}/picture`;
  }

  /** Waits for the next adapter that connects. */
  async connected({ timeoutMs = 30_000 }: WaitOptions = {}): Promise<void> {
    await this.#opened.take(() => true, () => "an adapter at the OneBot", { timeoutMs });
  }

  /** Drops the adapter's connection. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.close(1001, "");
  }

  /** Tells every adapter that somebody has written; returns the id of that. */
  say(message: readonly OneBotSegment[], { user = 20001, group }: OneBotFrom = {}): number {
    const messageId = ++this.#lastId;
    this.tell(eventOf("message", messageId, message, user, group));
    return messageId;
  }

  /** Tells every adapter anything. */
  tell(event: unknown): void {
    for (const socket of this.#sockets) socket.send(typeof event === "string" ? event : JSON.stringify(event));
  }

  /** Takes the next message sent that no earlier call has taken. */
  async next({ timeoutMs = 10_000 }: WaitOptions = {}): Promise<OneBotSent> {
    const sent = await this.#unread.take(() => true, () => "a message at the OneBot", { timeoutMs });
    return sent!; // this inbox never ends
  }

  /** Ends every connection, then the port. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...this.#sockets]) {
      socket.close(1001, "");
      await this.#closed.take((other) => other === socket, () => "an adapter to leave the OneBot");
    }
    await this.#listener.stop();
  }

  #admit(request: Request, info: unknown): Response {
    if (new URL(request.url).pathname === "/picture") return new Response(PICTURE);
    if (request.headers.get("authorization") !== `Bearer ${ONEBOT_TOKEN}`) return new Response("", { status: 401 });
    const response = runtime.upgrade(request, info, LIMITS, (socket) => ({
      opened: () => {
        this.#sockets.add(socket);
        socket.send(JSON.stringify({ post_type: "meta_event", meta_event_type: "lifecycle", self_id: SELF_ID }));
        this.#opened.push(socket);
      },
      frame: async (text) => socket.send(JSON.stringify(await this.#answer(JSON.parse(text ?? "null")))),
      ended: () => {
        this.#sockets.delete(socket);
        this.#closed.push(socket);
      },
    }));
    return response ?? new Response("", { status: 400 });
  }

  async #answer({ action, params, echo }: OneBotSent & { echo: unknown }): Promise<unknown> {
    if (action === "get_group_info") {
      return { status: "ok", retcode: 0, data: { ...params, group_name: `群${params.group_id}` }, echo };
    }
    if (action === "get_login_info") {
      return { status: "ok", retcode: 0, data: { user_id: SELF_ID, nickname: "麦麦" }, echo };
    }
    if (action !== "send_group_msg" && action !== "send_private_msg") {
      return { status: "failed", retcode: 1404, data: null, echo };
    }
    const sent: OneBotSent = { action, params, messageId: ++this.#lastId };
    this.sent.push(sent);
    this.#unread.push(sent);
    this.#onSent(sent);
    if (this.#reportsOwn) this.#report(sent);
    await this.#answerAfter(sent);
    return { status: "ok", retcode: 0, data: { message_id: sent.messageId }, echo };
  }

  /** As `message_sent`, and as a message by the bot: implementations differ. */
  #report({ messageId, params: { group_id, message } }: OneBotSent): void {
    const group = typeof group_id === "number" ? group_id : undefined;
    for (const type of ["message_sent", "message"] as const) {
      this.tell(eventOf(type, messageId, message, SELF_ID, group));
    }
  }
}
