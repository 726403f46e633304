/**
 * The platform of the first adapter, which runs as a child process.
 * @module
 */

import { fileURLToPath } from "node:url";

import { replyTarget } from "../../../maibot/mod.ts";
import { isSeg, type MessageBase, plainText, type Seg, seg } from "../../../schema.ts";
import { Inbox, type WaitOptions } from "../../support/peers/inbox.ts";
import { type ExitStatus, type LineProcess, runtimeCommand, type RuntimeName } from "../../support/peers/process.ts";
import { ACCOUNTS } from "./config.ts";
import type { FirstAdapterOptions, Report, Said } from "./first_adapter.ts";
import { PICTURE, SOUND } from "./media.ts";
import { fingerprint } from "./mind.ts";
import { ANSWER, type Heard, type Platform, type Shown, START, type Utterance } from "./platform.ts";
import { spawnChild } from "./way_out.ts";

const SCRIPT = fileURLToPath(new URL("first_adapter.ts", import.meta.url));
const FILE = { name: "a.txt", size: 12, url: "http://127.0.0.1:1/a.txt" } as const;

let said = 0;

function segmentsOf({ text, isMention, quote, attached }: Utterance): Seg[] {
  return [
    ...(quote === undefined ? [] : [seg.reply(quote)]),
    ...(isMention ? [seg.at(ACCOUNTS.my_platform)] : []),
    ...(attached === "picture" ? [seg.image(PICTURE)] : []),
    ...(attached === "voice" ? [seg.voice(SOUND)] : []),
    ...(attached === "file" ? [seg.file(FILE)] : []),
    ...(text === undefined ? [] : [seg.text(text)]),
  ];
}

function heardIn(message: MessageBase, id: string): Heard {
  const { message_segment: top } = message;
  const segments = isSeg(top, "seglist") ? top.data : [top];
  const target = replyTarget(message);
  return {
    to: target === null ? "nobody" : `${target.kind === "group" ? "group" : "user"} ${target.id}`,
    id,
    text: segments.flatMap((item) => isSeg(item, "reply") || isSeg(item, "image") ? [] : [plainText(item)]).join(""),
    quoted: segments.flatMap((item) => isSeg(item, "reply") ? [item.data] : [])[0] ?? null,
    pictures: segments.flatMap((item) => isSeg(item, "image") ? [fingerprint(Uint8Array.fromBase64(item.data))] : []),
  };
}

/** One first adapter and its platform. */
export class FirstPlatform implements Platform {
  readonly name: string = "my_platform";
  readonly shows: Shown = {
    mention: "@麦麦",
    picture: `[图片：picture ${fingerprint(PICTURE)}]`,
    voice: `[语音: voice ${fingerprint(SOUND)}]`,
    file: `[文件] ${FILE.name}，大小: ${FILE.size}，链接: ${FILE.url}`,
  };
  readonly #child: LineProcess;
  readonly #reports = new Inbox<Report>();
  /** Texts of what the library has warned of. */
  readonly warnings: string[] = [];

  /** Starts an adapter; without an account it is one that has forgotten it. */
  constructor(runtime: RuntimeName, options: Omit<FirstAdapterOptions, "platform">) {
    const [command, args] = runtimeCommand(runtime, SCRIPT, [JSON.stringify({ platform: this.name, ...options })]);
    this.#child = spawnChild(command, args, {
      onLine: (line) => this.#read(line),
      onEnd: () => this.#reports.end(),
    });
  }

  async connected(): Promise<void> {
    await this.#report("the connection", (report) => report.event === "status" && report.state === "open", START);
  }

  async waiting(): Promise<void> {
    await this.#report("the loss of MaiBot", (report) => report.event === "status" && report.state === "waiting");
  }

  /** Waits until it is refused for good; returns the code. */
  async refused(): Promise<string> {
    const report = await this.#report("a refusal", ({ event }) => event === "refused", START);
    return "text" in report ? report.text : "";
  }

  say(user: string, utterance: Utterance): string {
    const { group, isMention } = utterance;
    const message: Said = {
      id: `u${++said}`,
      user,
      nickname: `user ${user}`,
      ...(group === undefined ? {} : { group }),
      ...(isMention === undefined ? {} : { isMention }),
      content: segmentsOf(utterance),
    };
    this.#child.write(`${JSON.stringify(message)}\n`);
    return message.id;
  }

  async hear(): Promise<Heard> {
    const report = await this.#report("a message of MaiBot", ({ event }) => event === "message");
    if (report.event !== "message") throw new Error("Cannot take a report that is no message");
    return heardIn(report.message, report.id);
  }

  /** Leaves as a program does at the end of its input. */
  async leave(): Promise<ExitStatus> {
    this.#child.endInput();
    return await this.#child.exit(ANSWER);
  }

  /** Waits for its end. */
  async exit(): Promise<ExitStatus> {
    return await this.#child.exit(ANSWER);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  #read(line: string): void {
    if (!line.startsWith("{")) return; // of the runtime
    const report: Report = JSON.parse(line);
    if (report.event === "warning") this.warnings.push(report.text);
    this.#reports.push(report);
  }

  async #report(what: string, isMatch: (report: Report) => boolean, options: WaitOptions = ANSWER): Promise<Report> {
    const describe = () => [`${what} at the first adapter`, ...this.#child.lines.slice(-10)].join("\n  | ");
    const report = await this.#reports.take(isMatch, describe, options);
    if (report === null) throw new Error(`Ended before ${describe()}`);
    return report;
  }
}
