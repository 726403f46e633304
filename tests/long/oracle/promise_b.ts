/**
 * Promise B: what may be lost silently if the server cannot confirm messages.
 * @module
 */

import type { FaultyProxy } from "../../support/peers/faulty_proxy.ts";
import type { Entry } from "./ledger.ts";
import type { Scenario } from "./scenario.ts";

/** Milliseconds of leeway: a busy process is late. */
const EDGE = 100;

/** Times of one client. */
export interface ClientTimes {
  /** Times at which a connection became usable. */
  readonly opened: number[];
  /** Times at which a connection was lost, or at which the client began to close. */
  readonly ended: number[];
}

/**
 * True if a half-open line has swallowed a message before the last `interval + timeout` of its connection, and the
 * client could not notice it.
 */
export function mayBeSilent(
  { at }: Entry,
  { opened, ended }: ClientTimes,
  proxy: FaultyProxy,
  { client: { heartbeat } }: Scenario,
): boolean {
  const isOpen = opened.findLast((time) => time <= at) ?? -1;
  const hasEnded = ended.some((time) => time > isOpen && time <= at);
  const sentAt = isOpen >= 0 && !hasEnded ? at : opened.find((time) => time > at);
  if (sentAt === undefined) return false; // it waited until the end
  const end = ended.find((time) => time >= sentAt) ?? Infinity;
  const isSwallowed = proxy.deafTimes.some(({ since, until }) => sentAt >= since - EDGE && sentAt <= until + EDGE);
  const noticedAfter = heartbeat.interval + heartbeat.timeout;
  if (!isSwallowed || sentAt > end - noticedAfter + EDGE) return false;
  const heardAt = proxy.heardAt.findLast((time) => time <= end) ?? -Infinity;
  const mustHaveNoticed = end >= heardAt + noticedAfter + EDGE && sentAt > heardAt + EDGE;
  return !mustHaveNoticed;
}
