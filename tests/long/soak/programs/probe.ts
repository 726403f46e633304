/**
 * A healthy peer that does nothing else: an echo every so often, whether or not the one before has come back, so that
 * a server that stops for a second is seen by all that were due in it.
 * @module
 */

import { createMessage, plainText, seg } from "../../../../mod.ts";
import { pause } from "../pause.ts";
import { answerWith, openSocket } from "./answers.ts";

/** Whom it calls. */
export interface ProbePlan {
  readonly url: string;
  readonly token?: string | undefined;
  /** Milliseconds between two echoes. */
  readonly everyMs: number;
}

/** What became of the echoes asked for since the lap before. */
export interface Lap {
  readonly echoed: number;
  /** No answer in ten seconds, or no connection to ask on. */
  readonly failed: number;
  /** Milliseconds; null when nothing has come back. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** What it answers. */
export interface ProbeAnswers {
  start(plan: ProbePlan): Promise<void>;
  lap(): Promise<Lap>;
}

const PLATFORM = "healthy";
/** Milliseconds after which an echo is held to have failed. */
const PATIENCE = 10_000;

interface Tally {
  readonly times: number[];
  failed: number;
  waiting: number;
}

interface Flight {
  readonly sentAt: number;
  readonly tally: Tally;
}

const newTally = (): Tally => ({ times: [], failed: 0, waiting: 0 });

let tally = newTally();
let nextNumber = 0;
let socket: WebSocket | null = null;
/** By number, and so by age. */
const flights = new Map<number, Flight>();

function land(number: number, isEchoed: boolean): void {
  const flight = flights.get(number);
  if (flight === undefined) return;
  flights.delete(number);
  flight.tally.waiting--;
  if (isEchoed) flight.tally.times.push(performance.now() - flight.sentAt);
  else flight.tally.failed++;
}

function ask(): void {
  if (socket === null) return void tally.failed++;
  const number = nextNumber++;
  const text = JSON.stringify(createMessage({ platform: PLATFORM, user: "1" }, seg.text(`${number}`)));
  flights.set(number, { sentAt: performance.now(), tally });
  tally.waiting++;
  socket.send(text);
}

async function connect({ url, token }: ProbePlan): Promise<void> {
  const opened = await openSocket(url, {
    platform: PLATFORM,
    ...(token === undefined ? {} : { authorization: token }),
  });
  opened.onmessage = ({ data }) => land(Number(plainText(JSON.parse(data))), true);
  opened.onclose = () => {
    socket = null;
    for (const number of flights.keys()) land(number, false);
  };
  socket = opened;
}

/** Comes back whenever the connection is lost. */
async function stayConnected(plan: ProbePlan): Promise<never> {
  for (;;) {
    await pause(100);
    if (socket === null) await connect(plan).catch(() => {}); // every echo that is due meanwhile counts as failed
  }
}

async function askSteadily({ everyMs }: ProbePlan): Promise<never> {
  for (let due = performance.now();; due += everyMs) {
    const now = performance.now();
    if (due > now) await pause(due - now);
    ask();
    for (const [number, { sentAt }] of flights) {
      if (now - sentAt < PATIENCE) break;
      land(number, false);
    }
  }
}

await answerWith<ProbeAnswers>({
  async start(plan) {
    await connect(plan);
    void stayConnected(plan); // neither ever ends or rejects
    void askSteadily(plan);
  },
  async lap() {
    const ended = tally;
    tally = newTally();
    while (ended.waiting > 0) await pause(5); // as long as PATIENCE
    const times = ended.times.sort((a, b) => a - b);
    const at = (share: number): number | null => times[Math.floor(times.length * share)] ?? null;
    return { echoed: times.length, failed: ended.failed, p50: at(0.5), p99: at(0.99), max: times.at(-1) ?? null };
  },
});
