import { MessageServer } from "../../server.ts";
import type { Peer } from "../../server/events.ts";
import type { CustomMessage, MessageBase } from "../../schema/types.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";
import { FLAVOURS } from "./flavour.ts";
import { isReply, newContent, newMessage, numberOf } from "./messages.ts";
import type { Oracle } from "./oracle.ts";
import { Process } from "./process.ts";
import { RateCheck } from "./rate_check.ts";
import type { OurServerSpec } from "./scenario_types.ts";
import { ServerEnd } from "./server_socket.ts";
import { sim } from "./simulation.ts";
import type { ServerNode, World } from "./world.ts";

/** Milliseconds by which `close()` may be late: Deno waits a second for sockets that it cannot drop. */
const SLACK = 1200;
const REPLY_SIZE = 20;

function connectionOf({ address }: Peer): number {
  return Number(address.split(".")[3]);
}

/** One life of our own server. */
export class OurServer implements ServerNode {
  readonly process: Process;
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #spec: OurServerSpec;
  readonly #server: MessageServer;
  readonly #rate: RateCheck;
  readonly #forwarded = new Set<number>();
  #received = 0;
  #dropSends: number;
  #pendingClose = false;

  constructor(world: World, spec: OurServerSpec, process: Process, port: number) {
    this.process = process;
    this.#world = world;
    this.#oracle = world.oracle;
    this.#spec = spec;
    this.#dropSends = spec.handlers.sendsOnDrop ?? 0;
    this.#rate = new RateCheck(spec.options.limits?.messagesPerSecond ?? Infinity);
    this.#server = new MessageServer(spec.options);
    this.#listen();
    this.#server.listen({ port });
  }

  static newProcess(name: string, spec: OurServerSpec): Process {
    return new Process(name, FLAVOURS[spec.flavour]);
  }

  get pending(): readonly string[] {
    return this.#pendingClose ? [`close of ${this.process.name}`] : [];
  }

  #listen(): void {
    const server = this.#server;
    const { greets = 0 } = this.#spec.handlers;
    server.on("message", (message, peer) => this.#received_(message, peer));
    server.on("custom", (message, peer) => this.#received_(message, peer));
    server.on("open", (peer) => {
      for (let index = 0; index < greets; index++) this.#sendToPeer(peer, REPLY_SIZE, "peer", false);
    });
    server.on("close", (peer, { code, reason }) => {
      sim.log(this.process.name, () => `peer #${connectionOf(peer)} closed ${code} ${reason}`);
    });
    server.on("drop", ({ message, reason }, peer) => {
      this.#world.reported();
      this.#oracle.dropped(numberOf(message), connectionOf(peer), reason);
      if (this.#dropSends-- > 0) this.send(1, REPLY_SIZE, "send", peer.platform);
    });
    server.on("limit", ({ limit, address, platform }) => {
      sim.log(this.process.name, () => `limit ${limit} ${address} ${platform}`);
      if (limit === "connections") this.#checkPlaces(Number(address.split(".")[3]));
      if (limit === "messagesPerSecond" && !this.#rate.isExceeded(address)) {
        this.#oracle.broken("rate", `${address} (${platform}) kept to the limit, and is turned out`);
      }
    });
    server.on("invalid", (error) => sim.log(this.process.name, () => `invalid ${error.message}`));
    server.on("error", (error) => this.#oracle.broken("uncaught", `${this.process.name}: error event: ${error}`));
  }

  /** A caller was refused, as all places are taken. */
  #checkPlaces(connection: number): void {
    const { intrusions } = this.#world;
    if (intrusions.has(connection) || this.#spec.options.tokens === undefined) return;
    const honest = [...this.process.sockets].filter((end) =>
      end instanceof ServerEnd && end.isWebSocket && !intrusions.has(end.connection)
    );
    const most = this.#spec.options.limits?.connections ?? Infinity;
    if (honest.length >= most) return;
    this.#oracle.broken("places", `#${connection} finds no place; ${honest.length} of ${most} are taken rightly`);
  }

  #received_(message: MessageBase | CustomMessage, peer: Peer): void {
    this.#received++;
    const number = numberOf(message);
    this.#oracle.handled(number, connectionOf(peer), true);
    const { replies, closesPeerAt, closeCode = 1000, forwardsTo } = this.#spec.handlers;
    if (closesPeerAt === this.#received) peer.close(closeCode, "from a handler");
    if (isReply(message)) return;
    if (replies) this.#sendToPeer(peer, REPLY_SIZE, "peer", true);
    if (forwardsTo !== undefined && !this.#forwarded.has(number)) {
      this.#forwarded.add(number); // once: a message that was sent again keeps its number
      this.#sendTo(number, forwardsTo, () => this.#server.forward(forwardsTo, message));
    }
  }

  /** A text reached the socket of a peer. */
  textReceived(text: string, connection: number): void {
    this.#rate.received(text, connection);
  }

  send(count: number, size: number, how: "send" | "custom" | "broadcast" | "peer", to: string): void {
    for (let index = 0; index < count; index++) {
      if (how === "peer") {
        const peer = this.#server.peers.find(({ platform }) => platform === to);
        if (peer !== undefined) this.#sendToPeer(peer, size, how, false);
        continue;
      }
      const number = this.#oracle.newNumber();
      const message = newMessage(number, to, size, false);
      this.#sendTo(number, how === "broadcast" ? null : to, () => {
        if (how === "custom") this.#server.sendCustom(to, "note", newContent(number, size, false));
        else if (how === "broadcast") this.#server.broadcast(message);
        else this.#server.send(message);
      });
    }
  }

  /** Sends to all peers of a platform, `null` for all; tells the oracle who is to get it. */
  #sendTo(number: number, platform: string | null, send: () => void): void {
    const peers = this.#server.peers.filter((peer) => platform === null || peer.platform === platform);
    sim.log(this.process.name, () => `send ${number} to ${platform}: ${peers.map(connectionOf)}`);
    const records = peers.map((peer) => this.#oracle.begin(number, this.process.name, connectionOf(peer)));
    this.#attempt(send, () => records.forEach((record) => record.wasThrown = true));
  }

  #sendToPeer(peer: Peer, size: number, how: "peer" | "custom", reply: boolean): void {
    const number = this.#oracle.newNumber();
    const record = this.#oracle.begin(number, this.process.name, connectionOf(peer));
    sim.log(this.process.name, () => `send ${number} to #${connectionOf(peer)}`);
    this.#attempt(
      () =>
        how === "custom"
          ? peer.sendCustom("note", newContent(number, size, reply))
          : peer.send(newMessage(number, peer.platform, size, reply)),
      () => record.wasThrown = true,
    );
  }

  #attempt(send: () => void, thrown: () => void): void {
    try {
      send();
    } catch (error) {
      thrown();
      sim.log(this.process.name, () => `threw ${error}`);
      if (!(error instanceof MessageConnectionError)) this.#oracle.broken("uncaught", `send threw ${error}`);
    }
  }

  closePeer(platform: string, code: number): void {
    this.#server.peers.find((peer) => peer.platform === platform)?.close(code, "from a step");
  }

  removeToken(): void {
    for (const token of this.#spec.options.tokens ?? []) this.#server.removeToken(token);
  }

  async close(): Promise<void> {
    const { closeTimeout = 5000 } = this.#spec.options;
    const [from, frozen] = [sim.now, this.process.frozenFor];
    this.#pendingClose = true;
    sim.log(this.process.name, () => "close()");
    await this.#server.close();
    this.#pendingClose = false;
    const took = sim.now - from - (this.process.frozenFor - frozen);
    sim.log(this.process.name, () => `closed after ${took}`);
    if (took > closeTimeout + SLACK) this.#oracle.broken("closeTime", `${this.process.name}: close() took ${took} ms`);
  }
}
