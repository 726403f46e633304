/**
 * The configuration of a MaiBot that is to be tested: its own defaults, but for what is set here.
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { SELF_ID } from "../../support/peers/onebot_peer.ts";
import { ME } from "../../support/peers/telegram_api.ts";

/** Account of the bot on each platform, as `[bot]` has them: its own id there. */
export const ACCOUNTS: Readonly<Record<"qq" | "telegram" | "my_platform" | "echo", string>> = {
  qq: `${SELF_ID}`,
  telegram: `${ME.id}`,
  my_platform: "777",
  echo: "777",
};

/** What an adapter must say to be let in. */
export const TOKEN = "s3cret";

/** User who may call the commands of MaiBot, on `my_platform`. */
export const OPERATOR = "1";

/** What a MaiBot is configured with. */
export interface MaiBotSettings {
  /** Port for the adapters. */
  readonly port: number;
  /** Base URL of the model. */
  readonly modelUrl: string;
}

type Value = string | number | boolean | readonly string[];

/** Names of the model tasks; the fake model is asked under these names. */
const TASKS = ["planner", "replyer", "utils", "vlm", "voice"] as const;

const { qq, ...others } = ACCOUNTS;

function botSettings(port: number): readonly (readonly [section: string, key: string, value: Value])[] {
  return [
    ["bot", "platform", "qq"],
    ["bot", "qq_account", qq],
    ["bot", "platforms", Object.entries(others).map(([platform, account]) => `${platform}:${account}`)],
    ["maim_message", "ws_server_port", port],
    ["maim_message", "auth_token", [TOKEN]],
    ["plugin", "permission", [`my_platform:${OPERATOR}`]],
    ["voice", "enable_asr", true],
    // Answers at once, and in the model's own words: otherwise it waits for more, splits, and adds typing errors.
    ["chat.reply_timing", "message_debounce_mode", "off"],
    ["chat.reply_timing", "no_action_backoff_base_seconds", 0],
    ["response_post_process", "enable_response_post_process", false],
    // By this a long burst of one user makes a quote certain.
    ["chat.reply_style", "private_quote_frequency", "often"],
    // Nothing leaves this machine, and nothing else listens.
    ["telemetry", "enable", false],
    ["webui", "enabled", false],
    // The log is read: its lines tell when something is done.
    ["log", "color_text", "none"],
    ["log", "log_level_style", "full"],
    ["log", "log_level", "DEBUG"],
    ["log", "console_log_level", "DEBUG"],
  ];
}

/** Replaces one value of a TOML text. */
function withValue(text: string, section: string, key: string, value: Value): string {
  const lines = text.split("\n");
  const header = lines.findIndex((line) => line.startsWith(`[${section}]`));
  const next = lines.findIndex((line, index) => index > header && line.startsWith("["));
  const at = lines.findIndex((line, index) => index > header && line.startsWith(`${key} = `));
  if (header < 0 || at < 0 || (next >= 0 && next < at)) {
    throw new Error(`Cannot configure MaiBot: it has no "${key}" in [${section}]; adapt tests/maibot/whole/config.ts`);
  }
  lines[at] = `${key} = ${JSON.stringify(value)}`;
  return lines.join("\n");
}

function modelOf(task: string): string[] {
  const names = [`model_identifier = "${task}"`, `name = "${task}"`];
  return ["[[models]]", 'model_type = "llm"', ...names, 'api_provider = "fake"'];
}

/** Everything MaiBot asks goes to the one fake model, under the name of the task. */
function modelConfig(version: string, modelUrl: string): string {
  const sections = [
    ["[inner]", `version = "${version}"`],
    ...TASKS.map(modelOf),
    ...TASKS.map((task) => [`[model_task_config.${task}]`, `model_list = ["${task}"]`]),
    ["[[api_providers]]", 'name = "fake"', `base_url = "${modelUrl}"`, 'api_key = "none"', "max_retry = 1"],
  ];
  return sections.map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** Configures a MaiBot whose folder `maibot init` has filled. */
export async function configure(folder: string, { port, modelUrl }: MaiBotSettings): Promise<void> {
  const botPath = join(folder, "config", "bot_config.toml");
  const modelPath = join(folder, "config", "model_config.toml");
  let bot = await readFile(botPath, "utf8");
  for (const [section, key, value] of botSettings(port)) bot = withValue(bot, section, key, value);
  await writeFile(botPath, bot);
  const version = /^version = "(.+)"$/m.exec(await readFile(modelPath, "utf8"))?.[1];
  if (version === undefined) throw new Error(`Cannot configure MaiBot: ${modelPath} has no version`);
  await writeFile(modelPath, modelConfig(version, modelUrl));
}
