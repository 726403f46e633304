/**
 * Adapters of a `FakeMaiBot`, and what it made of what they sent.
 * @module
 */

import { MessageClient } from "../../client.ts";
import { FakeMaiBot, type FakeMaiBotOptions, type MaibotReceipt } from "../../maibot/fake/mod.ts";
import { createMessage, type MessageBase, plainText, seg } from "../../schema.ts";
import type { Header } from "./peers/handshake.ts";
import { NativePeer } from "./peers/native_peer.ts";
import { RawPeer } from "./peers/raw.ts";

/** A private message to the account that a fake has by itself, unless the free data names another. */
export function hello(text: string = "你好", config: Record<string, unknown> = {}): MessageBase {
  return createMessage({ platform: "qq", user: "u1", account: "777", additional_config: config }, seg.text(text));
}

/** Listens on a free port. */
export function listen(bot: FakeMaiBot): string {
  return bot.listen({ port: 0 });
}

/** Connects byte by byte. */
export async function dial(url: string, platform?: string, headers: readonly Header[] = []): Promise<RawPeer> {
  const named: readonly Header[] = platform === undefined ? [] : [["platform", platform]];
  return await RawPeer.connect(url, { headers: [...named, ...headers] });
}

/** Connects with the runtime's own WebSocket, to a fake that does not listen yet unless the URL is given. */
export async function connect(bot: FakeMaiBot, platform: string = "qq", url?: string): Promise<NativePeer> {
  return await NativePeer.connect(url ?? listen(bot), { headers: { platform } });
}

/** Connects as a client of ours that comes back. */
export async function adapter(url: string): Promise<MessageClient> {
  const reconnect = { minDelay: 10, jitter: 0 };
  const client = new MessageClient(url, { platform: "qq", reconnect, closeTimeout: 500 });
  client.on("drop", () => {});
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Sends any JSON, each of it in turn, and gives the answer to the last. */
export async function answerTo(values: readonly unknown[], options: FakeMaiBotOptions = {}): Promise<MessageBase> {
  await using bot = new FakeMaiBot({ answers: "echo", ...options });
  await using peer = await connect(bot);
  let text: string | null = null;
  for (const value of values) {
    peer.socket.send(JSON.stringify(value));
    text = await peer.text();
  }
  return JSON.parse(text ?? "null");
}

/** Sends one frame and gives what a fake made of it. */
export async function receiptOfText(text: string, options: FakeMaiBotOptions = {}): Promise<MaibotReceipt> {
  await using bot = new FakeMaiBot(options);
  await using peer = await dial(listen(bot), "qq");
  const { promise, resolve } = Promise.withResolvers<MaibotReceipt>();
  bot.on("received", resolve);
  peer.text(text);
  return await promise;
}

/** Sends any JSON and gives what a fake made of it. */
export async function receiptOf(value: unknown, options: FakeMaiBotOptions = {}): Promise<MaibotReceipt> {
  return await receiptOfText(JSON.stringify(value), options);
}

/** Takes the next texts that a peer gets. */
export function texts(peer: NativePeer, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, async () => plainText(JSON.parse(await peer.text() ?? "null"))));
}
