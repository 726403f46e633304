/**
 * Prints the runtime it runs in and its arguments.
 * @module
 */

import process from "node:process";

import { currentRuntime } from "./process.ts";

process.stdout.write(`${[currentRuntime, ...process.argv.slice(2)].join(" ")}\n`);
