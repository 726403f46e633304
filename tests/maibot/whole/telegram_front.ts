/**
 * What stands before the fake Bot API of the tests: it serves a picture that MaiBot can read.
 * @module
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { PICTURE } from "./media.ts";

/** One front on a free port; leaving its scope ends it. */
export class TelegramFront implements AsyncDisposable {
  readonly #server: Server;
  readonly #api: string;
  readonly #life = new AbortController();

  /** Keeps the parts; use {@linkcode TelegramFront.listen}. */
  constructor(server: Server, api: string) {
    this.#server = server;
    this.#api = api;
  }

  /** Starts a front of the Bot API at a URL. */
  static async listen(api: string): Promise<TelegramFront> {
    const server = createServer((request, response) => void front.#serve(request, response));
    const front: TelegramFront = new TelegramFront(server, api);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return front;
  }

  /** What stands in for `https://api.telegram.org`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every call, then the port. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    try {
      if (path.startsWith("/file/")) return void response.end(PICTURE);
      const [status, body] = await this.#forward(path, request);
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    } catch {
      response.destroy(); // this end or that one is leaving
    }
  }

  async #forward(path: string, request: IncomingMessage): Promise<[status: number, body: string]> {
    const blocks: Uint8Array<ArrayBuffer>[] = [];
    for await (const block of request) blocks.push(block);
    const answer = await fetch(`${this.#api}${path}`, {
      method: "POST",
      body: new Blob(blocks),
      headers: { "content-type": request.headers["content-type"] ?? "" },
      signal: this.#life.signal,
    });
    return [answer.status, await answer.text()];
  }
}
