/**
 * Mends of faults, each undone by a small change of today's code, and the kept scenario that must notice it. When code
 * moves, only this file has to follow.
 * @module
 */

/** One text of the code, which must occur exactly once, and what it becomes. */
export interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A mend that is undone. */
export interface Revert {
  /** What is wrong without the mend. */
  readonly what: string;
  /** Names of kept scenarios that break their rule without it. */
  readonly kept: readonly string[];
  readonly changes: readonly Change[];
}

const NO_BEGIN: Change = {
  file: "client/closing.ts",
  find: "    this.link.session.beginEnd();\n",
  replace: "",
};
const NO_SILENCE: Change = {
  file: "client/connection.ts",
  find: "takeInDoubt(isSilent ? link.heardAt : Infinity)",
  replace: "takeInDoubt(Infinity)",
};
const NOBODY_UNKNOWN: Change = {
  file: "session/session.ts",
  find: "return this.#features === null && this.#options.offered !== null && !this.#wasHeard;",
  replace: "return false;",
};

const NEVER_UNANSWERED: Change = {
  file: "session/confirmation.ts",
  find: "now > this.#question.deadline",
  replace: "now > Infinity",
};

/** All of them. */
export const REVERTS: readonly Revert[] = [
  {
    what:
      "a client that closes counts the doubt back from the end of closeTimeout, and asks nobody how long it was silent",
    kept: ["frozen-close"],
    changes: [NO_BEGIN, NO_SILENCE, NOBODY_UNKNOWN],
  },
  {
    what: "the runtime's answer to a close frame counts as delivery, also while our own server turns the client out",
    kept: ["limit-close", "peer-close"],
    changes: [
      {
        file: "client/connection.ts",
        find: "const isRead = isAnswer && !link.session.answersPings && !link.session.isUnknown;",
        replace: "const isRead = isAnswer;",
      },
      {
        file: "client/closing.ts",
        find: "if (!isAsked && !this.#mustFindOut) return this.#shakeHands();",
        replace: "return this.#shakeHands();",
      },
    ],
  },
  {
    what: "a server reports nothing of what it wrote to a connection that was lost",
    kept: ["server-cut", "server-kill"],
    changes: [{
      file: "server/peer.ts",
      find: "if (messages.length > 0) this.#events.unconfirmed(this, messages);",
      replace: "void messages;",
    }],
  },
  {
    what: "pings count against messagesPerSecond",
    kept: ["ping-counts-steady"],
    changes: [{
      file: "server/peer.ts",
      find: 'if (received === "own") return;',
      replace: 'if (received === "own") return this.#rate?.take() === false ? this.#closeFast() : undefined;',
    }],
  },
  {
    what: "a message that was sent before is reported as expired or closed",
    kept: ["resend-expired", "resend-closed"],
    changes: [{ file: "client/outbox.ts", find: 'tries > 0 ? "unconfirmed" : reason', replace: "reason" }],
  },
  {
    what: "a server that is frozen during an upload gets the time that all of the upload takes",
    kept: ["frozen-upload"],
    changes: [
      {
        file: "client/heartbeat.ts",
        find: "Math.max(frameTime, kernelTime(question)) - runtime.now()",
        replace: "before.queued / 131.072 - runtime.now()",
      },
      NEVER_UNANSWERED,
    ],
  },
  {
    what: "a peer that talks and never answers pings is not given up",
    kept: ["mute"],
    changes: [NEVER_UNANSWERED],
  },
  {
    what: "what a peer never confirms is remembered without bound",
    kept: ["mute-remembered"],
    changes: [{
      file: "session/confirmation.ts",
      find: 'return proof !== "handled" && !(proof === "unknown" && this.#host.canFindOut);',
      replace: "return proof !== null;",
    }],
  },
  {
    what: "a server whose hello was cut off counts as one of another library",
    kept: ["hello-cut"],
    changes: [NO_BEGIN, NO_SILENCE, NOBODY_UNKNOWN],
  },
  {
    what: "a handler that answers after close() causes an error event",
    kept: ["late-message"],
    changes: [{
      file: "client/client.ts",
      find: "new Emitter<Events>((error) => isClosedError(error) && isOver(this.status))",
      replace: "new Emitter<Events>()",
    }],
  },
  {
    what: "callers that were turned out keep their places",
    kept: ["places"],
    changes: [
      {
        file: "server/server.ts",
        find: "turnedOut: (peer: ServerPeer): void => this.#callers.places.turnOut(peer),",
        replace: "turnedOut: (_peer: ServerPeer): void => {},",
      },
      {
        file: "server/callers.ts",
        find: "else this.places.addTurnedOut(peer);",
        replace: "else this.places.take(caller.address);",
      },
    ],
  },
];
