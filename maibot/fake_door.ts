import { decodeMessage, MessageDecodeError } from "../codec.ts";
import type { MessageBase } from "../schema.ts";
import { LINES, type MaibotLogLine } from "./fake_log.ts";
import type { MaibotReceipt } from "./fake_options.ts";
import { ECHO_NAME } from "./faults.ts";
import { maibotIssues } from "./issues.ts";
import { maibotLogLine } from "./log_line.ts";
import { type Fields, isObject, isTruthy, own, toId, toText } from "./python.ts";

/** What an adapter says about a message it has delivered. */
export interface Echo {
  /** The id MaiBot gave it. */
  readonly id: string;
  /** The id it has on the platform. */
  readonly actualId: string;
}

/** Name of a custom message, by the rules of maim_message 0.6.8, api.py, process_message; `null` for another. */
export function customName(value: unknown): string | null {
  if (!isObject(value)) return null;
  const name = own(value, "message_type_name");
  if (isTruthy(own(value, "is_custom_message"))) return toText(name);
  return name === ECHO_NAME ? ECHO_NAME : null;
}

/** Reads a `message_id_echo`; `null` for what MaiBot ignores. Source: MaiBot 1.2.1, bot.py, echo_message_process. */
export function readEcho(value: unknown): Echo | null {
  const content = isObject(value) ? own(value, "content") : null;
  if (customName(value) !== ECHO_NAME || !isObject(content) || own(content, "type") !== "echo") return null;
  const [id, actualId] = [toId(own(content, "echo")), toId(own(content, "actual_id"))];
  return id === "" || actualId === "" ? null : { id, actualId };
}

/** Reads a text as an ordinary message; what MaiBot takes without being one stays as it is. */
function readMessage(text: string, value: unknown, isAccepted: boolean): MessageBase | null {
  try {
    return decodeMessage(text, { maxDepth: Infinity }) as MessageBase; // it is no custom one
  } catch (error) {
    if (!(error instanceof MessageDecodeError)) throw error;
    return isAccepted ? value as MessageBase : null; // platform, user and segments were seen by maibotIssues
  }
}

function readOrdinary(text: string, value: unknown, platform: string): MaibotReceipt {
  const issues = maibotIssues(value);
  const isAccepted = !issues.some(({ level }) => level === "drop");
  const line = isAccepted ? null : maibotLogLine(value);
  const log: MaibotLogLine | null = line === null ? null : { level: "error", text: line };
  return { kind: "message", platform, value, message: readMessage(text, value, isAccepted), isAccepted, issues, log };
}

function readCustom(name: string, value: Fields, platform: string, hasSent: (id: string) => boolean): MaibotReceipt {
  const echo = readEcho(value);
  const isAccepted = echo !== null && hasSent(echo.id);
  const echoed = echo === null ? null : LINES.echoed(echo.id, echo.actualId, isAccepted);
  const log = name === ECHO_NAME ? echoed : LINES.unknownCustom(name);
  return { kind: "custom", platform, value, message: null, isAccepted, issues: maibotIssues(value), log };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON text has that value
  }
}

/**
 * Tells what MaiBot makes of one frame; `null` is a binary one.
 *
 * @param text The frame.
 * @param platform The connection's.
 * @param hasSent Whether a message of that id was sent.
 */
export function readFrame(text: string | null, platform: string, hasSent: (id: string) => boolean): MaibotReceipt {
  const value = text === null ? undefined : parseJson(text);
  if (text === null || value === undefined) {
    const log = text === null ? LINES.binary(platform) : LINES.unparsable(platform);
    return { kind: "broken", platform, value, message: null, isAccepted: false, issues: [], log };
  }
  const name = customName(value);
  if (name === null) return readOrdinary(text, value, platform);
  return readCustom(name, value as Fields, platform, hasSent); // customName has seen an object
}
