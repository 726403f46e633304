/**
 * The rules of `isMessageBase`, written for each validator in the way its own documentation does it.
 * @module
 */

import { Ajv } from "ajv";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import * as v from "valibot";
import * as z from "zod";

import { isMessageBase } from "../../schema.ts";

/** Tells whether a value is an ordinary message. */
export type Guard = (value: unknown) => boolean;

const TEXT_TYPES = ["text", "image", "emoji", "voice", "reply"] as const;
const RULED_TYPES = [...TEXT_TYPES, "at", "seglist"] as const;
const isUnruled = (type: string): boolean => !(RULED_TYPES as readonly string[]).includes(type);

// ---------------------------------------------------------------------------------------------- JSON Schema: ajv

const text = { type: "string", nullable: true };
const user = {
  type: "object",
  nullable: true,
  properties: { platform: text, user_id: text, user_nickname: text, user_cardname: text },
};
const group = { type: "object", nullable: true, properties: { platform: text, group_id: text, group_name: text } };
const formats = { type: "array", nullable: true, items: { type: "string" } };
const party = { type: "object", nullable: true, properties: { user_info: user, group_info: group } };

/** Branches by type without trying and failing: the fastest form ajv has for an open union. */
const segment = {
  $id: "segment",
  type: "object",
  required: ["type"],
  properties: { type: { type: "string" } },
  if: { properties: { type: { enum: TEXT_TYPES } } },
  then: { required: ["data"], properties: { data: { type: "string" } } },
  else: {
    if: { properties: { type: { const: "seglist" } } },
    then: { required: ["data"], properties: { data: { type: "array", items: { $ref: "segment" } } } },
    else: {
      if: { properties: { type: { const: "at" } } },
      then: { required: ["data"], properties: { data: { type: ["string", "object"] } } },
    },
  },
};

const message = {
  type: "object",
  required: ["message_info", "message_segment"],
  properties: {
    message_info: {
      type: "object",
      required: ["platform"],
      properties: {
        platform: { type: "string", minLength: 1 },
        message_id: text,
        time: { type: "number", nullable: true },
        ...{ user_info: user, group_info: group, sender_info: party, receiver_info: party },
        format_info: {
          type: "object",
          nullable: true,
          properties: { content_format: formats, accept_format: formats },
        },
        template_info: {
          type: "object",
          nullable: true,
          properties: { template_name: { type: ["string", "object"], nullable: true } },
        },
      },
    },
    message_segment: { $ref: "segment" },
    raw_message: text,
  },
};

function ajvGuard(ownProperties: boolean): Guard {
  const ajv = new Ajv({ ownProperties, strict: false });
  ajv.addSchema(segment);
  const validate = ajv.compile(message);
  return (value) => validate(value) as boolean;
}

// ---------------------------------------------------------------------------------------------- typebox

function typeboxGuard(): Guard {
  const Text = Type.Optional(Type.Union([Type.String(), Type.Null()]));
  const optional = (type: Parameters<typeof Type.Object>[0]) =>
    Type.Optional(Type.Union([Type.Object(type), Type.Null()]));
  const User = optional({ platform: Text, user_id: Text, user_nickname: Text, user_cardname: Text });
  const Group = optional({ platform: Text, group_id: Text, group_name: Text });
  const Formats = Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()]));
  const Party = optional({ user_info: User, group_info: Group });
  const literals = (names: readonly string[]) => Type.Union(names.map((name) => Type.Literal(name)));
  const Data = Type.Object({});
  const module = Type.Module({
    Seg: Type.Union([
      Type.Object({ type: literals(TEXT_TYPES), data: Type.String() }),
      Type.Object({ type: Type.Literal("seglist"), data: Type.Array(Type.Ref("Seg")) }),
      Type.Object({ type: Type.Literal("at"), data: Type.Union([Type.String(), Data]) }),
      Type.Object({ type: Type.String({ pattern: `^(?!(?:${RULED_TYPES.join("|")})$)` }) }),
    ]),
    Message: Type.Object({
      message_info: Type.Object({
        platform: Type.String({ minLength: 1 }),
        message_id: Text,
        time: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
        ...{ user_info: User, group_info: Group, sender_info: Party, receiver_info: Party },
        format_info: optional({ content_format: Formats, accept_format: Formats }),
        template_info: optional({
          template_name: Type.Optional(Type.Union([Type.String(), Data, Type.Null()])),
        }),
      }),
      message_segment: Type.Ref("Seg"),
      raw_message: Text,
    }),
  });
  const compiled = Compile(module.Message);
  return (value) => compiled.Check(value);
}

// ---------------------------------------------------------------------------------------------- zod

function zodGuard(): Guard {
  const text = z.string().nullish();
  const user = z.looseObject({ platform: text, user_id: text, user_nickname: text, user_cardname: text }).nullish();
  const group = z.looseObject({ platform: text, group_id: text, group_name: text }).nullish();
  const formats = z.array(z.string()).nullish();
  const party = z.looseObject({ user_info: user, group_info: group }).nullish();
  const data = z.looseObject({});
  const segment: z.ZodType = z.lazy(() =>
    z.union([
      z.looseObject({ type: z.enum(TEXT_TYPES), data: z.string() }),
      z.looseObject({ type: z.literal("seglist"), data: z.array(segment) }),
      z.looseObject({ type: z.literal("at"), data: z.union([z.string(), data]) }),
      z.looseObject({ type: z.string().refine(isUnruled) }),
    ])
  );
  const message = z.looseObject({
    message_info: z.looseObject({
      platform: z.string().min(1),
      message_id: text,
      time: z.number().nullish(),
      ...{ user_info: user, group_info: group, sender_info: party, receiver_info: party },
      format_info: z.looseObject({ content_format: formats, accept_format: formats }).nullish(),
      template_info: z.looseObject({ template_name: z.union([z.string(), data]).nullish() }).nullish(),
    }),
    message_segment: segment,
    raw_message: text,
  });
  return (value) => message.safeParse(value).success;
}

// ---------------------------------------------------------------------------------------------- valibot

function valibotGuard(): Guard {
  const text = v.nullish(v.string());
  const user = v.nullish(
    v.looseObject({ platform: text, user_id: text, user_nickname: text, user_cardname: text }),
  );
  const group = v.nullish(v.looseObject({ platform: text, group_id: text, group_name: text }));
  const formats = v.nullish(v.array(v.string()));
  const party = v.nullish(v.looseObject({ user_info: user, group_info: group }));
  const data = v.looseObject({});
  const segment: v.GenericSchema = v.lazy(() => anySegment);
  const anySegment = v.union([
    v.looseObject({ type: v.picklist(TEXT_TYPES), data: v.string() }),
    v.looseObject({ type: v.literal("seglist"), data: v.array(segment) }),
    v.looseObject({ type: v.literal("at"), data: v.union([v.string(), data]) }),
    v.looseObject({ type: v.pipe(v.string(), v.check(isUnruled)) }),
  ]);
  const message = v.looseObject({
    message_info: v.looseObject({
      platform: v.pipe(v.string(), v.minLength(1)),
      message_id: text,
      time: v.nullish(v.number()),
      ...{ user_info: user, group_info: group, sender_info: party, receiver_info: party },
      format_info: v.nullish(v.looseObject({ content_format: formats, accept_format: formats })),
      template_info: v.nullish(v.looseObject({ template_name: v.nullish(v.union([v.string(), data])) })),
    }),
    message_segment: segment,
    raw_message: text,
  });
  return (value) => v.is(message, value);
}

/** Makes every guard that is compared, by name. */
export function createGuards(): Readonly<Record<string, Guard>> {
  return {
    isMessageBase,
    "ajv compiled": ajvGuard(false),
    "ajv compiled, own properties": ajvGuard(true),
    "typebox compiled": typeboxGuard(),
    "zod 4": zodGuard(),
    valibot: valibotGuard(),
  };
}
