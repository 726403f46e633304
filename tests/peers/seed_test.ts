// The user's document is not part of the package: its clients are taken out of it where it lies beside the project.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { createMessage, isSeg, MessageServer, plainText, seg } from "../../mod.ts";
import { certPath, certText } from "../support/peers/certs.ts";
import { heard } from "../support/peers/listen.ts";
import { currentRuntime, type LineProcess, runtimeCommand, spawnLines } from "../support/peers/process.ts";
import { pythonIssue } from "../support/peers/python.ts";
import { testUnless } from "../support/peers/skip.ts";

const SEED = fileURLToPath(new URL("../../../shared/seed/websocket_api.zh.md", import.meta.url));
const hasSeed = existsSync(SEED);

/** Declares a test that needs the document, and perhaps a Python peer. */
function seedTest(name: string, issue: string | null, fn: () => Promise<void>): void {
  if (hasSeed) testUnless(issue, name, fn);
  else it.skip(`${name} (skipped: no ../shared/seed)`, fn);
}

/** The code block of a language that holds a text. */
function block(language: string, text: string): string {
  const blocks = readFileSync(SEED, "utf8").split("```");
  const found = blocks.find((each) => each.startsWith(`${language}\n`) && each.includes(text));
  assert(found !== undefined, `no ${language} block with ${text}`);
  return found.slice(language.length + 1);
}

/** Replaces what must be there. */
function replace(code: string, what: string, by: string): string {
  assertStringIncludes(code, what);
  return code.replace(what, by);
}

/** Runs a program from a folder of its own. */
async function run(
  name: string,
  code: string,
  command: (path: string) => [string, readonly string[]],
  env: Record<string, string>,
  body: (program: LineProcess) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "maim-seed-"));
  try {
    const path = join(folder, name);
    writeFileSync(path, code);
    await using program = spawnLines(...command(path), { env });
    await body(program);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A server as the document's usage examples expect it, over wss with a token. */
function secureServer(): { server: MessageServer; url: string } {
  const server = new MessageServer({ tokens: ["optional_auth_token"] });
  const tls = { cert: certText("server.pem"), key: certText("server.key") };
  return { server, url: server.listen({ port: 0, tls }) };
}

const answer = createMessage({ platform: "my_platform", user: "mai" }, seg.text("收到"));

describe("The seed's clients against our server", () => {
  seedTest("its JavaScript client, changed only in how it passes headers", null, async () => {
    const { server, url } = secureServer();
    await using _closing = server;
    const received = heard(server, "message");
    const headers = "new WebSocket(this.url, [], { headers })";
    const code = replace(
      replace(block("javascript", "class MaimMessageClient"), headers, "new WebSocket(this.url, { headers })"),
      "wss://127.0.0.1:8090/ws",
      url,
    );
    // The certificate is of a private CA: trusting it is a matter of the environment, not of the client's code.
    const env = { DENO_CERT: certPath("ca.pem"), NODE_EXTRA_CA_CERTS: certPath("ca.pem") };
    await run("client.mjs", code, (path) => runtimeCommand(currentRuntime, path), env, async (program) => {
      const [text, peer] = await received.next(undefined, { timeoutMs: 30_000 });
      assertEquals([plainText(text), peer.platform], ["你好，这是测试消息！", "my_platform"]);
      const [rich] = await received.next();
      assert(isSeg(rich.message_segment, "seglist"));
      assertEquals(rich.message_segment.data.map(({ type }) => type), ["text", "image"]);
      server.send(answer);
      await program.line(/收到/);
    });
  });

  seedTest("its Python client, with the argument's new name", hasSeed ? pythonIssue() : null, async () => {
    const { server, url } = secureServer();
    await using _closing = server;
    const received = heard(server, "message");
    let code = replace(block("python", "import websockets"), "extra_headers=headers", "additional_headers=headers");
    code = replace(code, "wss://127.0.0.1:8090/ws", url);
    code = replace(code, "./ssl/server.crt", certPath("ca.pem"));
    const python = process.env.MAIM_PYTHON ?? "python3";
    await run("client.py", code, (path) => [python, ["-u", path]], { PYTHONIOENCODING: "utf-8" }, async (program) => {
      const [text, peer] = await received.next(undefined, { timeoutMs: 30_000 });
      assertEquals([plainText(text), peer.platform], ["你好，这是来自Python客户端的消息！", "my_platform"]);
      server.send(answer);
      await program.line(/文本: 收到/);
      await server.close();
      // A normal goodbye ends its loop, and with it the program.
      assertEquals((await program.exit()).code, 0);
    });
  });

  seedTest("its JavaScript client reads 1008 for a wrong token", null, async () => {
    await using server = new MessageServer({ tokens: ["another"] });
    const url = server.listen({ port: 0 });
    const headers = "new WebSocket(this.url, [], { headers })";
    const code = replace(
      replace(block("javascript", "class MaimMessageClient"), headers, "new WebSocket(this.url, { headers })"),
      "wss://127.0.0.1:8090/ws",
      url,
    );
    await run("client.mjs", code, (path) => runtimeCommand(currentRuntime, path), {}, async (program) => {
      await program.line(/认证失败/, { timeoutMs: 30_000 });
    });
    assertEquals(server.peers, []);
  });
});
