/**
 * A Python that has a whole MaiBot: the one that `MAIM_MAIBOT_PYTHON` names, else a virtual environment made here.
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { defaultCache, findPython, PINNED_VERSION } from "../oracle/python.ts";
import { spawnChild } from "./way_out.ts";

/** A MaiBot that can be started. */
export interface InstalledMaiBot {
  /** Path of the Python it is installed in. */
  readonly python: string;
  readonly version: string;
  /** Folder with the texts of its licence. */
  readonly resources: string;
}

const INSTALL = { timeoutMs: 15 * 60_000 };
const DESCRIBE = "import importlib.metadata as m; d = m.distribution('maibot'); " +
  "print(d.version); print(d.locate_file('src/_resources'))";
const PINS = fileURLToPath(new URL("../oracle/maibot_pins.txt", import.meta.url));

function describe(python: string): InstalledMaiBot | null {
  const { status, stdout } = spawnSync(python, ["-c", DESCRIBE], { encoding: "utf8" });
  const [version, resources] = (stdout ?? "").trim().split(/\r?\n/);
  if (status !== 0 || version === undefined || resources === undefined) return null;
  return { python, version, resources };
}

async function run(command: string, args: readonly string[]): Promise<void> {
  await using child = spawnChild(command, args);
  child.endInput();
  const { code } = await child.exit(INSTALL);
  if (code !== 0) {
    throw new Error([`Cannot install MaiBot as ${command} ended with ${code}:`, ...child.lines].join("\n"));
  }
}

async function install(version: string, say: (line: string) => void): Promise<InstalledMaiBot> {
  const folder = join(defaultCache(), `maibot-${version}-whole`);
  const python = join(folder, ...(process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"]));
  const known = existsSync(python) ? describe(python) : null; // pip installs it after all that it needs
  if (known !== null) return known;
  const interpreter = await findPython();
  if (interpreter === null) {
    throw new Error(
      "Cannot install MaiBot as there is no Python 3.12 or newer: install one, or set MAIM_MAIBOT_PYTHON",
    );
  }
  say(`MaiBot ${version} is installed in ${folder}: 1 GB, about a minute, once`);
  await run(interpreter, ["-m", "venv", "--clear", folder]);
  const pins = version === PINNED_VERSION ? ["--constraint", PINS] : [];
  await run(python, ["-m", "pip", "install", "--disable-pip-version-check", `maibot==${version}`, ...pins]);
  const installed = describe(python);
  if (installed === null) throw new Error(`Cannot use MaiBot as ${python} does not have it, though pip succeeded`);
  return installed;
}

/** Finds a MaiBot, or installs that version; later runs find it. */
export async function findMaiBot(
  version: string,
  say: (line: string) => void,
): Promise<InstalledMaiBot> {
  const { MAIM_MAIBOT_PYTHON: given = "" } = process.env;
  if (given === "") return await install(version, say);
  const found = describe(resolve(given));
  if (found === null) throw new Error(`Cannot use MAIM_MAIBOT_PYTHON as "${given}" has no package maibot: install it`);
  return found;
}
