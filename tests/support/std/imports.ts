/**
 * Chooses where `@std/*` comes from, and writes what tells Deno and Bun so. Both files are made from `deno.json`: no
 * import is listed anywhere else.
 * @module
 */

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";

import { entryPoints, imports, ROOT } from "../package.ts";

/** What stands in for packages of JSR where JSR cannot be reached, and in Bun always. */
const STAND_INS: Readonly<Record<string, string>> = {
  "@std/assert": "assert.ts",
  "@std/cli/parse-args": "parse_args.ts",
  "@std/fmt/colors": "colors.ts",
};
const BDD = "@std/testing/bdd";
const PROBE_TIMEOUT_MS = 3000;

/** A folder that Git ignores. */
const FOLDER = `${ROOT}node_modules/.maim/`;

/** Tells whether JSR serves packages to this machine; `JSR_URL` names another one. */
export async function isJsrReachable(): Promise<boolean> {
  const base = process.env.JSR_URL ?? "https://jsr.io/";
  try {
    const response = await fetch(new URL("@std/assert/meta.json", base), {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    const text = await response.text();
    return response.ok && text.includes('"versions"');
  } catch {
    // Unresolved, refused, too slow or not HTTP: all the same to us.
    return false;
  }
}

/** Writes a file that another run may be reading or writing. */
function write(name: string, content: unknown): string {
  mkdirSync(FOLDER, { recursive: true });
  const path = FOLDER + name;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(content, null, 2));
  renameSync(draft, path);
  return path;
}

/** The path of every module that stands in, and of those that are ours anyway. */
function ownPaths(): [specifier: string, path: string][] {
  const standIns = Object.entries(STAND_INS).map(([name, file]) => [name, `tests/support/std/${file}`] as const);
  const bdd = [BDD, imports.get(BDD) ?? ""] as const;
  return [...entryPoints, ...standIns, bdd].map(([name, file]) => [name, ROOT + file.replace(/^\.\//, "")]);
}

/** Writes an import map in which the stand-ins take the place of JSR; gives its path. */
export function writeImportMap(): string {
  const npm = [...imports].filter(([, target]) => target.startsWith("npm:"))
    .flatMap(([name, target]) => [[name, target], [`${name}/`, `npm:/${target.slice("npm:".length)}/`]]);
  const own = ownPaths().map(([name, path]) => [name, pathToFileURL(path).href]);
  return write("import_map.json", { imports: Object.fromEntries([...own, ...npm]) });
}

/** Writes a `tsconfig.json` from which Bun takes the stand-ins and the package's own names; gives its path. */
export function writeBunConfig(): string {
  const paths = Object.fromEntries(ownPaths().map(([name, path]) => [name, [path]]));
  return write("tsconfig.bun.json", { compilerOptions: { paths } });
}
