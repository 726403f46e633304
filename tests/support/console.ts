/**
 * What the library prints.
 * @module
 */

/** Runs the part of a test that needs the console; gives what `console.error` was called with, a line for each call. */
export async function consoleErrors(run: () => void | Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const { error } = console;
  // deno-lint-ignore no-console -- what the library prints is under test.
  console.error = (...args) => void lines.push(args.join(" "));
  try {
    await run();
  } finally {
    // deno-lint-ignore no-console -- the same.
    console.error = error;
  }
  return lines;
}
