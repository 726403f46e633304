/**
 * The program `maibot/main.ts` as a reader of a language starts it.
 * @module
 */

import { fileURLToPath } from "node:url";

import { createMessage, type CreateMessageOptions, type MessageBase, type Seg, seg } from "../../schema.ts";
import { runtimeCommand, type RuntimeName } from "./peers/process.ts";
import { type Outcome, type Program, runProgram, startProgram } from "./peers/program.ts";

/** Where it stands. */
export const PROGRAM: string = fileURLToPath(new URL("../../maibot/main.ts", import.meta.url));

/** Languages it speaks. */
export type Language = "en" | "zh";

/** The variables as a reader of a language has them. */
export function locale(language: Language): Record<string, string> {
  return { LC_ALL: "", LC_MESSAGES: "", LANG: language === "zh" ? "zh_CN.UTF-8" : "en_US.UTF-8" };
}

/** Starts the program on a free port and reads its first line. */
export async function start(
  runtime: RuntimeName,
  args: readonly string[] = [],
  env: Record<string, string> = locale("en"),
): Promise<Program> {
  return await startProgram(runtime, PROGRAM, args, env);
}

/** Runs the program with flags that end it. */
export function run(runtime: RuntimeName, args: readonly string[], language: Language = "en"): Outcome {
  return runProgram(...runtimeCommand(runtime, PROGRAM, args), locale(language));
}

/** A message to the account that the program has by itself. */
export function toBot(...segs: readonly Seg[]): MessageBase {
  return createMessage({ platform: "qq", user: "u1", account: "777" }, ...segs);
}

/** The frame of a text to the account that the program has by itself, or of one that names others. */
export function wire(text: string, more: Partial<CreateMessageOptions> = { account: "777" }): string {
  return JSON.stringify(createMessage({ platform: "qq", user: "u1", ...more }, seg.text(text)));
}
