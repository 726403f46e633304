/**
 * A program: a `MessageServer` that prints the text of each message it gets, one a line, and its URL first.
 *
 * Usage: recorder.ts PORT. Ends when its input does.
 * @module
 */

import { writeSync } from "node:fs";
import process from "node:process";

import { MessageServer, plainText } from "../../../mod.ts";

const server = new MessageServer();
// At once, so that a kill loses nothing that was received.
server.on("message", (message) => void writeSync(1, `got ${plainText(message)}\n`));
writeSync(1, `${server.listen({ port: Number(process.argv[2] ?? 0) })}\n`);
for await (const _ of process.stdin);
await server.close();
process.exit(0);
