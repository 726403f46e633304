import { assertEquals, assertMatch } from "@std/assert";
import { describe } from "@std/testing/bdd";

import { wireText } from "../support/messages.ts";
import { assertSafeLines, nastyFrames } from "../support/nasty.ts";
import { dialAs, type Program, RUNTIMES, SERVER_PROGRAM, startProgram } from "../support/peers/program.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { runtimeTest } from "../support/peers/skip.ts";
import type { RuntimeName } from "../support/peers/process.ts";

async function start(runtime: RuntimeName, args: readonly string[]): Promise<Program> {
  return await startProgram(runtime, SERVER_PROGRAM, args);
}

for (const runtime of RUNTIMES) {
  describe(`server.ts under ${runtime}`, () => {
    runtimeTest(runtime, "prints texts of callers in one line, without control characters, and cut", async () => {
      await using program = await start(runtime, ["--echo"]);
      await using peer = await dialAs("qq", program.url);
      const frames = nastyFrames();
      for (const frame of frames) peer.text(frame);
      peer.text(wireText("the last one"));
      await program.child.line(/the last one/, { timeoutMs: 30_000 });
      const { lines } = program.child;
      assertSafeLines(lines);
      assertEquals(lines.filter((line) => line.startsWith("+ ")).length, 1);
      assertEquals(lines.filter((line) => /^[<!] /.test(line)).length, lines.length - 2);
      assertEquals(lines.length > frames.length, true, "each frame has a line");
    });

    runtimeTest(runtime, "prints one line for a refused caller, and shows no token and no query", async () => {
      await using program = await start(runtime, ["--token", "hunter2"]);
      const name = "q".repeat(3000);
      for (const token of ["hunter3", undefined]) {
        await using wrong = await dialAs(name, program.url, token);
        assertEquals((await wrong.frame({ opcode: 8 }))?.code, 1008);
      }
      await using _page = await RawPeer.connect(program.url, { headers: [["origin", "https://example.com"]] });
      await using _other = await RawPeer.connect(program.url.replace("/ws", "/other?token=hunter2"));
      await using peer = await dialAs("qq", program.url, "hunter2");
      await program.child.line(/^\+ #\d+ qq/);
      const [, token, origin, path, opened, ...rest] = program.child.lines.filter((line) => !line.startsWith("- "));
      assertEquals(token, `! refused ${name.slice(0, 200)}… (127.0.0.1): token, 1008`);
      assertEquals(origin, "! refused (127.0.0.1): origin, 403");
      assertEquals(path, "! refused (127.0.0.1): path, 404");
      assertMatch(opened ?? "", /^\+ #\d+ qq/);
      assertEquals(rest, []);
      assertSafeLines(program.child.lines);
      assertEquals(program.child.lines.filter((line) => line.includes("hunter")), []);
      peer.destroy();
    });

    runtimeTest(runtime, "says how many refusals it has left out", async () => {
      await using program = await start(runtime, ["--token", "hunter2"]);
      const more = program.child.line(/: token, 1008; \d+ more before$/);
      let isPrinted = false;
      void more.then(() => isPrinted = true, () => isPrinted = true);
      let callers = 0;
      while (!isPrinted && callers < 900) {
        callers++;
        await using wrong = await dialAs("qq", program.url, "hunter3");
        await wrong.frame({ opcode: 8 });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assertMatch(await more, /^! refused qq \(127\.0\.0\.1\): token, 1008; [1-9]\d* more before$/);
    });
  });
}
