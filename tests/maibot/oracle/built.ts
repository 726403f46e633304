/**
 * What the builders make of generated arguments: what an adapter that uses them can send.
 * @module
 */

import fc from "fast-check";

import { encodeMessage } from "../../../codec.ts";
import {
  createCustom,
  createMessage,
  createReply,
  type MessageBase,
  type Seg,
  seg,
  type WireMessage,
} from "../../../schema.ts";
import { RawJson } from "./json_text.ts";
import type { GeneratorOptions } from "./generated.ts";
import { anything, flags, type Values } from "./values.ts";

/** A message as it was built, and its text on the wire. */
export interface BuiltFrame {
  readonly message: WireMessage;
  readonly text: string;
}

/** A builder that may refuse its arguments. */
type Build<T> = () => T;

/** Values that JavaScript can hold: what only JSON text can say is left out. */
const values: Values = anything.filter((value) => !hasRawJson(value));

function hasRawJson(value: unknown): boolean {
  if (value instanceof RawJson) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasRawJson);
}

// MaiBot keeps no half of a character; the encoder mends what is sent, and the value as built is not what is sent.
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const name = text.filter((value) => value !== "");
/** Mostly the same few: what MaiBot has not seen, a user, a chat or a picture, takes it twice as long. */
const id = fc.oneof({ weight: 4, arbitrary: fc.constantFrom("10001", "10002", "987", "用户") }, {
  weight: 1,
  arbitrary: name,
});
const bytes = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<Uint8Array | string>(new Uint8Array(3), new Uint8Array(), "", "AQ==", "AQID"),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 24 }) },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 24 }) },
);
const objects = fc.dictionary(name, values, { maxKeys: 3, noNullPrototype: true });

const file = fc.record({ name: text, size: fc.nat(), url: fc.webUrl(), base64: bytes, note: values }, {
  requiredKeys: [],
  noNullPrototype: true,
});

const segments: fc.Arbitrary<Build<Seg>> = fc.letrec<{ segment: Build<Seg> }>((tie) => ({
  segment: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 4, arbitrary: text.map((value) => () => seg.text(value)) },
    bytes.map((data) => () => seg.image(data)),
    bytes.map((data) => () => seg.emoji(data)),
    bytes.map((data) => () => seg.voice(data)),
    name.map((id) => () => seg.at(id)),
    name.map((id) => () => seg.reply(id)),
    file.map((data) => () => seg.file(data)),
    objects.map((data) => () => seg.dict(data)),
    fc.tuple(fc.constantFrom("image", "emoji", "voice", "dict", "face", "poke"), fc.oneof(bytes, values))
      .map(([type, data]) => () => seg.of(type, data)),
    fc.array(tie("segment"), { maxLength: 3 }).map((builds) => () => seg.list(...builds.map((build) => build()))),
  ),
})).segment;

const contents = fc.array(segments, { maxLength: 4 }).map((builds) => () => builds.map((build) => build()));

const user = fc.oneof(
  id,
  fc.record({ user_id: id, user_nickname: text, user_cardname: text, platform: text }, {
    requiredKeys: ["user_id"],
    noNullPrototype: true,
  }),
);
const group = fc.oneof(
  id,
  fc.record({ group_id: id, group_name: text, platform: text }, {
    requiredKeys: ["group_id"],
    noNullPrototype: true,
  }),
);
const party = fc.record({
  user_info: fc.record({ user_id: name, user_nickname: text }, { requiredKeys: [], noNullPrototype: true }),
  group_info: fc.record({ group_id: name, group_name: text }, { requiredKeys: [], noNullPrototype: true }),
}, { requiredKeys: [], noNullPrototype: true });
const config = fc.record({ at_bot: flags, is_mentioned: flags, connection_id: name, note: values }, {
  requiredKeys: [],
  noNullPrototype: true,
});
const configs = fc.oneof(
  { weight: 4, arbitrary: config },
  { weight: 1, arbitrary: fc.tuple(config, name).map(([rest, self_id]) => ({ ...rest, self_id })) },
).filter((value) => !hasRawJson(value));

/** A platform and the bot's account there, mostly as they are configured. */
const route = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom({ platform: "qq", account: "777" }, { platform: "tp", account: "888" }) },
  { weight: 1, arbitrary: fc.record({ platform: name, account: name }) },
  { weight: 1, arbitrary: fc.record({ platform: fc.constantFrom("qq", "tp") }) },
);
const time = fc.oneof(
  fc.date({ min: new Date(1), max: new Date(253402300799000), noInvalidDate: true }),
  fc.double({ min: 0.001, max: 253402300799, noNaN: true }),
);
const rest = fc.record({
  ...{ user, group, time, scope: name, message_id: name, additional_config: configs },
  ...{ sender_info: party, receiver_info: party, raw_message: text },
}, { requiredKeys: ["user"], noNullPrototype: true });
const options = fc.tuple(route, rest).map(([where, what]) => ({ ...where, ...what }));

const messages: fc.Arbitrary<Build<MessageBase>> = fc.tuple(options, contents)
  .map(([given, content]) => () => createMessage(given, ...content()));
const replies: fc.Arbitrary<Build<MessageBase>> = fc.tuple(messages, contents)
  .map(([build, content]) => () => createReply(build(), ...content()));
const echoes = fc.record({ type: fc.constantFrom("echo", "ack"), echo: text, actual_id: text }, {
  requiredKeys: [],
  noNullPrototype: true,
});
const customs: fc.Arbitrary<Build<WireMessage>> = fc.oneof(
  fc.tuple(name, values.filter((value) => value !== undefined)).map(([type, content]) => () =>
    createCustom(type, content, "qq")
  ),
  fc.oneof(echoes, values).map((content) => () => createCustom("message_id_echo", content, "qq")),
);

const calls: fc.Arbitrary<Build<WireMessage>> = fc.oneof(
  { weight: 12, arbitrary: messages },
  { weight: 3, arbitrary: replies },
  { weight: 1, arbitrary: customs },
);

/** Calls the builders; a call that they refuse is made, too, and has no frame. */
export function buildFrames({ seed, count }: GeneratorOptions): BuiltFrame[] {
  return fc.sample(calls, { seed, numRuns: count }).flatMap((build) => {
    try {
      const message = build();
      return [{ message, text: encodeMessage(message) }];
    } catch (error) {
      if (error instanceof TypeError) return [];
      throw error;
    }
  });
}
