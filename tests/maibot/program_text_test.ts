import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";

import { type Language, locale, start, wire } from "../support/maibot_program.ts";
import { assertSafeLines, nastyFrames } from "../support/nasty.ts";
import { dialAs, RUNTIMES } from "../support/peers/program.ts";
import { runtimeTest } from "../support/peers/skip.ts";

for (const runtime of RUNTIMES) {
  describe(`maibot/main.ts under ${runtime}`, () => {
    for (const language of ["en", "zh"] as readonly Language[]) {
      for (const args of [["--echo"], ["--maibot", "1.2.1", "--echo"]]) {
        const how = `in ${language} with ${args.join(" ")}`;
        runtimeTest(
          runtime,
          `prints texts of adapters in one line, without control characters, and cut, ${how}`,
          async () => {
            await using program = await start(runtime, args, locale(language));
            await using peer = await dialAs("qq", program.url);
            const frames = nastyFrames();
            for (const frame of frames) peer.text(frame);
            peer.text(wire("the last one"));
            await program.child.line(/^> .*the last one/, { timeoutMs: 30_000 });
            const { lines } = program.child;
            assertSafeLines(lines);
            assertEquals(lines.filter((line) => line.startsWith("+ ")), ["+ qq"]);
            assertEquals(lines.filter((line) => !/^(?:[<>!+] | {4}\S)/.test(line)), [program.url]);
            assertEquals(lines.length > frames.length, true, "each frame has a line");
          },
        );
      }
    }
  });
}
