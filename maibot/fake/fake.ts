import { runtime } from "../../runtime/mod.ts";
import type { MessageBase } from "../../schema/types.ts";
import { checkAddress } from "../../util/address.ts";
import { checkClose } from "../../util/close_codes.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";
import { Emitter, type HandlerResult, type ListenOptions } from "../../util/emitter.ts";
import { commandIn } from "../faults.ts";
import { LoopError } from "./loop_guard.ts";
import { type Fields, strip } from "../python/values.ts";
import { type Asked, readAccounts } from "../chat_session.ts";
import { shorten } from "../shorten.ts";
import type { Connection } from "./peer.ts";
import { Connections } from "./peers.ts";
import type { Destination, SayTarget } from "./destination.ts";
import { Inbox, type MaibotWaitOptions, remember } from "./inbox.ts";
import { LINES, type MaibotLogLine } from "./log.ts";
import {
  checkOptions,
  DEFAULT_ACCOUNT,
  type DisconnectOptions,
  type FakeMaiBotEnd,
  type FakeMaiBotEvents,
  type FakeMaiBotListenOptions,
  type FakeMaiBotOptions,
  type MaibotAnswer,
  type MaibotReceipt,
  type RestartOptions,
} from "./options.ts";
import type { SayContent } from "./bot_message.ts";
import { customName, type Echo, readEcho, readFrame, remarks } from "./receipt.ts";
import { Script } from "./bot.ts";
import type { MaibotIssue } from "../issues.ts";
import type { MaibotRule } from "../rules.ts";

/** Rules by which 1.3 opens no chat for a message. */
const NO_CHAT: ReadonlySet<MaibotRule> = new Set(["platform_foreign", "account_foreign", "target_blank"]);

/** The documented events, as the emitter wants them. */
type Events = { [Name in keyof FakeMaiBotEvents]: FakeMaiBotEvents[Name] };

/** What 1.3 answers to one of its own commands from somebody whom its configuration gives no rights. */
const REFUSALS: Readonly<Record<string, string>> = {
  "/clear": "你没有权限使用此命令。",
  "/offline": "你没有权限使用适配器管理命令。",
  "/online": "你没有权限使用适配器管理命令。",
};

/**
 * Behaves to adapters as MaiBot does, answers by script, and says what MaiBot would have made of each message.
 *
 * It plays MaiBot 1.3.15 unless `version` says otherwise: a message that does not name the bot's account is taken, and
 * never answered.
 *
 * At the wire it is maim_message 0.6.8: the newest connection of a platform wins, a bad token is accepted and closed with
 * 1008 `无效的令牌`, a caller without a platform gets no answer, broken JSON is skipped, and after a binary frame nothing
 * of that connection is read any more. It speaks no extension of this library's.
 *
 * @example Test an adapter
 * ```ts
 * import { createMessage, MessageClient, seg } from "@maim/message";
 * import { FakeMaiBot } from "@maim/message/maibot/fake";
 *
 * await using bot = new FakeMaiBot({ answers: "echo" });
 * await using adapter = new MessageClient(bot.listen({ port: 0 }), { platform: "qq", account: "777" });
 * await adapter.connect();
 * adapter.send(createMessage({ platform: "qq", user: "10001" }, seg.text("你好")));
 * const { isAccepted, issues } = await bot.received();
 * console.log(isAccepted, issues); // true []
 * ```
 */
export class FakeMaiBot {
  readonly #asked: Asked;
  readonly #script: Script;
  readonly #keep: number;
  readonly #connections: Connections;
  readonly #emitter = new Emitter<Events>();
  /** Connections whose reader has died of a binary frame. */
  readonly #deaf = new WeakSet<Connection>();
  readonly #receipts: MaibotReceipt[] = [];
  readonly #log: MaibotLogLine[] = [];
  readonly #sent: MessageBase[] = [];
  /** Ids that an echo may name. */
  readonly #sentIds: string[] = [];
  readonly #unread: Inbox<MaibotReceipt>;
  readonly #echoes: Inbox<Echo>;
  readonly #arrivals = new Inbox<string>(0);
  /** Each ends one wait early. */
  readonly #wakers = new Set<() => void>();
  /** What has come in while paused. */
  #held: (() => void)[] | null = null;
  #delay: number;

  /**
   * Creates a fake; nothing listens yet.
   *
   * @param options What it answers, and whom it lets in.
   * @throws {TypeError} If an option is of the wrong kind; the text names it.
   * @throws {RangeError} If an option is out of range; the text names it.
   */
  constructor(options: FakeMaiBotOptions = {}) {
    checkOptions(options);
    const { answers = [], delay = 0, tokens = [], path = "/ws", keep = 10_000, closeTimeout = 2000 } = options;
    const { version = "1.3.15", account = DEFAULT_ACCOUNT, accounts, nickname = "麦麦", policy = null } = options;
    const everywhere = strip(account); // as MaiBot reads what names it
    this.#asked = { version, accountOn: accounts === undefined ? () => everywhere : readAccounts(accounts) };
    this.#script = new Script({ answers, nickname, policy, asked: this.#asked });
    this.#delay = delay;
    this.#keep = keep;
    this.#unread = new Inbox(keep);
    this.#echoes = new Inbox(keep);
    this.#connections = new Connections(
      { path: new URL(path, "http://localhost").pathname, tokens: new Set(tokens), closeTimeout },
      this.#connectionsEvents,
    );
  }

  /** Platforms that can be talked to now. */
  get platforms(): readonly string[] {
    return this.#connections.platforms;
  }

  /** All that came, oldest first. */
  get receipts(): readonly MaibotReceipt[] {
    return [...this.#receipts];
  }

  /** All that went out, oldest first. */
  get sent(): readonly MessageBase[] {
    return [...this.#sent];
  }

  /** What MaiBot would have logged, oldest first. */
  get log(): readonly MaibotLogLine[] {
    return [...this.#log];
  }

  /**
   * Adds a handler.
   *
   * @param event Name of the event.
   * @param handler Called with what the event tells; a throw or rejection becomes an `error` event.
   * @param options A signal that removes it.
   * @returns Removes the handler; calling it twice is harmless.
   */
  on<Name extends keyof FakeMaiBotEvents>(
    event: Name,
    handler: (...args: FakeMaiBotEvents[Name]) => HandlerResult,
    options?: ListenOptions,
  ): () => void {
    return this.#emitter.on(event, handler, options);
  }

  /**
   * Binds a port, at once.
   *
   * @param options Address and port.
   * @returns The URL an adapter dials.
   * @throws {MessageConnectionError} `closed` If it is closed, or listens already.
   * @throws {Error} What the runtime throws, as `EADDRINUSE` for a taken port.
   */
  listen({ hostname = "127.0.0.1", port = 8000 }: FakeMaiBotListenOptions = {}): string {
    checkAddress({ hostname, port });
    return this.#connections.listen({ hostname, port });
  }

  /**
   * Takes the next ordinary message, accepted or not, that no earlier call has taken; custom messages are not among
   * them.
   *
   * @param isMatch Leaves others for later calls.
   * @param options How long to wait.
   * @returns The message and what MaiBot would have made of it.
   * @throws {MessageConnectionError} `timeout` when none comes, `closed` when it is closed.
   *
   * @example Why a message would be dropped
   * ```ts
   * import { MessageClient, seg } from "@maim/message";
   * import { FakeMaiBot } from "@maim/message/maibot/fake";
   *
   * await using bot = new FakeMaiBot();
   * await using adapter = new MessageClient(bot.listen({ port: 0 }), { platform: "qq" });
   * await adapter.connect();
   * adapter.send({ message_info: { platform: "qq" }, message_segment: seg.text("no user, no time") });
   * const { log } = await bot.received();
   * console.log(log?.text.startsWith("预处理消息失败")); // true
   * ```
   */
  received(
    isMatch: (receipt: MaibotReceipt) => boolean = () => true,
    options?: MaibotWaitOptions,
  ): Promise<MaibotReceipt> {
    const describe = (left: readonly MaibotReceipt[]) => {
      const lost = left.findLast(({ kind, isAccepted }) => kind === "message" && !isAccepted);
      const issue = lost?.issues.find(({ level }) => level === "drop");
      const why = issue === undefined ? "" : `, and one that MaiBot drops for ${issue.path}`;
      return `Cannot wait for a message as one that fits must come in time: received ${left.length} others${why}`;
    };
    return this.#unread.take((receipt) => receipt.kind === "message" && isMatch(receipt), describe, options);
  }

  /**
   * Takes the next custom message of a name that no earlier call has taken.
   *
   * @param name The `message_type_name`.
   * @param options How long to wait.
   * @returns The whole envelope, as it came.
   * @throws {MessageConnectionError} `timeout` when none comes, `closed` when it is closed.
   */
  async receivedCustom(name: string, options?: MaibotWaitOptions): Promise<Readonly<Record<string, unknown>>> {
    const { value } = await this.#unread.take(
      ({ kind, value }) => kind === "custom" && customName(value) === name,
      () => `Cannot wait for a custom message as one named "${name}" must come in time: received none`,
      options,
    );
    return value as Fields; // customName has seen an object
  }

  /**
   * Waits until an adapter has told under which id it delivered a message: the `message_id_echo`.
   *
   * @param message What {@linkcode FakeMaiBot.say} returned, or its `message_id`.
   * @param options How long to wait.
   * @returns The id on the platform.
   * @throws {MessageConnectionError} `timeout` when none comes, `closed` when it is closed.
   */
  async echoed(message: MessageBase | string, options?: MaibotWaitOptions): Promise<string> {
    const id = typeof message === "string" ? message : message.message_info.message_id;
    const { actualId } = await this.#echoes.take(
      (echo) => echo.id === id,
      (left) => `Cannot wait for an echo as one of "${id}" must come in time: received ${left.length} of others`,
      options,
    );
    return actualId;
  }

  /**
   * Waits until a platform is connected; at once when it is.
   *
   * @param platform The name in the handshake.
   * @param options How long to wait.
   * @throws {MessageConnectionError} `timeout` when nobody comes, `closed` when it is closed.
   */
  async connected(platform: string, options?: MaibotWaitOptions): Promise<void> {
    if (this.platforms.includes(platform)) return;
    await this.#arrivals.take(
      (name) => name === platform,
      () => `Cannot wait for a connection as platform "${platform}" must come in time: received nobody`,
      options,
    );
  }

  /**
   * Says something of its own accord, in the shape MaiBot sends: the bot is the author, the recipient stands in
   * `group_info`, `receiver_info` and `additional_config`.
   *
   * @param content A text, a segment, or several.
   * @param to A group or a user, or the message to answer.
   * @returns The message as it was sent.
   * @throws {MessageConnectionError} `no_route` If nobody is connected under that platform, MaiBot has no account there,
   * its policy keeps the chat out, or the message to answer names an account that is not the bot's.
   * @throws {TypeError} If there is nobody to address.
   *
   * @example To a group
   * ```ts
   * import { FakeMaiBot } from "@maim/message/maibot/fake";
   *
   * await using bot = new FakeMaiBot();
   * bot.listen({ port: 0 });
   * try {
   *   bot.say("大家好", { platform: "qq", group: "987" });
   * } catch (error) {
   *   console.log((error as Error).name); // MessageConnectionError: nobody is connected
   * }
   * ```
   */
  say(content: SayContent, to: MessageBase | SayTarget): MessageBase {
    const target = this.#script.target(to);
    const obstacle = this.#script.sendObstacle(target);
    if (obstacle !== null) this.#noRoute(target.platform, obstacle);
    const message = this.#script.compose(content, target);
    if (!this.#deliver(message)) this.#noRoute(message.message_info.platform);
    return message;
  }

  /**
   * Sends any JSON to a platform, as it is: a custom message, or what only another MaiBot would send.
   *
   * @param value The value.
   * @param platform The target.
   * @throws {MessageConnectionError} `no_route` If nobody is connected under that platform.
   */
  send(value: unknown, platform: string): void {
    if (!this.#connections.send(platform, JSON.stringify(value))) this.#noRoute(platform);
  }

  // ---- faults

  /**
   * Turns connections out as if their platform had connected once more: 1000 `新的连接已建立`.
   *
   * @param platform Only the connections of this one.
   */
  kick(platform?: string): void {
    this.#connections.kick(platform);
  }

  /**
   * Closes connections with any code.
   *
   * @param options Code, reason, and whose.
   * @throws {RangeError} If a close frame can not carry the code, or the reason takes more than 123 bytes.
   */
  disconnect({ code = 1012, reason = "", platform }: DisconnectOptions = {}): void {
    checkClose({ code, reason });
    this.#connections.disconnect({ code, reason }, platform);
  }

  /**
   * Drops connections without a close frame, so that the other side sees 1006.
   *
   * Bun ends the TCP connection. Deno can not: it sends a close frame with the illegal code 1006 instead, upon which the
   * other side fails the connection by itself.
   *
   * @param platform Only the connections of this one.
   */
  cut(platform?: string): void {
    this.#connections.cut(platform);
  }

  /**
   * Stops taking notice of what comes in, on every connection there is and will be, until {@linkcode FakeMaiBot.resume}.
   *
   * The runtime goes on reading and answering pings; neither Deno nor Bun can be told to leave bytes in the kernel. For
   * a MaiBot that is really frozen start the program `maibot/main.ts` and send it SIGSTOP.
   */
  pause(): void {
    this.#held ??= [];
  }

  /** Takes notice again, first of all that came while paused. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const read of held) read();
  }

  /**
   * Changes the time before each answer.
   *
   * @param ms Milliseconds.
   * @throws {RangeError} If it is negative.
   */
  delayAnswers(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`Cannot delay answers as 'ms' must be at least 0: received ${ms}`);
    this.#delay = ms;
  }

  /**
   * Restarts as MaiBot's process does: every connection is closed with 1012, the port is free for a while, then taken
   * again.
   *
   * @param options How long the port is free.
   * @returns Resolves when it listens again.
   * @throws {MessageConnectionError} `not_open` If it does not listen.
   */
  restart({ downtime = 0 }: RestartOptions = {}): Promise<void> {
    return this.#connections.restart(() => this.#sleep(downtime));
  }

  /**
   * Closes every connection with 1000 `服务器关闭`, then the port; whoever waits is told. Bounded by `closeTimeout`;
   * calling it twice is harmless.
   *
   * @returns Resolves when everything is closed, or given up on.
   */
  close(): Promise<void> {
    const done = this.#connections.close();
    for (const wake of this.#wakers) wake();
    for (const inbox of [this.#unread, this.#echoes, this.#arrivals]) inbox.close();
    return done;
  }

  /** Calls {@linkcode FakeMaiBot.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #connectionsEvents = {
    opened: (platform: string): void => {
      this.#arrivals.push(platform);
      this.#emitter.emit("open", platform);
    },
    frame: (text: string | null, connection: Connection): void => {
      if (this.#held === null) this.#read(text, connection);
      else this.#held.push(() => this.#read(text, connection));
    },
    closed: (platform: string, end: FakeMaiBotEnd): void => {
      this.#script.forgetLoops(platform);
      this.#note(LINES.disconnected(platform));
      this.#emitter.emit("close", platform, end);
    },
    log: (line: MaibotLogLine): void => this.#note(line),
  };

  #note(line: MaibotLogLine): void {
    remember(this.#log, line, this.#keep);
    this.#emitter.emit("log", line);
  }

  /** Waits, at most until it is closed. */
  #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      runtime.cancel(timer);
      this.#wakers.delete(wake);
      resolve();
    };
    const timer = runtime.after(ms, wake);
    this.#wakers.add(wake);
    if (this.#connections.isClosed) wake();
    return promise;
  }

  /** Never throws: what a frame sets off is told by the event `error`, and the next frame is read. */
  #read(text: string | null, connection: Connection): void {
    try {
      if (!this.#deaf.has(connection)) this.#take(text, connection);
    } catch (error) {
      this.#emitter.fail(error);
    }
  }

  #take(text: string | null, connection: Connection): void {
    const receipt = readFrame(text, connection.platform, {
      asked: this.#asked,
      isLetIn: (message) => this.#script.isLetIn(message),
      hasSent: (id) => this.#sentIds.includes(id),
    });
    if (text === null) {
      // Source: maim_message 0.6.8 on starlette 0.46: the reader ends, the socket stays and answers pings.
      this.#deaf.add(connection);
      this.#connections.unroute(connection);
    } else if (receipt.kind !== "broken") {
      // Source: maim_message 0.6.8, ws_connection.py: whoever talks has the name.
      this.#connections.claim(connection);
    }
    this.#keepReceipt(receipt);
    if (receipt.isAccepted && receipt.message !== null) void this.#answer(receipt.message, receipt); // never rejects
  }

  #keepReceipt(receipt: MaibotReceipt): void {
    remember(this.#receipts, receipt, this.#keep);
    if (receipt.log !== null) this.#note(receipt.log);
    this.#emitter.emit("received", receipt);
    this.#unread.push(receipt);
    const echo = readEcho(receipt.value);
    if (echo !== null) this.#echoes.push(echo);
  }

  async #answer(message: MessageBase, receipt: MaibotReceipt): Promise<void> {
    try {
      for (const line of remarks(receipt, this.#asked)) this.#note(line);
      const to = this.#script.destinationOf(message);
      const answer = await this.#think(message, to, receipt.issues);
      if (answer === null || answer === undefined) return;
      if (this.#delay > 0) await this.#sleep(this.#delay);
      if (this.#connections.isClosed) return;
      const obstacle = this.#script.sendObstacle(to);
      if (obstacle !== null) return this.#note(obstacle);
      const said = this.#script.compose(answer, to);
      if (!this.#deliver(said)) this.#note(LINES.noTarget(to.platform));
    } catch (error) {
      this.#emitter.fail(error);
    }
  }

  /** What MaiBot comes up with; nothing where it opens no chat, and where it can not say what it thought. */
  async #think(message: MessageBase, to: Destination, issues: readonly MaibotIssue[]): Promise<MaibotAnswer | void> {
    const command = this.#asked.version === "1.2.1" ? null : commandIn(message.message_segment);
    if (command !== null) return REFUSALS[command];
    const obstacle = issues.some(({ rule }) => NO_CHAT.has(rule)) ? LINES.noChat() : this.#script.chatObstacle(to);
    if (obstacle !== null && this.#asked.version !== "1.2.1") return this.#note(obstacle);
    const itself = this.#script.talksToItself(message, to);
    if (itself === "filtered") return;
    if (itself === "endless") throw new LoopError();
    const answer = await this.#script.next(message);
    if (answer === null || answer === undefined || !this.#script.lacksAccount(to)) return answer;
    this.#note(LINES.noAccount());
  }

  /** Sends a message to its platform; returns whether somebody is there. */
  #deliver(message: MessageBase): boolean {
    const { platform } = message.message_info;
    const isSent = this.#connections.send(platform, JSON.stringify(message));
    if (isSent) {
      remember(this.#sent, message, this.#keep);
      remember(this.#sentIds, message.message_info.message_id ?? "", 10_000);
      this.#emitter.emit("sent", message);
    }
    return isSent;
  }

  #noRoute(platform: string, obstacle: MaibotLogLine | null = null): never {
    this.#note(obstacle ?? LINES.noTarget(platform));
    if (obstacle !== null) throw new MessageConnectionError("no_route", `Cannot send message: ${obstacle.text}`);
    const connected = this.platforms.map((name) => `"${shorten(name)}"`).join(", ") || "nobody";
    const issue = `platform "${shorten(platform)}" must be connected: connected is ${connected}`;
    throw new MessageConnectionError("no_route", `Cannot send message as ${issue}`);
  }
}
