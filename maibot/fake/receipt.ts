import { decodeMessage } from "../../codec/decode.ts";
import { MessageDecodeError } from "../../codec/errors.ts";
import type { MessageBase } from "../../schema/types.ts";
import { LINES, type MaibotLogLine } from "./log.ts";
import type { MaibotReceipt } from "./options.ts";
import { ECHO_NAME } from "../faults.ts";
import { issuesOf, type MaibotIssue } from "../issues.ts";
import { maibotLogLine } from "../drop_log.ts";
import { type Fields, hashError, isObject, isTruthy, own, readBase64, strip, toId, toText } from "../python/values.ts";
import { parsePython, toPlain } from "../python/json.ts";
import { type Asked, rowRoute, sessionOf } from "../chat_session.ts";

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
  if (isTruthy(own(value, "is_custom_message")) || (isTruthy(name) && hashError(name) !== null)) return toText(name);
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

/** One frame, and how it is read. */
interface Frame {
  readonly text: string;
  /** As Python has it. */
  readonly value: unknown;
  /** The connection's platform. */
  readonly platform: string;
  readonly asked: Asked;
  /** Whether MaiBot's policy lets the chat of a message in. */
  readonly isLetIn: (message: Fields) => boolean;
}

const isTaken = (issues: readonly MaibotIssue[]): boolean => !issues.some(({ level }) => level === "drop");

function readOrdinary({ text, value: frame, platform, asked, isLetIn }: Frame): MaibotReceipt {
  const value = toPlain(frame);
  const issues = issuesOf(frame, asked);
  const isAccepted = isTaken(issues);
  const isAnswerable = isAccepted && !issues.some(({ level }) => level === "unanswered") &&
    isObject(frame) && isLetIn(frame);
  const line = isAccepted ? null : maibotLogLine(frame, asked);
  const log: MaibotLogLine | null = line === null ? null : { level: "error", text: line };
  const message = readMessage(text, value, isAccepted);
  return { kind: "message", platform, value, message, isAccepted, isAnswerable, issues, log };
}

function readCustom(
  name: string,
  { value: frame, platform, asked }: Frame,
  hasSent: (id: string) => boolean,
): MaibotReceipt {
  const value = toPlain(frame);
  const echo = readEcho(frame);
  const isAccepted = echo !== null && hasSent(echo.id);
  const error = isObject(frame) ? hashError(own(frame, "message_type_name")) : null;
  const unknown = error !== null && name !== "[]" && name !== "{}"
    ? LINES.unhashable(error)
    : LINES.unknownCustom(name);
  const echoed = echo === null ? null : LINES.echoed(echo.id, echo.actualId, isAccepted);
  const log = name === ECHO_NAME ? echoed : unknown;
  const issues = issuesOf(frame, asked);
  return { kind: "custom", platform, value, message: null, isAccepted, isAnswerable: false, issues, log };
}

/**
 * What MaiBot says of a message that it takes, beside the line that shows it. Source: MaiBot 1.3.15, by the file that
 * LINES names.
 */
export function remarks({ value }: MaibotReceipt, { version }: Asked): MaibotLogLine[] {
  const session = isObject(value) ? sessionOf(value, version) : null;
  if (version === "1.2.1" || !isObject(value) || session === null) return [];
  const info = own(value, "message_info");
  if (!isObject(info)) return [];
  // MaiBot looks for an account in the frame, which has no id at its top by custom. Where it finds none it looks again,
  // in the message, and the line of that comes last.
  const isFound = rowRoute(value, info, version).account !== null;
  const topId = own(value, "message_id");
  const id = isFound ? topId === undefined ? "" : toText(topId) : toText(own(info, "message_id"));
  return [
    ...(isFormal(value) ? [] : [LINES.oldRoute(strip(session.platform), id)]),
    ...(hasEmptyImage(own(value, "message_segment")) ? [LINES.emptyImage()] : []),
  ];
}

/** Whether the account stands at the top, so that no older key is looked at. */
function isFormal(value: Fields): boolean {
  const account = own(value, "account_id");
  return typeof account === "string" && toId(account) !== "";
}

/** Whether a message holds an image of no bytes. */
function hasEmptyImage(segment: unknown): boolean {
  if (!isObject(segment)) return false;
  const [type, data] = [own(segment, "type"), own(segment, "data")];
  if (type === "seglist") return Array.isArray(data) && data.some(hasEmptyImage);
  return type === "image" && typeof data === "string" && readBase64(data).size === 0;
}

/**
 * Tells what MaiBot makes of one frame; `null` is a binary one.
 *
 * @param text The frame.
 * @param platform The connection's.
 * @param played The MaiBot that is played, its policy, and whether it has sent a message of an id.
 */
export function readFrame(
  text: string | null,
  platform: string,
  { hasSent, ...played }: Pick<Frame, "asked" | "isLetIn"> & { readonly hasSent: (id: string) => boolean },
): MaibotReceipt {
  const value = text === null ? undefined : parsePython(text);
  if (text === null || value === undefined) {
    const log = text === null ? LINES.binary(platform) : LINES.unparsable(platform);
    const lost = { message: null, isAccepted: false, isAnswerable: false, issues: [] };
    return { kind: "broken", platform, value, ...lost, log };
  }
  const frame = { text, value, platform, ...played };
  const name = customName(value);
  return name === null ? readOrdinary(frame) : readCustom(name, frame, hasSent);
}
