/**
 * All faults of a frame, in the order in which MaiBot finds them.
 * @module
 */

import { answerFaults } from "./answer_faults.ts";
import { chatSessionOf } from "./chat_session.ts";
import { customName, customNameError, ECHO_NAME } from "./custom_frame.ts";
import { type FaultHandler, INFO, type Report, reportIn, SEGMENT } from "./fault.ts";
import {
  configFaults,
  conversionFaults,
  emptyIdFaults,
  nameFaults,
  requiredIdFaults,
  routeFaults,
  senderReceiverFaults,
} from "./info_faults.ts";
import { missingGetError, subscriptError } from "./python/errors.ts";
import { type Fields, isObject, own, toId, toText } from "./python/values.ts";
import { type MaibotVersion, RULES } from "./rules.ts";
import { contentFaults, shapeFaults } from "./segment_faults.ts";
import type { MaibotSetup } from "./setup.ts";
import { chatSessionFaults, storeFaults } from "./store_faults.ts";

function customFaults(frame: Fields, report: Report): void {
  const name = own(frame, "message_type_name");
  const error = customNameError(frame);
  if (error !== null) return report("custom_unhashable", "$.message_type_name", `TypeError: ${error}`);
  if (typeof name !== "string" || name === "") return report("custom_nameless", "$.message_type_name", toText(name));
  if (name !== ECHO_NAME) return report("custom_unknown", "$.message_type_name", name);
  const content = own(frame, "content");
  if (!isObject(content)) return report("echo_incomplete", "$.content");
  if (own(content, "type") !== "echo") return report("echo_incomplete", "$.content.type");
  for (const key of ["echo", "actual_id"]) {
    if (toId(own(content, key)) === "") report("echo_incomplete", `$.content.${key}`);
  }
}

/** Finds the faults that MaiBot meets when it converts `message_segment`. */
function convertedContentFaults(content: unknown, version: MaibotVersion, report: Report): void {
  if (content !== undefined) return contentFaults(content, SEGMENT, version, report);
  report("segment_kind", SEGMENT, `暂时不支持的消息片段类型: ${toText(null)}`);
}

/** Checks a frame whose `message_info` is not an object. */
function missingInfoFaults(frame: Fields, version: MaibotVersion, report: Report): void {
  const [info, content] = [own(frame, "message_info"), own(frame, "message_segment")];
  const isOneBot = info === undefined && own(frame, "post_type") !== undefined;
  const error = info === undefined ? "'message_info'" : missingGetError(info);
  report(isOneBot ? "onebot_frame" : "message_info", INFO, error);
  if (isOneBot) return;
  if (content !== undefined) shapeFaults(content, SEGMENT, report);
  convertedContentFaults(content, version, report);
}

/** Checks an ordinary message, in the same order as MaiBot. */
function messageFaults(frame: Fields, setup: MaibotSetup, onFault: FaultHandler): void {
  const { version } = setup;
  const report = reportIn("preprocess", onFault);
  const [info, content] = [own(frame, "message_info"), own(frame, "message_segment")];
  if (!isObject(info)) return missingInfoFaults(frame, version, report);
  requiredIdFaults(info, report);
  senderReceiverFaults(info, report);
  if (content !== undefined) shapeFaults(content, SEGMENT, report);
  if (version !== "1.2.1") routeFaults(frame, info, report);
  conversionFaults(info, version, report);
  convertedContentFaults(content, version, report);
  nameFaults(info, report);
  emptyIdFaults(info, report);
  if (version === "1.2.1" && own(info, "platform") === "") {
    report("platform_empty", `${INFO}.platform`, "消息缺少平台信息");
  }
  const session = chatSessionOf(frame, version);
  if (session !== null) {
    chatSessionFaults(frame, info, session, report);
    answerFaults({ frame, info, session }, setup, report);
  }
  storeFaults(frame, info, version, reportIn("store", onFault));
  configFaults(info, report);
}

/**
 * Finds every rule that a frame breaks, in the order in which MaiBot finds them. If MaiBot drops the frame, it logs the
 * first rule with the level `drop`.
 *
 * Source: found by running the code of MaiBot 1.2.1 and 1.3.15.
 */
export function findFaults(frame: unknown, setup: MaibotSetup, onFault: FaultHandler): void {
  const surrogatePaths = new Set<string>();
  const onKnownFault: FaultHandler = (fault) => {
    const { rule, path } = fault;
    if (RULES[rule].sources[setup.version] === undefined) return; // this version of MaiBot does not have the rule
    if (rule === "surrogate") {
      if (surrogatePaths.has(path)) return; // an earlier step has reported the same fault
      surrogatePaths.add(path);
    }
    onFault(fault);
  };
  if (!isObject(frame)) reportIn("preprocess", onKnownFault)("not_object", "$", subscriptError(frame));
  else if (customName(frame) !== null) customFaults(frame, reportIn("dispatch", onKnownFault));
  else messageFaults(frame, setup, onKnownFault);
}
