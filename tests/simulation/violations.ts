/** The rules of the oracle, by name: a run checks all but those that are switched off. */
export const RULES = {
  silentToServer: "a client's message to our own server is handled, reported or thrown (promise A)",
  silentToClient: "our server's message to our own client is handled, reported or thrown (promise A)",
  silentToPython: "a client's message to another server is lost silently only as promise B allows",
  truth: "a message reported with another reason than `unconfirmed`, or thrown, was not handled",
  twice: "a message is reported at most once",
  duplicate: 'a message is handled once; with `inDoubt: "resend"` at most twice',
  order: "messages of one sender over one connection are handled in the order of their sending",
  outbox: "what waits in the outbox stays below its bounds",
  remembered: "the messages that were sent and may be in doubt are bounded",
  mute: "a peer that agreed on pings and does not answer one is given up",
  silence: "a peer that nothing comes from and nothing goes to is given up",
  rate: "only a peer that sent too many messages is closed with 4429",
  places: "callers that were turned out take no place of those with a token",
  closeTime: "close() returns in time",
  pending: "connect(), flush() and close() come to an end",
  timers: "no timer is left after close()",
  sockets: "no socket is left when all is closed",
  afterClose: "a message that comes in after close() and is answered is no error",
  uncaught: "no exception or rejection ends the process",
  console: "nothing is printed, as every event has a listener",
  endless: "a run comes to an end",
} as const;

export type RuleName = keyof typeof RULES;

/** A rule that did not hold. */
export interface Violation {
  readonly rule: RuleName;
  readonly text: string;
}
