import type { ServerTls } from "../runtime/types.ts";
import { checkObject, wrongSecret } from "../util/checks.ts";

const OWNER = "MessageServer";

function isPem(text: unknown): boolean {
  return typeof text === "string" && text.includes("-----BEGIN ");
}

/**
 * Checks the option `tls` of `listen`. The error texts show no value, because it may be the key.
 *
 * @throws {TypeError} If a member is not PEM text, for example the name of a file.
 */
export function checkTls(tls: ServerTls): void {
  checkObject(OWNER, "tls", tls);
  for (const [member, file] of [["cert", "cert.pem"], ["key", "key.pem"]] as const) {
    if (isPem(tls[member])) continue;
    const read = `await Deno.readTextFile("${file}"), or on Bun await Bun.file("${file}").text()`;
    const wrong = wrongSecret(OWNER, `tls.${member}`, "PEM text, which holds -----BEGIN");
    throw new TypeError(`${wrong}; if it is the name of a file, pass the text of the file: ${read}`);
  }
}
