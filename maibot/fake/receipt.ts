import { decodeMessage } from "../../codec/decode.ts";
import { MessageDecodeError } from "../../codec/errors.ts";
import type { MessageBase } from "../../schema/types.ts";
import { chatSessionOf, storedRoute } from "../chat_session.ts";
import { customName, customNameError, ECHO_NAME, readEcho } from "../custom_frame.ts";
import { dropLogText } from "../drop_log.ts";
import { findIssues } from "../issues.ts";
import { decodeBase64 } from "../python/base64.ts";
import { parsePython, toPlain } from "../python/json.ts";
import { type Fields, isObject, own, strip, toId, toText } from "../python/values.ts";
import type { MaibotVersion } from "../rules.ts";
import { segmentsIn } from "../segments.ts";
import type { MaibotSetup } from "../setup.ts";
import type { MaibotReceipt } from "./events.ts";
import { LOG, type MaibotLogLine } from "./log.ts";

/** The part of the simulated MaiBot's state that is needed to read a frame. */
export interface MaibotState {
  readonly setup: MaibotSetup;
  /** Tells whether MaiBot's policy allows the chat of a message. */
  readonly isChatAllowed: (message: Fields) => boolean;
  /** Tells whether MaiBot has sent a message that has this id. */
  readonly hasSent: (id: string) => boolean;
}

/** A frame that holds JSON. */
interface Frame {
  readonly text: string;
  /** The value that Python reads from the text. */
  readonly value: unknown;
  /** Platform of the connection. */
  readonly platform: string;
}

/** Decodes an ordinary message; `null` if the frame does not hold one. */
function decodeOrdinary({ text, value }: Frame, isAccepted: boolean): MessageBase | null {
  try {
    // customName() has checked that the value is not a custom message.
    return decodeMessage(text, { maxDepth: Infinity }) as MessageBase;
  } catch (error) {
    if (!(error instanceof MessageDecodeError)) throw error;
    // MaiBot accepts some messages that the decoder rejects. findIssues() has checked the members that an answer needs.
    return isAccepted ? toPlain(value) as MessageBase : null;
  }
}

function ordinaryReceipt(frame: Frame, { setup, isChatAllowed }: MaibotState): MaibotReceipt {
  const { value, platform } = frame;
  const issues = findIssues(value, setup);
  const isAccepted = !issues.some(({ level }) => level === "drop");
  const isAnswerable = isAccepted && !issues.some(({ level }) => level === "unanswered") &&
    isObject(value) && isChatAllowed(value);
  const error = isAccepted ? null : dropLogText(value, setup);
  const log: MaibotLogLine | null = error === null ? null : { level: "error", text: error };
  const message = decodeOrdinary(frame, isAccepted);
  return { kind: "message", platform, value: toPlain(value), message, isAccepted, isAnswerable, issues, log };
}

function customLog(name: string, value: unknown, isAccepted: boolean): MaibotLogLine | null {
  if (name === ECHO_NAME) {
    const echo = readEcho(value);
    if (echo === null) return null;
    return isAccepted ? LOG.echoed(echo.id, echo.actualId) : LOG.echoOfUnknown(echo.id, echo.actualId);
  }
  const error = isObject(value) ? customNameError(value) : null;
  return error === null ? LOG.unknownCustom(name) : LOG.unhashableName(error);
}

function customReceipt(name: string, { value, platform }: Frame, { setup, hasSent }: MaibotState): MaibotReceipt {
  const echo = readEcho(value);
  const isAccepted = echo !== null && hasSent(echo.id);
  return {
    kind: "custom",
    platform,
    value: toPlain(value),
    message: null,
    isAccepted,
    isAnswerable: false,
    issues: findIssues(value, setup),
    log: customLog(name, value, isAccepted),
  };
}

/**
 * Reads one frame in the same way as MaiBot.
 *
 * @param text Text of the frame; `null` for a binary frame.
 * @param platform Platform of the connection.
 * @param state The state of the simulated MaiBot.
 */
export function readFrame(text: string | null, platform: string, state: MaibotState): MaibotReceipt {
  const value = text === null ? undefined : parsePython(text);
  if (text === null || value === undefined) {
    const log = text === null ? LOG.binaryFrame(platform) : LOG.invalidJson(platform);
    return { kind: "broken", platform, value, message: null, isAccepted: false, isAnswerable: false, issues: [], log };
  }
  const frame = { text, value, platform };
  const name = customName(value);
  return name === null ? ordinaryReceipt(frame, state) : customReceipt(name, frame, state);
}

// ------------------------------------------------------------------------------------------ other log lines of MaiBot

/** Tells whether the top-level `account_id` names an account. If so, MaiBot does not read the legacy keys. */
function hasTopLevelAccount(value: Fields): boolean {
  const account = own(value, "account_id");
  return typeof account === "string" && toId(account) !== "";
}

/**
 * Returns the message id in the log line about legacy keys. MaiBot first looks for an account in the frame, and logs
 * the `message_id` at the top level of the frame, which is usually missing. If MaiBot finds no account, it then looks
 * in the message that it made of the frame, and logs the id of this message in a second line.
 */
function loggedId(value: Fields, version: MaibotVersion): string {
  const info = own(value, "message_info");
  if (!isObject(info)) return "";
  const isFound = storedRoute(value, info, version).account !== null;
  const id = own(isFound ? value : info, "message_id");
  return isFound && id === undefined ? "" : toText(id);
}

/** Tells whether a segment is an image whose base64 holds no bytes. */
function isEmptyImage(segment: unknown): boolean {
  if (!isObject(segment) || own(segment, "type") !== "image") return false;
  const data = own(segment, "data");
  const result = typeof data === "string" ? decodeBase64(data) : null;
  return result !== null && "size" in result && result.size === 0;
}

/**
 * Returns the lines that MaiBot logs about a message that it accepts, except the line that shows the message itself.
 * Source: MaiBot 1.3.15, the files named in {@linkcode LOG}. 1.2.1 logs none of these lines.
 */
export function acceptanceLog({ value }: MaibotReceipt, { version }: MaibotSetup): MaibotLogLine[] {
  const session = isObject(value) ? chatSessionOf(value, version) : null;
  if (version === "1.2.1" || !isObject(value) || session === null) return [];
  const hasEmptyImage = segmentsIn(own(value, "message_segment")).some(({ segment }) => isEmptyImage(segment));
  return [
    ...(hasTopLevelAccount(value) ? [] : [LOG.legacyRoute(strip(session.platform), loggedId(value, version))]),
    ...(hasEmptyImage ? [LOG.emptyImage()] : []),
  ];
}
