/**
 * Compares the codec with the oracle on one text.
 * @module
 */

import {
  decodeMessage,
  decodeSegments,
  encodeMessage,
  encodeStream,
  MessageDecodeError,
  MessageEncodeError,
  segBytes,
  SegmentEncoderStream,
  splitMessage,
} from "../../../codec.ts";
import type { MessageBase, Seg, WireMessage } from "../../../schema.ts";
import { Choices } from "../../support/random.ts";
import { decode, encode, faults, isCustom, levels, parse } from "./oracle.ts";

const MAX_NESTING = 500;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A difference between the codec and what it should do. */
export class Difference extends Error {
  override readonly name = "Difference";
}

function same(found: unknown, expected: unknown, what: string): void {
  if (found !== expected) throw new Difference(`${what}\n  found    ${show(found)}\n  expected ${show(expected)}`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 2000 ? `${text.slice(0, 2000)}...` : text;
}

type Outcome<T> = { readonly value: T; readonly error?: undefined } | {
  readonly value?: undefined;
  readonly error: MessageDecodeError | MessageEncodeError;
};

async function attempt<T>(act: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await act() };
  } catch (error) {
    if (error instanceof MessageDecodeError || error instanceof MessageEncodeError) return { error };
    throw new Difference(`threw ${error instanceof Error ? error.stack : error}`);
  }
}

/** What {@linkcode checkText} found the codec to make of a text. */
export interface Checked {
  /** Null if the text was taken. */
  readonly code: string | null;
  /** The message, encoded again; null if it was refused. */
  readonly again: string | null;
}

/**
 * Checks everything the codec does with a text; throws {@linkcode Difference}. The seed decides limits, sizes and where
 * blocks are cut.
 */
export async function checkText(text: string, seed: number): Promise<Checked> {
  const choices = new Choices(seed ^ 0x5bd1e995);
  const maxDepth = choices.oneIn(4) ? choices.below(4) : 32;
  const size = bytesOf(text).length;
  const decoded = await attempt(() =>
    decodeMessage(text, { maxDepth, maxBytes: choices.oneIn(2) ? size : undefined! })
  );
  const tooLarge = await attempt(() => decodeMessage(text, { maxDepth, maxBytes: size - 1 }));
  if (size > 0) same(tooLarge.error?.code, "too_large", "decodeMessage() with one byte too many");

  const parsed = parse(text);
  const wrong = parsed === null ? ["invalid_json $"] : faults(parsed.value, maxDepth);
  if (decoded.error !== undefined) {
    const { code, path } = decoded.error;
    if (!wrong.includes(`${code} ${path}`)) {
      same(`${code} ${path}`, wrong.join(" or ") || "no fault", "decodeMessage()");
    }
  } else if (parsed === null || wrong.length > 0) {
    same("no fault", wrong.join(" or "), "decodeMessage()");
  }
  await checkSegments(text.toWellFormed(), maxDepth, choices);
  if (choices.oneIn(4)) await checkBrokenBytes(text, choices);
  if (decoded.error !== undefined || parsed === null) return { code: decoded.error?.code ?? "", again: null };

  const message = decoded.value;
  const expected = decode(parsed.value) as WireMessage;
  same(JSON.stringify(message), JSON.stringify(expected), "decodeMessage()");
  const again = await checkEncoding(message, expected);
  if (again !== null) {
    if (choices.oneIn(4)) await checkStreams(message, again, choices);
    if (!isCustom(parsed.value) && choices.oneIn(2)) checkSplit(message as MessageBase, again, choices);
  }
  return { code: null, again };
}

/** Whether two texts are the same, or the first is the second in ASCII, as one that is mostly base64 may be written. */
function sameText(found: string | undefined, expected: string, what: string): void {
  const isAscii = found !== undefined && found.length > 2 ** 15 && !/[^ -~\u007f]/.test(found);
  if (isAscii) same(JSON.stringify(JSON.parse(found)), JSON.stringify(JSON.parse(expected)), what);
  else same(found, expected, what);
}

async function checkEncoding(message: WireMessage, expected: WireMessage): Promise<string | null> {
  const before = JSON.stringify(message);
  const { value: again, error } = await attempt(() => encodeMessage(message));
  if (levels(expected) > MAX_NESTING + 1) {
    same(error?.code, "too_deep", "encodeMessage() of a message that nests too deep");
    return null;
  }
  sameText(again, encode(expected), `encodeMessage() ${error ?? ""}`);
  same(JSON.stringify(message), before, "the message after encodeMessage()");
  const size = bytesOf(encode(expected)).length;
  const [fitting, tooLarge] = [size, size - 1].map((maxBytes) => attempt(() => encodeMessage(message, { maxBytes })));
  // Written in ASCII, a message may be larger; then it is written once more.
  sameText((await fitting!).value, encode(expected), "encodeMessage() with just enough bytes");
  same((await tooLarge!).error?.code, "too_large", "encodeMessage() with one byte too few");
  const twice = await attempt(() => encodeMessage(decodeMessage(again!, { maxDepth: 32 })));
  if (!hasLargeFloat(expected) && !hasEqualKeys(expected)) {
    same(twice.value, again, "encoding, decoding and encoding once more");
  }
  return again!;
}

/** 1e20 is written as an integer, which decoding makes a string: such a number does not come back as it went. */
function hasLargeFloat(value: unknown): boolean {
  if (typeof value === "number") return Math.abs(value) > 2 ** 53 && Math.abs(value) < 1e21;
  return typeof value === "object" && value !== null && Object.values(value).some(hasLargeFloat);
}

/** Keys that differ only in lone surrogates are one once they are written. */
function hasEqualKeys(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const keys = Object.keys(value).map((key) => key.toWellFormed());
  return new Set(keys).size < keys.length || Object.values(value).some(hasEqualKeys);
}

// ------------------------------------------------------------------------------------------ streams out

async function textOf(stream: ReadableStream<Uint8Array | string>): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for await (const block of stream) text += typeof block === "string" ? block : decoder.decode(block, { stream: true });
  return text + decoder.decode();
}

async function checkStreams(message: WireMessage, again: string, choices: Choices): Promise<void> {
  const size = bytesOf(again).length;
  const streamed = await attempt(() => textOf(encodeStream(message as MessageBase)));
  if (isCustomMessage(message)) return;
  sameText(again.length > 2 ** 15 ? again : streamed.value, again, `encodeStream() ${streamed.error ?? ""}`);
  const tooLarge = await attempt(() =>
    textOf(encodeStream(message as MessageBase, { maxBytes: bytesOf(streamed.value!).length - 1 }))
  );
  same(tooLarge.error?.code, "too_large", `encodeStream() with one byte too few of ${size}`);

  const { message_segment: top, ...envelope } = message as MessageBase;
  if (top.type !== "seglist" || choices.oneIn(2)) return;
  const segments = ReadableStream.from(top.data as Seg[]);
  const { value } = await attempt(() => textOf(segments.pipeThrough(new SegmentEncoderStream(envelope))));
  const whole = { ...JSON.parse(again) };
  delete whole.message_segment;
  const items = JSON.parse(again).message_segment.data;
  same(
    JSON.stringify(JSON.parse(value!)),
    JSON.stringify({ ...whole, message_segment: { type: "seglist", data: items } }),
    "SegmentEncoderStream",
  );
}

function isCustomMessage(message: WireMessage): boolean {
  return Reflect.get(message, "is_custom_message") === true;
}

// ------------------------------------------------------------------------------------------ streams in

function blocks(bytes: Uint8Array, choices: Choices): Uint8Array[] {
  const most = choices.pick([1, 3, 9, 40, Infinity]);
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = most === Infinity || bytes.length > 5000 ? bytes.length : at + choices.below(most + 1);
    found.push(bytes.slice(at, end));
    at = end;
  }
  return found;
}

/** Reads the bytes of a segment, if it has some, and puts their base64 in their place, behind a mark. */
async function fill(segment: Seg): Promise<void> {
  const { data } = segment;
  const isFile = typeof data === "object" && data !== null && "base64" in data;
  const [holder, key] = isFile ? [data, "base64"] : [segment, "data"];
  const stream: unknown = Reflect.get(holder, key);
  if (stream instanceof ReadableStream) Reflect.set(holder, key, await markOf(stream));
}

async function markOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const bytes: number[] = [];
  for await (const block of stream) bytes.push(...block);
  return `bytes ${new Uint8Array(bytes).toBase64()}`;
}

async function readAll(bytes: Uint8Array, maxDepth: number, choices: Choices): Promise<string> {
  const reader = decodeSegments(blocks(bytes, choices), { maxDepth });
  const segments: Seg[] = [];
  for await (const segment of reader) {
    segments.push(segment);
    await fill(segment);
  }
  // Only now: members that follow the bytes of a segment are added to it later.
  return JSON.stringify([await reader.envelope, segments]);
}

/** What a segment in memory comes to, in the same terms; throws if its base64 is none. */
function inMemory(segment: Seg): unknown {
  const { type, data } = segment;
  const mark = (): string => `bytes ${segBytes(segment).toBase64()}`;
  if (type === "file" && typeof data === "object" && data !== null && Object.hasOwn(data, "base64")) {
    return typeof Reflect.get(data, "base64") === "string"
      ? { ...segment, data: { ...data, base64: mark() } }
      : segment;
  }
  const isBytes = type === "image" || type === "voice" || type === "video" ||
    (type === "emoji" && /^[\w+/=\-\t\n\f\r ]*$/.test(String(data).slice(0, 4)));
  return isBytes && typeof data === "string" ? { ...segment, data: mark() } : segment;
}

async function checkSegments(text: string, maxDepth: number, choices: Choices): Promise<void> {
  const { value: whole } = await attempt(() => decodeMessage(text, { maxDepth }));
  const { value: read, error } = await attempt(() => readAll(bytesOf(text), maxDepth, choices));
  if (whole === undefined || isCustomMessage(whole)) {
    return same(read, undefined, "decodeSegments() of what decodeMessage() refuses, or of a custom message");
  }
  const { message_segment: top, ...envelope } = whole as MessageBase;
  let expected: string | undefined;
  try {
    const segments = (top.type === "seglist" ? top.data as Seg[] : [top]).map(inMemory);
    expected = JSON.stringify([envelope, segments]);
  } catch {
    // Some base64 is none.
  }
  if (read === undefined && parse(text)?.hasRepeated) return; // the first was given out already, or is wrong
  if (read === undefined && expected !== undefined) same(`${error?.code} ${error?.path}`, expected, "decodeSegments()");
  same(read, expected, "decodeSegments()");
}

/** Bytes that are no UTF-8 anywhere are refused, and no others. */
async function checkBrokenBytes(text: string, choices: Choices): Promise<void> {
  const bytes = [...bytesOf(text)];
  const odd = choices.pick([
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0x80],
    [0xff],
    [0xe4, 0xbd],
    [0xf0, 0x9f, 0x98],
    [0xf0, 0x9f, 0x98, 0x80],
    [0xef, 0xbf, 0xbd],
    [0xef, 0xbb, 0xbf],
  ]);
  bytes.splice(choices.below(bytes.length + 1), choices.below(3), ...odd);
  const broken = new Uint8Array(bytes);
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return await checkSegments(decoder.decode(broken), 32, choices);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const { value } = await attempt(() => readAll(broken, 32, choices));
  same(value, undefined, "decodeSegments() of bytes that are no UTF-8");
}

// ------------------------------------------------------------------------------------------ split

/** The segments of a message without lists, with texts that follow one another joined. */
function leaves(segment: Seg): unknown[] {
  return segment.type === "seglist" ? (segment.data as Seg[]).flatMap(leaves) : [segment];
}

function joined(segments: readonly unknown[]): string {
  const found: { rest: string; text: string }[] = [];
  for (const segment of segments as Seg[]) {
    const isText = segment.type === "text";
    const [rest, text] = isText
      ? [JSON.stringify({ ...segment, data: "" }), segment.data as string]
      : ["", JSON.stringify(segment)];
    const last = found.at(-1);
    if (isText && text === "") continue;
    if (isText && last?.rest === rest) last.text += text;
    else found.push({ rest, text });
  }
  return JSON.stringify(found);
}

function checkSplit(message: MessageBase, again: string, choices: Choices): void {
  const size = bytesOf(again).length;
  const maxBytes = choices.oneIn(4) ? size : 1 + choices.below(size);
  let messages: MessageBase[];
  try {
    messages = splitMessage(message, maxBytes);
  } catch (error) {
    if (error instanceof MessageEncodeError && error.code === "too_large" && maxBytes < size) return;
    throw new Difference(`splitMessage() to ${maxBytes} of ${size} bytes threw ${error}`);
  }
  if (messages.length === 1 && messages[0] === message) {
    return same(size <= maxBytes || again.length > 2 ** 15, true, "splitMessage() leaves alone what fits");
  }
  const large = messages.find((each) => bytesOf(encodeMessage(each)).length > maxBytes);
  same(large, undefined, `splitMessage() to ${maxBytes} bytes`);
  const top = message.message_segment.type === "seglist"
    ? message.message_segment.data as Seg[]
    : [message.message_segment];
  const reply = top.findIndex(({ type }) => type === "reply");
  const ordered = reply > 0 ? [top[reply]!, ...top.toSpliced(reply, 1)] : top;
  const found = messages.flatMap(({ message_segment }) => leaves(message_segment));
  same(joined(found), joined(ordered.flatMap(leaves)), `the segments after splitMessage() to ${maxBytes} bytes`);
}
