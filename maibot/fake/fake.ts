import { runtime } from "../../runtime/mod.ts";
import type { MessageBase } from "../../schema/types.ts";
import { checkAddress } from "../../util/address.ts";
import { checkClose } from "../../util/close_codes.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";
import { Emitter, type HandlerResult, type ListenOptions } from "../../util/emitter.ts";
import { customName, type Echo, readEcho } from "../custom_frame.ts";
import type { MaibotIssue } from "../issues.ts";
import type { Fields } from "../python/values.ts";
import { builtInCommand } from "../segments.ts";
import { shorten } from "../shorten.ts";
import { Bot } from "./bot.ts";
import type { SayContent } from "./bot_message.ts";
import type { Destination, SayTarget } from "./destination.ts";
import type { FakeMaiBotEnd, FakeMaiBotEvents, MaibotReceipt } from "./events.ts";
import { Inbox, type MaibotWaitOptions, pushLimited } from "./inbox.ts";
import { LOG, type MaibotLogLine } from "./log.ts";
import type {
  DisconnectOptions,
  FakeMaiBotListenOptions,
  FakeMaiBotOptions,
  MaibotAnswer,
  RestartOptions,
} from "./options.ts";
import type { Peer } from "./peer.ts";
import { Peers } from "./peers.ts";
import { acceptanceLog, readFrame } from "./receipt.ts";
import { type FakeMaiBotSettings, resolveOptions } from "./settings.ts";

/**
 * The events as a mapped type. {@linkcode Emitter} does not accept an interface, because an interface has no index
 * signature.
 */
type Events = { [Name in keyof FakeMaiBotEvents]: FakeMaiBotEvents[Name] };

/** Maximum number of ids of sent messages that are kept. An echo is accepted only if it names one of these ids. */
const MAX_SENT_IDS = 10_000;

/** Answers of MaiBot 1.3.15 to its built-in commands, if the user is not permitted to use them. */
const COMMAND_REFUSALS: Readonly<Record<string, string>> = {
  "/clear": "你没有权限使用此命令。",
  "/offline": "你没有权限使用适配器管理命令。",
  "/online": "你没有权限使用适配器管理命令。",
};

/**
 * A simulated MaiBot. It answers messages as its options say, and reports what MaiBot would do with each message.
 *
 * The fake simulates MaiBot 1.3.15, unless the option `version` names another version. In 1.3.15 a message that does
 * not name the bot's account is accepted, but never answered.
 *
 * The connections behave as in maim_message 0.6.8. A new connection of a platform closes the previous connection of
 * this platform. A connection with a wrong token is accepted, and then closed with 1008 `无效的令牌`. An adapter without a
 * platform gets no answers. Text that is not JSON is skipped. After a binary frame, MaiBot does not read any more
 * frames from the connection. The protocol extensions of this library are not supported.
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
  readonly #settings: FakeMaiBotSettings;
  readonly #bot: Bot;
  readonly #peers: Peers;
  readonly #emitter = new Emitter<Events>();
  /** Peers whose frames MaiBot does not read any more, because they sent a binary frame. */
  readonly #unreadPeers = new WeakSet<Peer>();
  readonly #receipts: MaibotReceipt[] = [];
  readonly #logLines: MaibotLogLine[] = [];
  readonly #sent: MessageBase[] = [];
  /** Ids of the messages that were sent, oldest first. */
  readonly #sentIds: string[] = [];
  readonly #receiptInbox: Inbox<MaibotReceipt>;
  readonly #echoInbox: Inbox<Echo>;
  /**
   * The calls that wait until a platform connects. The size is 0, because a platform without such a call is not kept.
   */
  readonly #platformInbox = new Inbox<string>(0);
  /** Functions that wake a `#sleep` early, one for each `#sleep`. */
  readonly #wakeFunctions = new Set<() => void>();
  /**
   * The frames that were received while paused, each stored as a function that reads the frame. `null` while not
   * paused.
   */
  #pausedReads: (() => void)[] | null = null;
  /** Time before each answer, in milliseconds. */
  #delay: number;

  /**
   * Creates a fake. The fake does not listen until {@linkcode FakeMaiBot.listen} is called.
   *
   * @param options The version of MaiBot, its answers, and its configuration.
   * @throws {TypeError} If an option is of the wrong type. The text names the option.
   * @throws {RangeError} If an option is out of range. The text names the option.
   */
  constructor(options: FakeMaiBotOptions = {}) {
    const settings = resolveOptions(options);
    this.#settings = settings;
    this.#bot = new Bot(settings);
    this.#delay = settings.delay;
    this.#receiptInbox = new Inbox(settings.keep);
    this.#echoInbox = new Inbox(settings.keep);
    this.#peers = new Peers(settings.peers, this.#peersEvents);
  }

  /** The platforms that are connected. */
  get platforms(): readonly string[] {
    return this.#peers.platforms;
  }

  /** The frames that were received, oldest first. At most `keep` frames are kept; the oldest are removed. */
  get receipts(): readonly MaibotReceipt[] {
    return [...this.#receipts];
  }

  /** The messages that were sent, oldest first. At most `keep` messages are kept; the oldest are removed. */
  get sent(): readonly MessageBase[] {
    return [...this.#sent];
  }

  /** The lines that MaiBot would have logged, oldest first. At most `keep` lines are kept; the oldest are removed. */
  get log(): readonly MaibotLogLine[] {
    return [...this.#logLines];
  }

  /**
   * Adds an event handler.
   *
   * @param event Name of the event.
   * @param handler Called with the arguments of the event. If it throws or rejects, the event `error` is emitted.
   * @param options A signal that removes the handler.
   * @returns A function that removes the handler. This function may be called more than once.
   */
  on<Name extends keyof FakeMaiBotEvents>(
    event: Name,
    handler: (...args: FakeMaiBotEvents[Name]) => HandlerResult,
    options?: ListenOptions,
  ): () => void {
    return this.#emitter.on(event, handler, options);
  }

  /**
   * Starts to listen.
   *
   * @param options Address and port.
   * @returns The URL that adapters connect to.
   * @throws {MessageConnectionError} `closed` if the fake is closed, or if it listens already.
   * @throws {Error} The runtime's own error if it cannot listen, such as `EADDRINUSE` for a port in use.
   */
  listen({ hostname = "127.0.0.1", port = 8000 }: FakeMaiBotListenOptions = {}): string {
    checkAddress({ hostname, port });
    return this.#peers.listen({ hostname, port });
  }

  /**
   * Takes the next ordinary message, or waits for one. It may be a message that MaiBot would drop. Each message is
   * taken only once.
   *
   * @param isMatch Returns true for the message to take. Other messages are left for later calls. The default takes any
   * message.
   * @param options How long to wait.
   * @returns The message, and what MaiBot would do with it.
   * @throws {MessageConnectionError} `timeout` if no such message came in time, `closed` if the fake is closed.
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
    return this.#receiptInbox.next((receipt) => receipt.kind === "message" && isMatch(receipt), (left) => {
      const dropped = left.findLast(({ kind, isAccepted }) => kind === "message" && !isAccepted);
      const issue = dropped?.issues.find(({ level }) => level === "drop");
      const reason = issue === undefined ? "" : `; MaiBot drops one of them because of ${issue.path}`;
      return `No message that matches came in time; ${left.length} other frames came${reason}`;
    }, options);
  }

  /**
   * Takes the next custom message with a given name, or waits for one. Each message is taken only once.
   *
   * @param name The `message_type_name`.
   * @param options How long to wait.
   * @returns The whole custom message.
   * @throws {MessageConnectionError} `timeout` if no such message came in time, `closed` if the fake is closed.
   */
  async receivedCustom(name: string, options?: MaibotWaitOptions): Promise<Readonly<Record<string, unknown>>> {
    const { value } = await this.#receiptInbox.next(
      ({ kind, value }) => kind === "custom" && customName(value) === name,
      () => `No custom message "${shorten(name)}" came in time`,
      options,
    );
    return value as Fields; // customName() has checked that the value is an object
  }

  /**
   * Waits for the `message_id_echo` of a message. With this echo, the adapter tells MaiBot the id that the platform
   * gave to the message.
   *
   * @param message A message that {@linkcode FakeMaiBot.say} returned, or its `message_id`.
   * @param options How long to wait.
   * @returns The id that the platform gave to the message.
   * @throws {MessageConnectionError} `timeout` if no echo came in time, `closed` if the fake is closed.
   */
  async echoed(message: MessageBase | string, options?: MaibotWaitOptions): Promise<string> {
    const id = typeof message === "string" ? message : message.message_info.message_id;
    const { actualId } = await this.#echoInbox.next(
      (echo) => echo.id === id,
      (left) => `No echo of "${id}" came in time; ${left.length} echoes of other messages came`,
      options,
    );
    return actualId;
  }

  /**
   * Waits until the adapter of a platform is connected. Resolves at once if it is connected already.
   *
   * @param platform The platform.
   * @param options How long to wait.
   * @throws {MessageConnectionError} `timeout` if the adapter did not connect in time, `closed` if the fake is closed.
   */
  async connected(platform: string, options?: MaibotWaitOptions): Promise<void> {
    if (this.platforms.includes(platform)) return;
    await this.#platformInbox.next(
      (name) => name === platform,
      () => `No adapter of platform "${shorten(platform)}" connected in time`,
      options,
    );
  }

  /**
   * Sends a message in the form in which MaiBot sends it: the author is the bot, and the recipient is written in
   * `group_info`, `receiver_info` and `additional_config`.
   *
   * @param content A text, a segment, or a list of segments.
   * @param to The recipient: a group or a user, or a message that is answered.
   * @returns The message that was sent.
   * @throws {MessageConnectionError} `no_route` if the platform is not connected, if MaiBot has no account on the
   * platform, if MaiBot's policy does not allow the chat, or if the message that is answered names an account other
   * than the bot's.
   * @throws {TypeError} If `to` names no recipient.
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
   *   console.log((error as Error).name); // MessageConnectionError, as no adapter is connected
   * }
   * ```
   */
  say(content: SayContent, to: MessageBase | SayTarget): MessageBase {
    const destination = this.#bot.resolveTarget(to);
    const refusal = this.#bot.sendRefusal(destination);
    if (refusal !== null) {
      this.#writeLog(refusal);
      const advice = "check the options account, accounts and policy";
      throw new MessageConnectionError("no_route", `MaiBot does not send the message (${refusal.text}); ${advice}`);
    }
    const message = this.#bot.createMessage(content, destination);
    if (!this.#sendMessage(message)) this.#throwNotConnected(message.message_info.platform);
    return message;
  }

  /**
   * Sends any JSON value to a platform, such as a custom message.
   *
   * @param value The JSON value.
   * @param platform The platform.
   * @throws {MessageConnectionError} `no_route` if the platform is not connected.
   */
  send(value: unknown, platform: string): void {
    if (!this.#peers.send(platform, JSON.stringify(value))) this.#throwNotConnected(platform);
  }

  // ---- faults

  /**
   * Closes connections as if their platform had connected again, with 1000 `新的连接已建立`.
   *
   * @param platform Closes only the connections of this platform. The default is all platforms.
   */
  kick(platform?: string): void {
    this.#peers.kick(platform);
  }

  /**
   * Closes connections with the given code and reason.
   *
   * @param options Code, reason and platform.
   * @throws {RangeError} If the code is not allowed in a close frame, or the reason takes more than 123 bytes.
   */
  disconnect({ code = 1012, reason = "", platform }: DisconnectOptions = {}): void {
    checkClose({ code, reason });
    this.#peers.disconnect({ code, reason }, platform);
  }

  /**
   * Ends connections without a close frame. The adapter sees close code 1006.
   *
   * Bun ends the TCP connection. Deno cannot do this: it sends a close frame with the code 1006. This code is not
   * allowed in a close frame, so the adapter itself then ends the connection because of the error.
   *
   * @param platform Ends only the connections of this platform. The default is all platforms.
   */
  cut(platform?: string): void {
    this.#peers.cut(platform);
  }

  /**
   * Stops handling the frames of all connections until {@linkcode FakeMaiBot.resume} is called. Connections that are
   * opened meanwhile are paused too.
   *
   * The runtime still reads the frames and answers pings, because Deno and Bun cannot stop reading from a socket. To
   * test with a MaiBot whose process is frozen, start the program `maibot/main.ts` and send SIGSTOP to it.
   */
  pause(): void {
    this.#pausedReads ??= [];
  }

  /** Ends the pause: handles the frames that were received meanwhile, in their order, and then all later frames. */
  resume(): void {
    const reads = this.#pausedReads ?? [];
    this.#pausedReads = null;
    for (const read of reads) read();
  }

  /**
   * Sets the time that the fake waits before it sends each answer.
   *
   * @param ms The time in milliseconds.
   * @throws {RangeError} If the time is negative or `NaN`.
   */
  delayAnswers(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`'ms' must be at least 0; received ${ms}`);
    this.#delay = ms;
  }

  /**
   * Simulates a restart of MaiBot's process: closes every connection with 1012, stops listening, and then listens again
   * on the same port.
   *
   * @param options How long the fake does not listen.
   * @returns Resolves when the fake listens again.
   * @throws {MessageConnectionError} `not_open` if the fake does not listen when this method is called.
   */
  restart({ downtime = 0 }: RestartOptions = {}): Promise<void> {
    return this.#peers.restart(() => this.#sleep(downtime));
  }

  /**
   * Closes every connection with 1000 `服务器关闭`, and stops listening. Calls that wait for a message, an echo or an
   * adapter reject with `closed`. The fake waits at most the option `closeTimeout` for adapters to close their
   * connections. This method may be called more than once.
   *
   * @returns Resolves when everything is closed, or when `closeTimeout` has passed.
   */
  close(): Promise<void> {
    const done = this.#peers.close();
    for (const wake of this.#wakeFunctions) wake();
    for (const inbox of [this.#receiptInbox, this.#echoInbox, this.#platformInbox]) inbox.close();
    return done;
  }

  /** Calls {@linkcode FakeMaiBot.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #peersEvents = {
    opened: (platform: string): void => {
      this.#platformInbox.push(platform);
      this.#emitter.emit("open", platform);
    },
    frame: (text: string | null, peer: Peer): void => {
      if (this.#pausedReads === null) this.#read(text, peer);
      else this.#pausedReads.push(() => this.#read(text, peer));
    },
    closed: (platform: string, end: FakeMaiBotEnd): void => {
      this.#bot.disconnected(platform);
      this.#writeLog(LOG.disconnected(platform));
      this.#emitter.emit("close", platform, end);
    },
    log: (line: MaibotLogLine): void => this.#writeLog(line),
  };

  #writeLog(line: MaibotLogLine): void {
    pushLimited(this.#logLines, line, this.#settings.keep);
    this.#emitter.emit("log", line);
  }

  /** Waits for a time. If the fake is closed before, the wait ends then. */
  #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      runtime.cancel(timer);
      this.#wakeFunctions.delete(wake);
      resolve();
    };
    const timer = runtime.after(ms, wake);
    this.#wakeFunctions.add(wake);
    if (this.#peers.isClosed) wake();
    return promise;
  }

  /** Reads one frame. Never throws: after a failure, the event `error` is emitted, and the next frame can be read. */
  #read(text: string | null, peer: Peer): void {
    try {
      if (!this.#unreadPeers.has(peer)) this.#handle(text, peer);
    } catch (error) {
      this.#emitter.fail(error);
    }
  }

  #handle(text: string | null, peer: Peer): void {
    const receipt = readFrame(text, peer.platform, {
      setup: this.#settings.setup,
      isChatAllowed: (message) => this.#bot.isChatAllowed(message),
      hasSent: (id) => this.#sentIds.includes(id),
    });
    if (text === null) {
      // The task that reads the socket ends. The socket stays open, and still answers pings.
      // Source: maim_message 0.6.8 with starlette 0.46.
      this.#unreadPeers.add(peer);
      this.#peers.unroute(peer);
    } else if (receipt.kind !== "broken") {
      // MaiBot sends a platform's messages to the connection of this platform that sent the last message.
      // Source: maim_message 0.6.8, ws_connection.py.
      this.#peers.routeTo(peer);
    }
    this.#addReceipt(receipt);
    if (receipt.isAccepted && receipt.message !== null) void this.#answer(receipt.message, receipt); // never rejects
  }

  #addReceipt(receipt: MaibotReceipt): void {
    pushLimited(this.#receipts, receipt, this.#settings.keep);
    if (receipt.log !== null) this.#writeLog(receipt.log);
    this.#emitter.emit("received", receipt);
    this.#receiptInbox.push(receipt);
    const echo = readEcho(receipt.value);
    if (echo !== null) this.#echoInbox.push(echo);
  }

  async #answer(message: MessageBase, receipt: MaibotReceipt): Promise<void> {
    try {
      for (const line of acceptanceLog(receipt, this.#settings.setup)) this.#writeLog(line);
      const to = this.#bot.receive(message);
      const answer = await this.#findAnswer(message, to, receipt.issues);
      if (answer === null || answer === undefined) return;
      if (this.#delay > 0) await this.#sleep(this.#delay);
      if (this.#peers.isClosed) return;
      const refusal = this.#bot.sendRefusal(to);
      if (refusal !== null) return this.#writeLog(refusal);
      const isSent = this.#sendMessage(this.#bot.createMessage(answer, to));
      if (!isSent) this.#writeLog(LOG.platformNotConnected(to.platform));
    } catch (error) {
      this.#emitter.fail(error);
    }
  }

  /**
   * Returns the answer to a message. Returns nothing if there is none, if MaiBot opens no chat, or if it loses the
   * answer.
   */
  async #findAnswer(message: MessageBase, to: Destination, issues: readonly MaibotIssue[]): Promise<MaibotAnswer> {
    const isOlder = this.#settings.setup.version === "1.2.1";
    const command = isOlder ? null : builtInCommand(message.message_segment);
    if (command !== null) return COMMAND_REFUSALS[command];
    const refusal = this.#bot.chatRefusal(to, issues);
    if (refusal !== null) {
      this.#writeLog(refusal);
      return null;
    }
    if (!this.#bot.mayAnswer(message, to)) return null;
    const answer = await this.#bot.nextAnswer(message);
    if (answer === null || answer === undefined) return null;
    // The cast is needed when a user's program is type-checked without strictNullChecks: then the comparison with
    // undefined does not remove `void` from the type of `answer`.
    if (!this.#bot.losesAnswer(to)) return answer as MaibotAnswer;
    this.#writeLog(LOG.accountMissing());
    return null;
  }

  /** Sends a message to its platform. Returns false if the platform is not connected. */
  #sendMessage(message: MessageBase): boolean {
    const { platform, message_id } = message.message_info;
    const isSent = this.#peers.send(platform, JSON.stringify(message));
    if (isSent) {
      pushLimited(this.#sent, message, this.#settings.keep);
      pushLimited(this.#sentIds, message_id ?? "", MAX_SENT_IDS);
      this.#emitter.emit("sent", message);
    }
    return isSent;
  }

  #throwNotConnected(platform: string): never {
    this.#writeLog(LOG.platformNotConnected(platform));
    const connected = this.platforms.map((name) => `"${shorten(name)}"`).join(", ") || "none";
    throw new MessageConnectionError(
      "no_route",
      `Platform "${shorten(platform)}" is not connected; connected platforms: ${connected}`,
    );
  }
}
