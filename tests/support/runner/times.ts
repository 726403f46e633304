/**
 * How long each job took the last time on this machine: to say beforehand how long a run takes, and to start the long
 * ones first.
 * @module
 */

import { dirname } from "node:path";

import { ROOT } from "../package.ts";

const PATH = `${ROOT}node_modules/.maim/times.json`;
/** Seconds of a job that has never run here. */
const UNKNOWN = 3;

/** Seconds by the name of a job. */
export type Times = Readonly<Record<string, number>>;

/** Reads the times of earlier runs; there may be none. */
export function readTimes(): Times {
  try {
    return JSON.parse(Deno.readTextFileSync(PATH));
  } catch {
    return {}; // the first run, or a file that another run is writing
  }
}

/** Keeps the times of this run. */
export function writeTimes(times: Times): void {
  Deno.mkdirSync(dirname(PATH), { recursive: true });
  Deno.writeTextFileSync(PATH, JSON.stringify({ ...readTimes(), ...times }, null, 2));
}

/** Seconds that one job will take. */
export function expectedSeconds(times: Times, job: string): number {
  return times[job] ?? UNKNOWN;
}

/** Seconds that all jobs will take, so many at a time. */
export function expectedTotal(times: Times, jobs: readonly string[], width: number): number {
  const seconds = jobs.map((job) => expectedSeconds(times, job));
  return Math.max(0, ...seconds, seconds.reduce((sum, each) => sum + each, 0) / width);
}
