/**
 * What `deno.json` says of the package. Everything that needs a list of modules or files takes it from here: the
 * runner, the documentation tests, the architecture tests, `.ci/run`.
 * @module
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The part of `deno.json` in use. */
interface Config {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly publish: { readonly include: readonly string[] };
}

/** The folder of the repository, with a slash at the end. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

const config: Config = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));

/** The modules people import: specifier (`@maim/message/client`) to file (`client.ts`). */
export const entryPoints: ReadonlyMap<string, string> = new Map(
  Object.entries(config.exports).map(([path, file]) => [config.name + path.slice(1), file.replace("./", "")]),
);

/** What the repository's own tests, benches and examples import: specifier to target, as in `deno.json`. */
export const imports: ReadonlyMap<string, string> = new Map(Object.entries(config.imports));

/**
 * Lists the files of a folder and of the folders in it, relative to the root, with `/` between names, sorted. Hidden
 * ones and `node_modules` are left out.
 */
export function filesIn(folder: string): string[] {
  return readdirSync(ROOT + folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && name !== "node_modules")
    .flatMap((entry) => {
      const path = `${folder}${folder === "" || folder.endsWith("/") ? "" : "/"}${entry.name}`;
      return entry.isDirectory() ? filesIn(path) : [path];
    }).toSorted();
}

/** Every file that is published, relative to the root. */
export const publishedFiles: readonly string[] = config.publish.include
  .flatMap((path) => statSync(ROOT + path).isDirectory() ? filesIn(path) : [path]).toSorted();

/** Every module that is published, relative to the root. */
export const publishedModules: readonly string[] = publishedFiles.filter((path) => path.endsWith(".ts"));

/** Every page that is published, relative to the root. */
export const publishedPages: readonly string[] = publishedFiles.filter((path) => path.endsWith(".md"));

/** Reads a file of the repository; line breaks are `\n` on every system. */
export function readText(path: string): string {
  return readFileSync(ROOT + path, "utf8").replaceAll("\r\n", "\n");
}

// For commands that take a list of modules: `deno doc --lint $(deno run -R tests/support/package.ts)`.
// deno-lint-ignore no-console -- this is a program then.
if (import.meta.main) console.log([...entryPoints.values()].join(" "));
