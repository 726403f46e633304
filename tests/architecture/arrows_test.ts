import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { posix } from "node:path";

import { entryPoints, publishedModules, readText } from "../support/package.ts";
import { findImports, readSource } from "../support/source_code.ts";

/**
 * The arrow rule: which room may import from which, types included. A room may always import from itself, and a face
 * (a file at the root) from every room; nothing imports a face.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  util: [],
  runtime: ["util"],
  schema: ["util"],
  codec: ["util", "schema"],
  session: ["util", "runtime", "schema", "codec"],
  client: ["util", "runtime", "schema", "codec", "session"],
  server: ["util", "runtime", "schema", "codec", "session"],
  maibot: ["util", "runtime", "schema", "codec", "session", "client"],
  "maibot/fake": ["util", "runtime", "schema", "codec", "session", "client", "server", "maibot"],
};

/** Imports against the rule that are being removed. One that is gone has to go from this list, too. */
const TO_BE_REMOVED: readonly string[] = [];

const FACE = "a face";

/** Names the room a file stands in. */
function roomOf(file: string): string {
  // The line that starts the stand-in belongs to its program.
  if (file === "maibot/main.ts" || file.startsWith("maibot/fake/")) return "maibot/fake";
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : FACE;
}

function isAllowed(from: string, to: string): boolean {
  const [room, target] = [roomOf(from), roomOf(to)];
  return room === target || room === FACE || (ARROWS[room]?.includes(target) ?? false);
}

/** What each published module imports from the package. */
const modules: ReadonlyMap<string, readonly string[]> = new Map(publishedModules.map((file) => {
  const { specifiers } = findImports(readSource(readText(file)));
  return [file, specifiers.filter((name) => name.startsWith(".")).map((name) => posix.join(posix.dirname(file), name))];
}));

/** Finds a way from a file back to itself; undefined if there is none. */
function findCycle(start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const open = [start];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const target of modules.get(file) ?? []) {
      if (target === start) return pathTo(file, cameFrom, [start]);
      if (cameFrom.has(target)) continue;
      cameFrom.set(target, file);
      open.push(target);
    }
  }
  return undefined;
}

function pathTo(file: string, cameFrom: ReadonlyMap<string, string>, end: readonly string[]): string[] {
  const path = [...end];
  for (let step: string | undefined = file; step !== undefined; step = cameFrom.get(step)) path.unshift(step);
  return path;
}

describe("Published modules", () => {
  it("stand in rooms that the arrow rule names", () => {
    const rooms = new Set(publishedModules.map(roomOf));
    assertEquals([...rooms].toSorted(), [FACE, ...Object.keys(ARROWS)].toSorted());
  });

  it("import from other rooms only along the arrows", () => {
    const found = [...modules].flatMap(([file, inside]) =>
      [...new Set(inside)].filter((target) => !isAllowed(file, target)).map((target) => `${file} -> ${target}`)
    );
    const added = found.filter((arrow) => !TO_BE_REMOVED.includes(arrow));
    assertEquals(added, [], "these imports break the arrow rule: move what is shared into a lower room");
    const gone = TO_BE_REMOVED.filter((arrow) => !found.includes(arrow));
    assertEquals(gone, [], "these are repaired: take them out of TO_BE_REMOVED");
  });

  it("import in no circle", () => {
    const cycles = publishedModules.map(findCycle).filter((cycle) => cycle !== undefined);
    assertEquals(cycles.map((cycle) => cycle.join(" -> ")), []);
  });

  it("import files that exist and are published", () => {
    const missing = [...modules].flatMap(([file, inside]) =>
      inside.filter((target) => !modules.has(target)).map((target) => `${file} -> ${target}`)
    );
    assertEquals(missing, []);
    for (const file of entryPoints.values()) assert(modules.has(file), `${file} is exported and not published`);
  });
});
