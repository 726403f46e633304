import { bunRuntime } from "./runtime_bun.ts";
import { denoRuntime } from "./runtime_deno.ts";
import type { Runtime } from "./socket.ts";

/** The runtime this process runs on, chosen once. */
export const runtime: Runtime = "Deno" in globalThis ? denoRuntime : bunRuntime;
