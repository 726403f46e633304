// `ws` on Node. Prints its port; ends with its standard input. NODE_WS is the folder of the package.
//
//     node bench/servers/node_ws.mjs bare|json|broadcast|idle

import { createRequire } from "node:module";
import process from "node:process";

const { WebSocketServer } = createRequire(import.meta.url)(process.env.NODE_WS);

const mode = process.argv[2];
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const text = data.toString();
    if (mode === "bare") return socket.send(text);
    const encoded = JSON.stringify(JSON.parse(text));
    if (mode === "json") return socket.send(encoded);
    for (const other of server.clients) other.send(encoded);
  });
});
server.on("listening", () => {
  // deno-lint-ignore no-console -- this is a program.
  console.log(`port ${server.address().port}`);
});
// Whoever started this is gone then, however it went.
process.stdin.on("end", () => process.exit(0)).resume();
