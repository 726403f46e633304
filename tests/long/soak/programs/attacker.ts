/**
 * An attacker: does one of its attacks and tells what became of it.
 * @module
 */

import { answerWith } from "./answers.ts";
import { badFrames, binaryFrames, deepJson, deepLists, giant, manySegments } from "./contents.ts";
import { headerBombs, trickle } from "./handshakes.ts";
import type { Attack, Victim } from "./outcomes.ts";
import { guessesFrom, streams } from "./tokens.ts";

/** What it answers. */
export interface AttackerAnswers {
  attack(order: { readonly name: string; readonly victim: Victim }): Promise<string>;
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  trickle,
  headerBombs,
  guesses: guessesFrom(1),
  spreadGuesses: guessesFrom(20),
  streams,
  badFrames,
  binaryFrames,
  deepLists,
  deepJson,
  manySegments,
  giant,
};

await answerWith<AttackerAnswers>({
  async attack({ name, victim }) {
    const attack = ATTACKS[name];
    if (attack === undefined) throw new RangeError(`Cannot attack by "${name}"`);
    return await attack(victim);
  },
});
