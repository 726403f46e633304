import { isCustom, isSeg } from "../schema/guards.ts";
import { plainText } from "../schema/plain_text.ts";
import type { MessageBase, Seg } from "../schema/types.ts";
import { MessageEncodeError } from "./errors.ts";
import { withoutInfoNulls } from "./nulls.ts";
import { base64Length } from "./stream/blocks.ts";
import { type CutText, splitAtBinaries } from "./stream/message_text.ts";
import { utf8Length } from "../util/utf8.ts";

/** A segment and where it stood. */
interface Item {
  readonly segment: Seg;
  readonly path: string;
}

function tooLarge(path: string, maxBytes: number): MessageEncodeError {
  const need = `${path} must fit in a message of ${maxBytes} bytes`;
  return new MessageEncodeError(`Cannot split message as ${need}`, { code: "too_large", path });
}

function textBytes({ parts, binaries }: CutText): number {
  let bytes = 0;
  for (const part of parts) bytes += utf8Length(part);
  for (const binary of binaries) {
    if (!(binary instanceof Uint8Array)) throw new TypeError("Cannot split message as its bytes must be in memory");
    bytes += base64Length(binary.length);
  }
  return bytes;
}

/** Measures in bytes of `encodeMessage`, or somewhat more where a message with bytes in it is ASCII. */
class Ruler {
  readonly #isAscii: boolean;
  readonly #hasRaw: boolean;

  constructor(isAscii: boolean, hasRaw: boolean) {
    this.#isAscii = isAscii;
    this.#hasRaw = hasRaw;
  }

  message(message: MessageBase): number {
    return textBytes(splitAtBinaries(message, withoutInfoNulls, { isAscii: this.#isAscii }));
  }

  /** What a segment adds to a message: itself, and its share of `raw_message`. */
  segment(segment: Seg): number {
    const alone = { message_info: { platform: "none" }, message_segment: segment };
    const text = splitAtBinaries(alone, ({ message_segment }) => message_segment, { isAscii: this.#isAscii });
    let bytes = textBytes(text);
    if (this.#hasRaw) { for (const character of flatText(segment)) bytes += this.#character(character); }
    return bytes;
  }

  /** How much of a text fits: never half a character. */
  prefix(text: string, room: number): number {
    let left = room;
    let end = 0;
    for (const character of text) {
      left -= this.#character(character) * (this.#hasRaw ? 2 : 1);
      if (left < 0) break;
      end += character.length;
    }
    return end;
  }

  #character(character: string): number {
    const code = character.charCodeAt(0);
    if (code < 0x20) return "\b\f\n\r\t".includes(character) ? 2 : 6;
    if (code < 0x80) return character === '"' || character === "\\" ? 2 : 1;
    return this.#isAscii ? 6 * character.length : utf8Length(character);
  }
}

/** Fills one part after the other. */
class Packer {
  readonly parts: MessageBase[] = [];
  readonly #message: MessageBase;
  readonly #maxBytes: number;
  readonly #ruler: Ruler;
  #segments: Seg[] = [];
  #room: number;

  constructor(message: MessageBase, maxBytes: number, isAscii: boolean) {
    this.#message = message;
    this.#maxBytes = maxBytes;
    this.#ruler = new Ruler(isAscii, typeof message.raw_message === "string");
    this.#room = this.#emptyRoom(0);
  }

  /** Packs segments in order; what does not fit whole is taken apart where it can be. */
  pack(items: readonly Item[]): void {
    const left = items.toReversed();
    for (let item = left.pop(); item !== undefined; item = left.pop()) {
      if (this.#put(item.segment)) continue;
      const { segment, path } = item;
      const isText = isSeg(segment, "text");
      const isTooLong = isText && !this.#fitsAlone(segment);
      const rest = isTooLong ? this.#putStart(segment) : null;
      if (rest !== null) left.push({ segment: rest, path });
      else if (this.#segments.length > 0) left.push(item);
      else if (segment.type === "seglist") { for (const inner of itemsOf(segment, path).reverse()) left.push(inner); }
      else throw tooLarge(contentPath(item), this.#maxBytes);
      if (this.#segments.length > 0) this.close();
    }
  }

  /** Ends the part that is being filled. */
  close(): void {
    this.parts.push(this.#part(this.parts.length, this.#segments));
    this.#segments = [];
    this.#room = this.#emptyRoom(this.parts.length);
  }

  get #comma(): number {
    return this.#segments.length > 0 ? 1 : 0;
  }

  #put(segment: Seg): boolean {
    const isHopeless = isSeg(segment, "text") && segment.data.length > this.#room;
    const bytes = isHopeless ? Infinity : this.#ruler.segment(segment) + this.#comma;
    if (bytes > this.#room) return false;
    this.#room -= bytes;
    this.#segments.push(segment);
    return true;
  }

  /** Tells whether a segment fits in the next part, where it will be the first. */
  #fitsAlone(segment: Seg & { data: string }): boolean {
    const room = this.#emptyRoom(this.parts.length + 1);
    return segment.data.length <= room && this.#ruler.segment(segment) <= room;
  }

  /** Puts the beginning of a text where there is room, and gives the rest; null when nothing fits. */
  #putStart(segment: Seg & { data: string }): Seg | null {
    const room = this.#room - this.#comma - this.#ruler.segment({ ...segment, data: "" });
    const end = this.#ruler.prefix(segment.data, room);
    if (end === 0) return null;
    this.#segments.push({ ...segment, data: segment.data.slice(0, end) });
    return { ...segment, data: segment.data.slice(end) };
  }

  #emptyRoom(index: number): number {
    const room = this.#maxBytes - this.#ruler.message(this.#part(index, []));
    if (room < 0) throw tooLarge("$.message_info", this.#maxBytes);
    return room;
  }

  #part(index: number, data: Seg[]): MessageBase {
    const { message_info: info, message_segment: segment, raw_message } = this.#message;
    const { message_id: id } = info;
    const hasId = index > 0 && id !== undefined && id !== null && id !== "";
    const list = segment.type === "seglist" ? { ...segment, data } : { type: "seglist", data };
    return {
      ...this.#message,
      message_info: hasId ? { ...info, message_id: `${id}_${index + 1}` } : info,
      message_segment: list,
      ...(typeof raw_message === "string" ? { raw_message: flatText(list) } : {}),
    };
  }
}

/** The segments of a list; `isSeg` would not take one with bytes in it. */
function listOf({ type, data }: Seg): Seg[] | null {
  return type === "seglist" ? data as Seg[] : null; // the walk has proved it
}

function itemsOf(segment: Seg, path: string): Item[] {
  return listOf(segment)?.map((item, index) => ({ segment: item, path: `${path}.data[${index}]` })) ??
    [{ segment, path }];
}

function flatText(segment: Seg): string {
  return listOf(segment)?.map(flatText).join("") ?? plainText(segment);
}

/** Where the bulk of a segment stands. */
function contentPath({ segment: { type, data }, path }: Item): string {
  const isFile = type === "file" && typeof data === "object" && data !== null && Object.hasOwn(data, "base64");
  return isFile ? `${path}.data.base64` : `${path}.data`;
}

/**
 * Splits one message into several that each encode to at most so many bytes, for peers that take no larger ones.
 *
 * The segments keep their order, but for a reply, which comes first as MaiBot wants it. A text that fits in no message
 * is cut between characters, a list in a list is taken apart; nothing else is. Everything around the segments is the
 * same in every part, but for `message_id`, which becomes `id`, `id_2`, `id_3`, and `raw_message`, which, where there is
 * one, is made anew for each part as `plainText` does.
 *
 * @param message The message.
 * @param maxBytes Size of each part in UTF-8 bytes, as `encodeMessage` writes it.
 * @returns The parts in the order to send them; the message itself when it fits.
 * @throws {MessageEncodeError} If the message breaks a rule of the wire, or something in it that can not be cut is
 * larger than a part: `too_large` with its path.
 * @throws {RangeError} If `maxBytes` is not a positive number.
 *
 * @example Many pictures
 * ```ts
 * import { createMessage, encodeMessage, seg, splitMessage } from "@maim/message";
 *
 * const pictures = Array.from({ length: 5 }, () => seg.image(new Uint8Array(300_000)));
 * const message = createMessage({ platform: "qq", user: "10001" }, seg.reply("msg_1"), ...pictures);
 * const parts = splitMessage(message, 1_000_000); // the seed advises less than 1 MB
 * console.log(parts.length, parts.every((part) => encodeMessage(part).length <= 1_000_000)); // 3 true
 * ```
 */
export function splitMessage(message: MessageBase, maxBytes: number): MessageBase[] {
  if (!(maxBytes > 0)) {
    throw new RangeError(`Cannot split message as 'maxBytes' must be positive: received ${maxBytes}`);
  }
  const text = splitAtBinaries(message, withoutInfoNulls);
  if (textBytes(text) <= maxBytes) return [message];
  if (isCustom(message)) throw tooLarge("$", maxBytes);
  const items = itemsOf(message.message_segment, "$.message_segment");
  const reply = items.findIndex(({ segment }) => segment.type === "reply");
  const ordered = reply > 0 ? [...items.splice(reply, 1), ...items] : items;
  const packer = new Packer(message, maxBytes, text.binaries.length > 0);
  packer.pack(ordered);
  packer.close();
  return packer.parts;
}
