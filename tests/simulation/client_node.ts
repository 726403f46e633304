import { MessageClient } from "../../client.ts";
import { FLAVOURS } from "./flavour.ts";
import { isReply, newContent, newMessage, numberOf } from "./messages.ts";
import { MOST_IN_DOUBT, type Oracle } from "./oracle.ts";
import { Process } from "./process.ts";
import type { ClientSpec } from "./scenario_types.ts";
import { sim } from "./simulation.ts";
import type { World } from "./world.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";
import type { WireMessage } from "../../schema/types.ts";

/** Milliseconds by which `close()` may be late. */
const SLACK = 100;
const REPLY_SIZE = 20;
/** Bytes of the largest message of a run, and more. */
const LARGEST = 20_000;

/** One life of a client: a process with a `MessageClient`. */
export class ClientNode {
  readonly spec: ClientSpec;
  readonly process: Process;
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #client: MessageClient;
  /** Calls that have not come to an end. */
  readonly #pending = new Set<string>();
  #received = 0;
  #dropSends: number;
  isClosed = false;

  /** Runs in a turn of its process. */
  constructor(world: World, spec: ClientSpec, process: Process, url: string) {
    this.spec = spec;
    this.process = process;
    this.#world = world;
    this.#oracle = world.oracle;
    this.#dropSends = spec.handlers.sendsOnDrop ?? 0;
    const { platform, token, options } = spec;
    this.#client = new MessageClient(url, { platform, ...(token === undefined ? {} : { token }), ...options });
    this.#listen();
    this.#track("connect", this.#client.connect({ retry: true }));
  }

  static newProcess(name: string, spec: ClientSpec): Process {
    return new Process(name, FLAVOURS[spec.flavour]);
  }

  get name(): string {
    return this.process.name;
  }

  get pending(): readonly string[] {
    return [...this.#pending];
  }

  get state(): string {
    return this.#client.status.state;
  }

  #listen(): void {
    const client = this.#client;
    const { handlers } = this.spec;
    client.on("message", (message) => this.#received_(message));
    client.on("custom", (message) => this.#received_(message));
    client.on("drop", ({ message, reason }) => {
      this.#world.reported();
      this.#oracle.dropped(numberOf(message), null, reason);
      if (this.#dropSends-- > 0) this.send(1, REPLY_SIZE, "send");
    });
    client.on("status", (status) => {
      sim.log(this.name, () => `status ${status.state}`);
      if (status.state === "waiting") this.#world.reconnected();
      if (handlers.sendsOnStatus) this.send(1, REPLY_SIZE, "send");
    });
    client.on("invalid", (error) => sim.log(this.name, () => `invalid ${error.message}`));
    client.on("error", (error) => this.#failed(error));
  }

  /** A careless handler failed. After `close()` this is no news: a message that comes in then cannot be answered. */
  #failed(error: unknown): void {
    const isOwn = this.spec.handlers.isCareless && error instanceof MessageConnectionError;
    if (!isOwn) this.#oracle.broken("uncaught", `${this.name}: error event: ${error}`);
    else if (this.isClosed) this.#oracle.broken("afterClose", `${this.name}: error event after close(): ${error}`);
  }

  #received_(message: WireMessage): void {
    this.#received++;
    this.#oracle.handled(numberOf(message), this.#oracle.delivering, false);
    const { replies, closesAt } = this.spec.handlers;
    if (closesAt === this.#received) void this.close();
    if (replies && !isReply(message)) this.send(1, REPLY_SIZE, "send", true);
  }

  send(count: number, size: number, how: "send" | "custom", reply = false): void {
    const { platform } = this.spec;
    for (let index = 0; index < count; index++) {
      const number = this.#oracle.newNumber();
      const record = this.#oracle.begin(number, this.name, null);
      sim.log(this.name, () => `send ${number}`);
      try {
        if (how === "custom") this.#client.sendCustom("note", newContent(number, size, reply));
        else this.#client.send(newMessage(number, platform, size, reply));
      } catch (error) {
        record.wasThrown = true;
        sim.log(this.name, () => `threw ${error}`);
        if (!(error instanceof MessageConnectionError)) this.#oracle.broken("uncaught", `send threw ${error}`);
        if (reply && this.spec.handlers.isCareless) throw error;
      }
    }
    this.#checkOutbox();
  }

  #checkOutbox(): void {
    const { outbox } = this.spec.options;
    const { maxMessages = 1000, maxBytes = 16 * 2 ** 20 } = outbox || {};
    const { waiting, waitingBytes } = this.#client.stats;
    // One message more than the bound is taken, of any size.
    const isOver = waiting > Math.max(1, maxMessages) || (waiting > 1 && waitingBytes > maxBytes + LARGEST);
    const mayResend = outbox && outbox.inDoubt === "resend";
    if (mayResend ? waiting > MOST_IN_DOUBT : isOver) {
      this.#oracle.broken("outbox", `${waiting} messages, ${waitingBytes} bytes wait`);
    }
  }

  flush(): void {
    this.#track("flush", this.#client.flush());
  }

  async close(): Promise<void> {
    const { closeTimeout = 5000 } = this.spec.options;
    const [from, frozen] = [sim.now, this.process.frozenFor];
    this.isClosed = true;
    this.#oracle.closing(this.name);
    sim.log(this.name, () => "close()");
    const closed = this.#client.close();
    this.#track("close", closed);
    await closed;
    const took = sim.now - from - (this.process.frozenFor - frozen);
    sim.log(this.name, () => `closed after ${took}`);
    if (took > closeTimeout + SLACK) this.#oracle.broken("closeTime", `${this.name}: close() took ${took} ms`);
    const { size } = this.process.timers;
    if (size > 0) this.#oracle.broken("timers", `${this.name}: ${size} timers after close()`);
  }

  #track(what: string, promise: Promise<unknown>): void {
    const name = `${what} of ${this.name}, from ${sim.now}`;
    this.#pending.add(name);
    const done = () => void this.#pending.delete(name);
    promise.then(done, (error) => {
      done();
      sim.log(this.name, () => `${what}: ${error}`);
      if (!(error instanceof MessageConnectionError)) this.#oracle.broken("uncaught", `${name}: ${error}`);
    });
  }
}
