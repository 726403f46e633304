/**
 * The test certificates of `tests/certs`, by path and by text.
 * @module
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The files `tests/support/certs/make.sh` writes; what each one is stands there. */
export type CertName = "ca.pem" | "server.pem" | "server.key" | "other_ca.pem" | "self_ca.pem" | "self_ca.key";

/** Gives the absolute path of a test certificate or key. */
export function certPath(name: CertName): string {
  return fileURLToPath(new URL(`../certs/${name}`, import.meta.url));
}

/** Reads a test certificate or key. */
export function certText(name: CertName): string {
  return readFileSync(certPath(name), "utf8");
}
