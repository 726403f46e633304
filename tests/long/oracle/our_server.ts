/**
 * A `MessageServer` under test that tells all that happens to it: used in this process, and by `server_child.ts`.
 * @module
 */

import { MessageConnectionError, MessageServer, type Peer, type WireMessage } from "../../../mod.ts";
import { idOf, numbered } from "./messages.ts";

/** Options of a server under test. */
export interface ServerSpec {
  /** The token that callers need; `null` for none. */
  readonly token: string | null;
  /** `null` for no limit. */
  readonly messagesPerSecond: number | null;
  readonly closeTimeout: number;
  /** Closes a peer in the handler of its message of this number; 0 for never. */
  readonly closesPeerAt: number;
  /** Answers each message. */
  readonly answers: boolean;
}

/** What happens to a server, as one line of JSON if it is in a process of its own. */
export type ServerReport =
  | { readonly is: "sent"; readonly id: string; readonly way: string }
  | { readonly is: "thrown"; readonly id: string; readonly error: string }
  | { readonly is: "dropped"; readonly id: string; readonly reason: string }
  | { readonly is: "handled"; readonly id: string; readonly way: string }
  | { readonly is: "fault"; readonly name: string }
  | { readonly is: "log"; readonly text: string }
  | { readonly is: "broken"; readonly text: string }
  | { readonly is: "listening"; readonly port: number }
  | { readonly is: "ended"; readonly took: number };

/** What a server can be told to do. */
export interface ServerCommands {
  /** Sends messages to each peer of the platform. */
  send(platform: string, count: number): void;
  closePeers(): void;
  removeToken(): void;
  addToken(): void;
}

/** One life of a server; its name is before the number in the id of each of its messages. */
export class OurServer implements ServerCommands {
  readonly port: number;
  readonly #name: string;
  readonly #spec: ServerSpec;
  readonly #report: (report: ServerReport) => void;
  readonly #server: MessageServer;
  readonly #received = new Map<number, number>();
  #number = 0;

  constructor(name: string, spec: ServerSpec, report: (report: ServerReport) => void) {
    this.#name = name;
    this.#spec = spec;
    this.#report = report;
    const { token, messagesPerSecond, closeTimeout } = spec;
    this.#server = new MessageServer({
      ...(token === null ? {} : { tokens: [token] }),
      ...(messagesPerSecond === null ? {} : { limits: { messagesPerSecond } }),
      closeTimeout,
    });
    this.#listen();
    this.port = Number(new URL(this.#server.listen({ port: 0 })).port);
  }

  #way(peer: Peer): string {
    return `${this.#name}#${peer.id}`;
  }

  #listen(): void {
    const server = this.#server;
    const report = this.#report;
    server.on("message", (message, peer) => this.#handled(message, peer));
    server.on("custom", (message, peer) => this.#handled(message, peer));
    server.on("open", (peer) => report({ is: "log", text: `${this.#way(peer)} is open` }));
    server.on("close", (peer, { code, reason }) => {
      report({ is: "log", text: `${this.#way(peer)} closed: ${code} ${reason}` });
    });
    server.on("drop", ({ message, reason }) => report({ is: "dropped", id: idOf(message), reason }));
    server.on("limit", ({ limit }) => report({ is: "fault", name: limit }));
    server.on("refused", ({ cause }) => report({ is: "log", text: `refused: ${cause}` }));
    server.on("invalid", (error) => report({ is: "broken", text: `invalid: ${error.message}` }));
    server.on("error", (error) => report({ is: "broken", text: `error event of the server: ${error}` }));
  }

  #handled(message: WireMessage, peer: Peer): void {
    this.#report({ is: "handled", id: idOf(message), way: this.#way(peer) });
    const count = (this.#received.get(peer.id) ?? 0) + 1;
    this.#received.set(peer.id, count);
    if (count === this.#spec.closesPeerAt) {
      this.#report({ is: "fault", name: "peer.close() in a handler" });
      peer.close(1000, "enough");
    }
    if (this.#spec.answers) this.#sendTo(peer);
  }

  #sendTo(peer: Peer): void {
    const id = `${this.#name}.${++this.#number}`;
    this.#report({ is: "sent", id, way: this.#way(peer) });
    try {
      peer.send(numbered(id, peer.platform, 20, this.#number % 3 === 0));
    } catch (error) {
      this.#report({ is: "thrown", id, error: `${error}` });
      if (!(error instanceof MessageConnectionError)) this.#report({ is: "broken", text: `send() threw ${error}` });
    }
  }

  send(platform: string, count: number): void {
    for (const peer of this.#server.peers) {
      if (peer.platform !== platform) continue;
      for (let index = 0; index < count; index++) this.#sendTo(peer);
    }
  }

  closePeers(): void {
    for (const peer of this.#server.peers) peer.close(1001, "from outside");
  }

  removeToken(): void {
    if (this.#spec.token !== null) this.#server.removeToken(this.#spec.token);
  }

  addToken(): void {
    if (this.#spec.token !== null) this.#server.addToken(this.#spec.token);
  }

  async close(): Promise<void> {
    const began = performance.now();
    await this.#server.close();
    this.#report({ is: "ended", took: performance.now() - began });
  }
}
