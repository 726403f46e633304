/**
 * A program: dials the URL given once and prints how that went.
 * @module
 */

import process from "node:process";

import { MessageClient } from "../../../mod.ts";

const [url = ""] = process.argv.slice(2);
await using client = new MessageClient(url, { platform: "qq" });
const outcome = await client.connect().catch((error: Error) => error.message);
process.stdout.write(`${outcome ?? "open"}\n`);
