/**
 * The program's end of `worker.ts`: questions come on standard input, answers go to standard output.
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";

/** Answers questions until standard input ends, as it does when the asking process is gone; then ends this one. */
export async function answerWith<Answers extends object>(
  answers: { readonly [Name in keyof Answers]: Answers[Name] },
): Promise<never> {
  const functions = new Map<string, (input: unknown) => unknown>(Object.entries(answers));
  const answer = async (line: string): Promise<void> => {
    const { id, name, input } = JSON.parse(line);
    try {
      const value = await functions.get(name)?.(input);
      process.stdout.write(`answer ${id} ${JSON.stringify({ value })}\n`);
    } catch (error) {
      process.stdout.write(`answer ${id} ${JSON.stringify({ error: String(error) })}\n`);
    }
  };
  for await (const line of createInterface({ input: process.stdin })) void answer(line); // never rejects
  process.exit(0);
}

/** Opens a WebSocket and waits for it, at most ten seconds. */
export async function openSocket(url: string, headers: Readonly<Record<string, string>>): Promise<WebSocket> {
  // Deno and Bun take headers like this; only Deno's types know it.
  const Native = WebSocket as new (url: string, options: { headers: Readonly<Record<string, string>> }) => WebSocket;
  const socket = new Native(url, { headers });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error("no answer to the handshake")), 10_000);
  socket.onopen = () => resolve();
  socket.onerror = () => reject(new Error("refused"));
  socket.onclose = () => reject(new Error("closed"));
  try {
    await promise;
    return socket;
  } finally {
    clearTimeout(timer);
    socket.onopen = socket.onerror = socket.onclose = null;
  }
}
