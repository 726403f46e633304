/**
 * A Python with MaiBot: the one that `MAIM_MAIBOT_PYTHON` names, else a virtual environment made here.
 * @module
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The version whose dependencies are pinned. */
export const PINNED_VERSION = "1.3.15";

const PINS = fileURLToPath(new URL("maibot_pins.txt", import.meta.url));
/** The interpreters to try, in this order: the texts of Python's errors were recorded with 3.12. */
const NAMES = ["python3.12", "python3.13", "python3.14", "python3", "python"];
const PYENV_VERSION = /^3\.(?:1[2-9]|[2-9]\d)\.\d+$/;
const CHECK = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 12))";

/**
 * What the receive chain imports: MaiBot itself asks for three times as much (playwright, pyarrow, its web pages).
 * Found by listing the modules that are loaded after a run.
 */
const REQUIREMENTS = [
  ...["starlette<1.4,>=1.3.1", "aiohttp", "fastapi", "faiss-cpu", "scipy", "jieba", "json-repair<0.61", "jsonschema"],
  ...["mcp<2", "msgpack", "openai", "pillow", "pydantic-settings", "pypinyin", "python-multipart", "rapidfuzz", "rich"],
  ...[
    "sqlmodel",
    "structlog",
    "tomlkit",
    "uvicorn",
    "watchfiles",
    "ahocorasick-rs",
    "babel",
    "cryptography",
    "colorama",
  ],
  ...["httpx", "packaging", "websockets"],
];

/** How a program ended, and the last of what it said. */
interface Ending {
  readonly isSuccess: boolean;
  readonly output: string;
}

async function run(program: string, args: readonly string[]): Promise<Ending> {
  try {
    const command = new Deno.Command(program, { args: [...args], stdin: "null", stdout: "piped", stderr: "piped" });
    const { success, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { isSuccess: success, output: (decoder.decode(stdout) + decoder.decode(stderr)).trim().slice(-2000) };
  } catch (error) {
    // No such program, or a folder on the PATH that must not be read.
    return { isSuccess: false, output: String(error) };
  }
}

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const { isSuccess, output } = await run(program, args);
  if (!isSuccess) {
    throw new Error(`Cannot prepare MaiBot as this must succeed: ${program} ${args.join(" ")}\n${output}`);
  }
}

/** The interpreters of pyenv, newest first; it puts only its default one on the PATH. */
function pyenvPythons(): string[] {
  const root = Deno.env.get("PYENV_ROOT") ?? `${Deno.env.get("HOME") ?? ""}/.pyenv`;
  try {
    const names = [...Deno.readDirSync(`${root}/versions`)].map(({ name }) => name);
    return names.filter((name) => PYENV_VERSION.test(name)).sort().map((name) =>
      `${root}/versions/${name}/bin/python3`
    );
  } catch {
    return []; // no pyenv
  }
}

/** Finds an interpreter that MaiBot runs in; null if the machine has none. */
export async function findPython(): Promise<string | null> {
  for (const program of [...NAMES, ...pyenvPythons()]) {
    // The name is not enough: pyenv puts programs on the PATH that only say they are not chosen.
    if ((await run(program, ["-c", CHECK])).isSuccess) return program;
  }
  return null;
}

function pythonOf(folder: string): string {
  return Deno.build.os === "windows" ? `${folder}\\Scripts\\python.exe` : `${folder}/bin/python`;
}

/** Where environments are kept unless told otherwise. */
export function defaultCache(): string {
  const { env } = Deno;
  const home = env.get("HOME") ?? env.get("USERPROFILE") ?? ".";
  return `${env.get("XDG_CACHE_HOME") ?? env.get("LOCALAPPDATA") ?? `${home}/.cache`}/maim-maibot`;
}

/** Installs MaiBot and what it needs into an environment. */
async function install(python: string, version: string): Promise<void> {
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await mustRun(python, [...pip, "--no-deps", `maibot==${version}`, "maim-message==0.6.8"]);
  // Other versions have no pins of their own; these are those of their time.
  await mustRun(python, [...pip, "--constraint", PINS, ...REQUIREMENTS]);
}

/** Gives a Python with a version of MaiBot, making its environment in the cache if it is not there yet. */
export async function preparePython(interpreter: string, version: string, cache: string): Promise<string> {
  const folder = `${cache}/maibot-${version}`;
  const python = pythonOf(folder);
  const done = `${folder}/installed`;
  if (existsSync(done)) return python;
  await mustRun(interpreter, ["-m", "venv", "--clear", folder]);
  await install(python, version);
  await Deno.writeTextFile(done, `${version}\n`); // an environment that was given up on has none
  return python;
}

/** Names the version of MaiBot that a Python has. */
export async function versionOf(python: string): Promise<string> {
  const { isSuccess, output } = await run(python, ["-c", "import importlib.metadata as m; print(m.version('maibot'))"]);
  if (isSuccess) return output;
  throw new Error(`Cannot judge frames as ${python} must have MaiBot: ${output.split("\n").at(-1)}`);
}
