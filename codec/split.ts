import { encodeErrors, type MessageEncodeError } from "./errors.ts";
import { cutMessage, cutSegment, type CutText } from "./stream/message_text.ts";
import { isCustom, isSeg } from "../schema/guards.ts";
import { segmentText } from "../schema/plain_text.ts";
import type { MessageBase, Seg, SegOf } from "../schema/types.ts";
import { base64Length } from "../util/base64.ts";
import { utf8Length } from "../util/utf8.ts";
import { hasMember } from "../util/values.ts";

/** A segment and its JSON path. */
interface PlacedSegment {
  readonly segment: Seg;
  readonly path: string;
}

function tooLarge(path: string, maxBytes: number): MessageEncodeError {
  return encodeErrors.tooLarge(
    `Message cannot be split: ${path} does not fit in ${maxBytes} bytes; make it smaller`,
    path,
  );
}

function countBytes({ texts, binaries }: CutText): number {
  let bytes = 0;
  for (const text of texts) bytes += utf8Length(text);
  for (const binary of binaries) {
    if (!(binary instanceof Uint8Array)) {
      throw new TypeError("Message cannot be split: it holds a Blob or a stream; use a Uint8Array");
    }
    bytes += base64Length(binary.length);
  }
  return bytes;
}

/** Properties of the messages that their size depends on. */
interface Measure {
  /** True if the messages are written in ASCII because they hold bytes. */
  readonly isAscii: boolean;
  /** True if the messages have a `raw_message`. It contains the text of the segments, so it grows with them. */
  readonly hasRawMessage: boolean;
}

/**
 * Measures the size of messages as `encodeMessage` writes them. If the original message holds bytes, all messages are
 * measured as ASCII.
 */
class Ruler {
  readonly #measure: Measure;

  constructor(measure: Measure) {
    this.#measure = measure;
  }

  message(message: MessageBase): number {
    return countBytes(cutMessage(message, this.#measure));
  }

  /**
   * Returns the number of bytes that a segment adds to a message: the segment itself, and its text in `raw_message`.
   */
  segment(segment: Seg): number {
    let bytes = countBytes(cutSegment(segment, "$.message_segment", this.#measure));
    if (this.#measure.hasRawMessage) { for (const character of flatText(segment)) bytes += this.#character(character); }
    return bytes;
  }

  /**
   * Returns the index up to which the beginning of a text fits in `room` bytes. The index is never inside a surrogate
   * pair.
   */
  fittingEnd(text: string, room: number): number {
    const copies = this.#measure.hasRawMessage ? 2 : 1;
    let left = room;
    let end = 0;
    for (const character of text) {
      left -= this.#character(character) * copies;
      if (left < 0) break;
      end += character.length;
    }
    return end;
  }

  #character(character: string): number {
    const code = character.charCodeAt(0);
    if (code < 0x20) return "\b\f\n\r\t".includes(character) ? 2 : 6;
    if (code < 0x80) return character === '"' || character === "\\" ? 2 : 1;
    return this.#measure.isAscii ? 6 * character.length : utf8Length(character);
  }
}

/** Packs segments into messages. It fills one message after the other. */
class Packer {
  readonly messages: MessageBase[] = [];
  readonly #original: MessageBase;
  readonly #maxBytes: number;
  readonly #ruler: Ruler;
  /** The segments of the message that is being filled, and the bytes that are left in this message. */
  #segments: Seg[] = [];
  #room: number;

  constructor(original: MessageBase, maxBytes: number, ruler: Ruler) {
    this.#original = original;
    this.#maxBytes = maxBytes;
    this.#ruler = ruler;
    this.#room = this.#emptyRoom(0);
  }

  /** Packs segments in order. A segment that does not fit is cut if it can be cut. */
  pack(segments: readonly PlacedSegment[]): void {
    const left = segments.toReversed();
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { segment, path } = next;
      if (this.#add(segment)) continue;
      const rest = isSeg(segment, "text") && !this.#fitsAlone(segment) ? this.#addStart(segment) : null;
      if (rest !== null) left.push({ segment: rest, path });
      else if (this.#segments.length > 0) left.push(next);
      else if (segment.type === "seglist") { for (const item of itemsOf(segment, path).reverse()) left.push(item); }
      else throw tooLarge(contentPath(next), this.#maxBytes);
      if (this.#segments.length > 0) this.close();
    }
  }

  /** Ends the message that is being filled. */
  close(): void {
    this.messages.push(this.#messageOf(this.messages.length, this.#segments));
    this.#segments = [];
    this.#room = this.#emptyRoom(this.messages.length);
  }

  get #comma(): number {
    return this.#segments.length > 0 ? 1 : 0;
  }

  #add(segment: Seg): boolean {
    const isTooLong = isSeg(segment, "text") && segment.data.length > this.#room;
    const bytes = isTooLong ? Infinity : this.#ruler.segment(segment) + this.#comma;
    if (bytes > this.#room) return false;
    this.#room -= bytes;
    this.#segments.push(segment);
    return true;
  }

  /** Returns true if a text segment fits as the first segment of the next message. */
  #fitsAlone(segment: SegOf<"text">): boolean {
    const room = this.#emptyRoom(this.messages.length + 1);
    return segment.data.length <= room && this.#ruler.segment(segment) <= room;
  }

  /** Adds as much of the beginning of a text as fits, and returns the rest; null if nothing fits. */
  #addStart(segment: SegOf<"text">): Seg | null {
    const room = this.#room - this.#comma - this.#ruler.segment({ ...segment, data: "" });
    const end = this.#ruler.fittingEnd(segment.data, room);
    if (end === 0) return null;
    this.#segments.push({ ...segment, data: segment.data.slice(0, end) });
    return { ...segment, data: segment.data.slice(end) };
  }

  #emptyRoom(index: number): number {
    const room = this.#maxBytes - this.#ruler.message(this.#messageOf(index, []));
    if (room < 0) throw tooLarge("$.message_info", this.#maxBytes);
    return room;
  }

  #messageOf(index: number, data: Seg[]): MessageBase {
    const { message_info: info, message_segment: segment, raw_message } = this.#original;
    const { message_id: id } = info;
    const hasId = index > 0 && id !== undefined && id !== null && id !== "";
    const list = segment.type === "seglist" ? { ...segment, data } : { type: "seglist", data };
    return {
      ...this.#original,
      message_info: hasId ? { ...info, message_id: `${id}_${index + 1}` } : info,
      message_segment: list,
      ...(typeof raw_message === "string" ? { raw_message: flatText(list) } : {}),
    };
  }
}

/**
 * Returns the items of a `seglist`; null for a segment of another type. `isSeg` is not used, because it refuses a list
 * that holds bytes.
 */
function listOf({ type, data }: Seg): Seg[] | null {
  return type === "seglist" ? data as Seg[] : null; // the rules checked that it is an array
}

function itemsOf(segment: Seg, path: string): PlacedSegment[] {
  return listOf(segment)?.map((item, index) => ({ segment: item, path: `${path}.data[${index}]` })) ??
    [{ segment, path }];
}

function flatText(segment: Seg): string {
  return listOf(segment)?.map(flatText).join("") ?? segmentText(segment);
}

/** Returns the path of the member that holds the content of a segment, for an error. */
function contentPath({ segment: { type, data }, path }: PlacedSegment): string {
  return type === "file" && hasMember(data, "base64") ? `${path}.data.base64` : `${path}.data`;
}

/**
 * Splits one message into several messages, for peers that do not accept large messages. Each message of the result is
 * encoded to at most `maxBytes` bytes.
 *
 * The segments keep their order, except that a reply comes first, as MaiBot requires. A text that is too large for one
 * message is cut between characters. A list inside a list is replaced by its items if it is too large. Nothing else is
 * cut.
 *
 * The members around the segments are the same in every message, with two exceptions: `message_id` becomes `id`,
 * `id_2`, `id_3`; and `raw_message`, if there is one, becomes the `plainText` of each message.
 *
 * @param message The message.
 * @param maxBytes Largest size of each message in UTF-8 bytes, as `encodeMessage` writes it.
 * @returns The messages in the order to send them; the message itself if it fits.
 * @throws {MessageEncodeError} If the message breaks a rule of the protocol. Or, with the code `too_large`, if a member
 * that cannot be cut does not fit in a message; `path` names this member.
 * @throws {TypeError} If a segment holds a `Blob` or a stream.
 * @throws {RangeError} If `maxBytes` is not a positive number.
 *
 * @example Many pictures
 * ```ts
 * import { createMessage, encodeMessage, seg, splitMessage } from "@maim/message";
 *
 * const pictures = Array.from({ length: 5 }, () => seg.image(new Uint8Array(300_000)));
 * const message = createMessage({ platform: "qq", user: "10001" }, seg.reply("msg_1"), ...pictures);
 * const messages = splitMessage(message, 1_000_000); // maim_message advises less than 1 MB
 * console.log(messages.length, messages.every((each) => encodeMessage(each).length <= 1_000_000)); // 3 true
 * ```
 */
export function splitMessage(message: MessageBase, maxBytes: number): MessageBase[] {
  if (!(maxBytes > 0)) throw new RangeError(`'maxBytes' must be greater than 0; received ${maxBytes}`);
  const text = cutMessage(message);
  if (countBytes(text) <= maxBytes) return [message];
  if (isCustom(message)) throw tooLarge("$", maxBytes);
  const segments = itemsOf(message.message_segment, "$.message_segment");
  const reply = segments.findIndex(({ segment }) => segment.type === "reply");
  const ordered = reply > 0 ? [...segments.splice(reply, 1), ...segments] : segments;
  const hasRawMessage = typeof message.raw_message === "string";
  const packer = new Packer(message, maxBytes, new Ruler({ isAscii: text.binaries.length > 0, hasRawMessage }));
  packer.pack(ordered);
  packer.close();
  return packer.messages;
}
