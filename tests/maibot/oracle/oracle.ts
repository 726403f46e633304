/**
 * MaiBot's receive chain as a function: runs `oracle.py` beside this file.
 * @module
 */

import { fileURLToPath } from "node:url";

/** One line of MaiBot's log; the level `RAISED` is an exception that nobody caught, and that MaiBot did not log. */
export type OracleLine = readonly [level: string, logger: string, text: string];

/** What MaiBot made of one frame. */
export interface OracleAnswer {
  /** Whether a row was stored, or a message_id_echo handled. */
  readonly verdict: "accept" | "drop";
  /** Whether MaiBot refused to open a chat for what it stored: it cannot answer. */
  readonly muted: boolean;
  readonly lines: readonly OracleLine[];
  /** The row of `mai_messages`. */
  readonly stored: Readonly<Record<string, unknown>> | null;
  /** The chat stream. */
  readonly session: Readonly<Record<string, string | null>> | null;
  /** The old and the new id of an echo. */
  readonly echo: readonly [string, string] | null;
}

/** A frame to judge. */
export interface Question {
  readonly text: string;
  /** Text of `config/adapter_policy.toml`; none unless given. */
  readonly policy?: string | undefined;
}

const PROGRAM = fileURLToPath(new URL("oracle.py", import.meta.url));
/** Lines of the standard error that are shown when it fails. */
const SHOWN = 20;

async function writeFrames(input: WritableStream<Uint8Array>, questions: readonly Question[]): Promise<void> {
  const lines = ReadableStream.from(questions).pipeThrough(
    new TransformStream<Question, string>({
      transform: ({ text, policy }, controller) => controller.enqueue(`${JSON.stringify({ text, policy })}\n`),
    }),
  );
  await lines.pipeThrough(new TextEncoderStream()).pipeTo(input);
}

/**
 * Asks MaiBot about frames, one after another, in a fresh instance that is gone afterwards; the accounts are those of
 * `[bot]`, as `qq:777,tp:888`.
 */
export async function askOracle(
  python: string,
  questions: readonly Question[],
  accounts: string,
): Promise<OracleAnswer[]> {
  // The folder for temporary files of the whole process, so that nothing is left even where it is killed.
  const folder = await Deno.makeTempDir({ prefix: "maim-oracle-" });
  try {
    const child = new Deno.Command(python, {
      args: [PROGRAM, "--accounts", accounts],
      // In UTC, as a server is: the texts about dates depend on it.
      env: { TMPDIR: folder, TEMP: folder, TMP: folder, TZ: "UTC", PYTHONUTF8: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    await using _ = child; // killed where what follows throws
    const writing = writeFrames(child.stdin, questions).catch(() => {}); // one that ends early says why on its own
    const [output, errors, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.status,
      writing,
    ]);
    const [, ...answers] = output.trimEnd().split("\n");
    if (status.success && answers.length === questions.length) return answers.map((line) => JSON.parse(line));
    const last = errors.trimEnd().split("\n").slice(-SHOWN).join("\n");
    throw new Error(
      `Cannot judge frames as MaiBot must answer each: ${answers.length} of ${questions.length}, code ${status.code}\n${last}`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
