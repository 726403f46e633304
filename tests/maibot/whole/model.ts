/**
 * A fake model behind the HTTP API of OpenAI: chat completions and transcriptions, as much as MaiBot asks for.
 * @module
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { type ChatMessage, decide, type Decision, fingerprint } from "./mind.ts";

const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  for await (const block of request) blocks.push(block);
  return await new Blob(blocks).bytes();
}

/** What has been said, as a voice recognizer hears it. */
async function transcribe(body: Uint8Array<ArrayBuffer>, type: string): Promise<unknown> {
  const file = (await new Response(body, { headers: { "content-type": type } }).formData()).get("file");
  if (!(file instanceof Blob)) throw new TypeError("a transcription needs a file");
  return { text: `voice ${fingerprint(await file.bytes())}` };
}

function completion(id: number, model: string, decision: Decision): unknown {
  const isTool = "tool" in decision;
  const message = isTool
    ? {
      role: "assistant",
      content: null,
      tool_calls: [{
        id: `call_${id}`,
        type: "function",
        function: { name: decision.tool, arguments: JSON.stringify(decision.args) },
      }],
    }
    : { role: "assistant", content: decision.text };
  const choice = { index: 0, message, finish_reason: isTool ? "tool_calls" : "stop" };
  return { id: `completion_${id}`, object: "chat.completion", created: 1, model, choices: [choice], usage: USAGE };
}

/** One model on a free port; leaving its scope ends it. */
export class FakeModel implements AsyncDisposable {
  readonly #server: Server;
  #requests = 0;

  /** Keeps the server; use {@linkcode FakeModel.listen}. */
  constructor(server: Server) {
    this.#server = server;
  }

  /** Starts a model. */
  static async listen(): Promise<FakeModel> {
    const server = createServer((request, response) => void model.#serve(request, response));
    const model: FakeModel = new FakeModel(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return model;
  }

  /** Base URL of its API. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Ends every connection, then the port. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let [status, answer]: [number, unknown] = [200, null];
    try {
      answer = await this.#answer(request.url ?? "", await bodyOf(request), request.headers["content-type"] ?? "");
    } catch (error) {
      [status, answer] = [400, { error: { message: `the fake model cannot answer: ${error}` } }]; // MaiBot logs it
    }
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }

  async #answer(path: string, body: Uint8Array<ArrayBuffer>, type: string): Promise<unknown> {
    if (path === "/v1/audio/transcriptions") return await transcribe(body, type);
    if (path !== "/v1/chat/completions") throw new Error(`there is no ${path}`);
    const { model, messages }: { model: string; messages: readonly ChatMessage[] } = JSON.parse(
      new TextDecoder().decode(body),
    );
    return completion(++this.#requests, model, decide(model, messages));
  }
}
