/**
 * A program: an `OurServer` in a process of its own. Usage: server_child.ts NAME SPEC, where SPEC is the JSON of a
 * `ServerSpec`. Prints reports and reads commands, one JSON document a line; ends when it is told to close.
 * @module
 */

import { writeSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

import { OurServer, type ServerReport } from "./our_server.ts";

// At once, so that a kill loses nothing that was handled.
const report = (line: ServerReport): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const [name = "", spec = ""] = process.argv.slice(2);
const server = new OurServer(name, JSON.parse(spec), report);
report({ is: "listening", port: server.port });
for await (const line of createInterface({ input: process.stdin })) {
  const { call, args } = JSON.parse(line);
  if (call === "close") break;
  if (call === "send") server.send(args[0], args[1]);
  else if (call === "closePeers") server.closePeers();
  else if (call === "removeToken") server.removeToken();
  else if (call === "addToken") server.addToken();
}
await server.close();
process.exit(0);
