/**
 * A Python that has MaiBot installed: the one a person names, or a venv of our own.
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";

import { findProgram } from "../../peers/process.ts";
import { spawnChild } from "./way_out.ts";

/** The MaiBot that is installed where none is given. */
export const MAIBOT_VERSION = "1.3.15";

/** A MaiBot that can be started. */
export interface InstalledMaiBot {
  /** Path of the Python it is installed in. */
  readonly python: string;
  readonly version: string;
  /** Folder with the texts of its licence. */
  readonly resources: string;
}

const INSTALL_TIMEOUT_MS = 15 * 60_000;
const ASK_TIMEOUT_MS = 30_000;
const DESCRIBE = "import importlib.metadata as m; d = m.distribution('maibot'); " +
  "print(d.version); print(d.locate_file('src/_resources'))";

function describe(python: string): InstalledMaiBot | null {
  const { status, stdout } = spawnSync(python, ["-c", DESCRIBE], { encoding: "utf8", timeout: ASK_TIMEOUT_MS });
  const [version, resources] = (stdout ?? "").trim().split("\n");
  if (status !== 0 || version === undefined || resources === undefined) return null;
  return { python, version, resources };
}

function isNewEnough(python: string): boolean {
  const check = "import sys, venv; sys.exit(sys.version_info < (3, 12))";
  return spawnSync(python, ["-c", check], { timeout: ASK_TIMEOUT_MS }).status === 0;
}

/** Every Python that pyenv has, the newest first: its shims run only the versions it was told to. */
function pyenvPythons(): string[] {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const minor = (name: string) => Number(/^3\.(\d+)\./.exec(name)?.[1] ?? 0);
  const names = existsSync(versions) ? readdirSync(versions).filter((name) => minor(name) >= 12) : [];
  return names.sort((a, b) => minor(b) - minor(a)).map((name) => join(versions, name, "bin", "python3"));
}

function findPython(): string {
  const named = ["python3.12", "python3.13", "python3.14", "python3"].map(findProgram);
  const found = [...named, ...pyenvPythons()].find((path) => path !== undefined && isNewEnough(path));
  if (found !== undefined) return found;
  throw new Error("Cannot install MaiBot: no Python 3.12 or newer found; install one, or set MAIM_MAIBOT_PYTHON");
}

async function run(command: string, args: readonly string[]): Promise<void> {
  await using child = spawnChild(command, args);
  child.endInput();
  const { code } = await child.exit({ timeoutMs: INSTALL_TIMEOUT_MS });
  if (code !== 0) throw new Error([`Cannot install MaiBot: ${command} ended with ${code}`, ...child.lines].join("\n"));
}

/** Finds MaiBot in the Python of `MAIM_MAIBOT_PYTHON`; without that installs it into a venv, which later runs use again. */
export async function findMaiBot(say: (line: string) => void): Promise<InstalledMaiBot> {
  const { MAIM_MAIBOT_PYTHON: given = "" } = process.env;
  if (given !== "") {
    const found = describe(resolve(given));
    if (found === null) throw new Error(`Cannot use MAIM_MAIBOT_PYTHON: "${given}" has no package maibot`);
    return found;
  }
  const folder = join(tmpdir(), `maim-maibot-${MAIBOT_VERSION}`);
  const python = join(folder, ...(process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"]));
  const known = existsSync(python) ? describe(python) : null; // pip installs maibot after all it needs
  if (known !== null) return known;
  say(`MaiBot ${MAIBOT_VERSION} is being installed in ${folder} (about 1 GB, once)`);
  await run(findPython(), ["-m", "venv", folder]);
  await run(python, ["-m", "pip", "install", "--disable-pip-version-check", `maibot==${MAIBOT_VERSION}`]);
  const installed = describe(python);
  if (installed === null) throw new Error(`Cannot install MaiBot: pip succeeded, yet ${python} has no package maibot`);
  return installed;
}
