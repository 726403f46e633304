/** How often a fault was drawn, and what came of it. */
export interface FaultCount {
  drawn: number;
  /** Messages reported as dropped after it, before the next fault. */
  reports: number;
  /** Connections that a client lost after it, before the next fault. */
  reconnects: number;
}

/** Counts over many runs. */
export interface Counts {
  runs: number;
  events: number;
  /** Messages that `send` took. */
  taken: number;
  handled: number;
  thrown: number;
  dropped: number;
  /** Reported as `unconfirmed` although they were handled: allowed, but each is a nuisance. */
  needless: number;
  faults: Record<string, FaultCount>;
}

export function newCounts(): Counts {
  return { runs: 0, events: 0, taken: 0, handled: 0, thrown: 0, dropped: 0, needless: 0, faults: {} };
}

export function faultIn(counts: Counts, name: string): FaultCount {
  return counts.faults[name] ??= { drawn: 0, reports: 0, reconnects: 0 };
}

/** Adds the counts of another process. */
export function addCounts(sum: Counts, other: Counts): void {
  for (const name of ["runs", "events", "taken", "handled", "thrown", "dropped", "needless"] as const) {
    sum[name] += other[name];
  }
  for (const [name, fault] of Object.entries(other.faults)) {
    const mine = faultIn(sum, name);
    mine.drawn += fault.drawn;
    mine.reports += fault.reports;
    mine.reconnects += fault.reconnects;
  }
}

/** A table of the faults, for a terminal. */
export function faultTable({ faults }: Counts): string[] {
  const rows = Object.entries(faults).toSorted(([a], [b]) => a < b ? -1 : 1);
  const row = (name: string, ...numbers: (string | number)[]) =>
    name.padEnd(18) + numbers.map((number) => `${number}`.padStart(12)).join("");
  return [
    row("fault", "drawn", "reports", "reconnects"),
    ...rows.map(([name, { drawn, reports, reconnects }]) =>
      row(name, drawn, reports, reconnects) + (reports + reconnects === 0 ? "  <- a hole" : "")
    ),
  ];
}
