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
  /** Ids of messages that the proxy has passed on. */
  readonly passed: Set<string>;
  /** Time at which the client was closed. */
  closedAt: number;
  /** Times at which the server was killed. */
  readonly killed: number[];
}

/**
 * True if the server was killed when it had just answered the client's close: it had read everything before, and may
 * not have handled it.
 */
export function wasKilledReading({ closedAt, killed }: ClientTimes): boolean {
  return killed.some((time) => Math.abs(time - closedAt) < EDGE);
}

/**
 * True if a half-open line has swallowed a message before the last `interval + timeout` of its connection, and the
 * client could not notice it.
 */
export function mayBeSilent({ id, at }: Entry, times: ClientTimes, proxy: FaultyProxy, scenario: Scenario): boolean {
  const { opened, ended } = times;
  const openedAt = opened.findLast((time) => time <= at) ?? Infinity;
  const isOpen = openedAt <= at && !ended.some((time) => time > openedAt && time <= at);
  // Otherwise it waited; with "resend" it may have been sent again.
  const later = opened.filter((time) => time > at);
  const mayResend = scenario.client.outbox.inDoubt === "resend";
  const sendings = [...isOpen ? [at] : [], ...later.slice(0, isOpen && !mayResend ? 0 : mayResend ? 2 : 1)];
  return sendings.some((sentAt) => isSwallowed(sentAt, times.passed.has(id), times, proxy, scenario));
}

function isSwallowed(
  sentAt: number,
  hasPassed: boolean,
  { ended }: ClientTimes,
  proxy: FaultyProxy,
  { client: { heartbeat } }: Scenario,
): boolean {
  const end = ended.find((time) => time >= sentAt) ?? Infinity;
  // What has passed may be a message that was sent again, or the server's close frame did not pass.
  const early = hasPassed ? EDGE : end - sentAt;
  const wasDeaf = proxy.deafTimes.some(({ since, until }) => sentAt >= since - early && sentAt <= until + EDGE);
  const noticedAfter = heartbeat.interval + heartbeat.timeout;
  if (!wasDeaf || sentAt > end - noticedAfter + EDGE) return false;
  const heardAt = proxy.heardAt.findLast((time) => time <= end) ?? -Infinity;
  const mustHaveNoticed = end >= heardAt + noticedAfter + EDGE && sentAt > heardAt + EDGE;
  return !mustHaveNoticed;
}
