import { bunRuntime } from "./bun.ts";
import { denoRuntime } from "./deno.ts";
import type { Runtime } from "./types.ts";

/** The runtime of this process. */
export const runtime: Runtime = "Deno" in globalThis ? denoRuntime : bunRuntime;
