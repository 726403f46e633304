/**
 * QQ: the fake OneBot of the tests, and `examples/onebot_adapter.ts`.
 * @module
 */

import { ONEBOT_TOKEN, type OneBotPeer, type OneBotSegment } from "../../support/peers/onebot_peer.ts";
import type { LineProcess, RuntimeName } from "../../support/peers/process.ts";
import { ACCOUNTS } from "./config.ts";
import { startExample } from "./examples.ts";
import { PICTURE } from "./media.ts";
import { fingerprint } from "./mind.ts";
import { ANSWER, type Heard, type Platform, type Shown, START, type Utterance } from "./platform.ts";

function oneBotSegments({ text, isMention, quote, attached }: Utterance): OneBotSegment[] {
  const file = { file: "a.txt", file_id: "/a", file_size: "12", url: "http://127.0.0.1:1/a.txt" };
  return [
    ...(quote === undefined ? [] : [{ type: "reply", data: { id: quote } }]),
    ...(isMention ? [{ type: "at", data: { qq: ACCOUNTS.qq } }] : []),
    ...(attached === "picture" ? [{ type: "image", data: { file: `base64://${PICTURE.toBase64()}` } }] : []),
    ...(attached === "voice" ? [{ type: "record", data: { file: "a.amr" } }] : []),
    ...(attached === "file" ? [{ type: "file", data: file }] : []),
    ...(text === undefined ? [] : [{ type: "text", data: { text } }]),
  ];
}

/** QQ, by `examples/onebot_adapter.ts`. */
export class OneBotPlatform implements Platform {
  readonly name: string = "qq";
  readonly shows: Shown = {
    mention: "@麦麦",
    picture: `[图片：picture ${fingerprint(PICTURE)}]`,
    voice: "[record]",
    file: "[文件] a.txt，大小: 12，链接: http://127.0.0.1:1/a.txt，文件ID: /a",
  };
  readonly #peer: OneBotPeer;
  readonly #child: LineProcess;
  #dialled: Promise<void> | null = null;

  /** Starts the adapter. Every adapter uses the same OneBot: another would give the same ids to other messages. */
  constructor(runtime: RuntimeName, url: string, peer: OneBotPeer) {
    this.#peer = peer;
    const env = { ONEBOT_URL: this.#peer.url, ONEBOT_TOKEN };
    this.#child = startExample(runtime, "onebot_adapter.ts", url, env);
  }

  async connected(): Promise<void> {
    await this.#child.line(/^MaiBot: open$/, START);
    this.#dialled ??= this.#peer.connected(START); // once, when it has MaiBot for the first time
    await this.#dialled;
  }

  async waiting(): Promise<void> {
    await this.#child.line(/^MaiBot: waiting$/, ANSWER);
  }

  say(user: string, utterance: Utterance): string {
    const { group } = utterance;
    const from = { user: Number(user), ...(group === undefined ? {} : { group: Number(group) }) };
    return `${this.#peer.say(oneBotSegments(utterance), from)}`;
  }

  async hear(): Promise<Heard> {
    const { params, messageId } = await this.#peer.next(ANSWER);
    const { message, group_id, user_id } = params;
    const values = (type: string, key: string) => message.flatMap((item) => item.type === type ? [item.data[key]] : []);
    return {
      to: group_id === undefined ? `user ${user_id}` : `group ${group_id}`,
      id: `${messageId}`,
      text: values("text", "text").join(""),
      quoted: values("reply", "id").map(String)[0] ?? null,
      pictures: values("image", "file").map((file) =>
        fingerprint(Uint8Array.fromBase64(String(file).replace("base64://", "")))
      ),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
