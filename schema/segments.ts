/**
 * The table of the known segment types: their data, their bytes and their names in plain text.
 * @module
 */

import type { SegDataMap, SegType } from "./types.ts";
import { typeName } from "../util/values.ts";

/** The JSON type of a segment's data, as {@linkcode typeName} names it. */
export type DataType<Data = unknown> = Data extends string ? "string"
  : Data extends number ? "number"
  : Data extends readonly unknown[] ? "array"
  : "object";

/**
 * The member of a segment that stands for bytes. A segment that is sent may hold bytes there instead of base64. A
 * segment that was received holds base64 there, which can be decoded to bytes.
 *
 * - `never`: no member. `data` is text or segments.
 * - `data`: the member `data`.
 * - `data or text`: the member `data`. In a received segment, it may also be a character such as an emoji, which is not
 *   decoded.
 * - `base64`: in a segment that is sent, `data` or `data.base64`. In a received segment, only `data.base64`.
 * - `sending`: in a segment that is sent, `data`. The data of a received segment is never decoded. Unknown types are
 *   treated like this.
 */
export type BytePlace = "never" | "data" | "data or text" | "base64" | "sending";

/** One known segment type. */
export interface SegmentRow<Data = unknown> {
  /**
   * The JSON types that `data` may have, as in {@linkcode SegDataMap}. `isSeg` narrows only data of one of these types.
   */
  readonly data: readonly DataType<Data>[];
  /**
   * True if `rules.ts` refuses data of other JSON types; false if it accepts them, because deployed peers also send
   * them.
   */
  readonly isRule: boolean;
  /** The member that may hold bytes. */
  readonly bytes: BytePlace;
  /** Name of the type in plain text: `图片` is shown as `[图片]`. If there is no label, the type itself is shown. */
  readonly label?: string;
}

/**
 * The known segment types. To add one, add a row here and the shape of its data to {@linkcode SegDataMap}.
 *
 * Source: what maim_message 0.6.8, MaiBot 1.2.1 and the NapCat adapter send and accept.
 */
export const SEGMENTS: { readonly [Type in SegType]: SegmentRow<SegDataMap[Type]> } = {
  text: { data: ["string"], isRule: true, bytes: "never" },
  image: { data: ["string"], isRule: true, bytes: "data", label: "图片" },
  emoji: { data: ["string"], isRule: true, bytes: "data or text", label: "表情" },
  voice: { data: ["string"], isRule: true, bytes: "data", label: "语音" },
  video: { data: ["string"], isRule: false, bytes: "data", label: "视频" },
  at: { data: ["string", "object"], isRule: true, bytes: "never" },
  reply: { data: ["string"], isRule: true, bytes: "never", label: "回复" },
  file: { data: ["string", "object"], isRule: false, bytes: "base64", label: "文件" },
  dict: { data: ["object"], isRule: false, bytes: "sending" },
  face: { data: ["string", "number"], isRule: false, bytes: "sending", label: "表情" },
  forward: { data: ["array"], isRule: false, bytes: "sending", label: "转发消息" },
  seglist: { data: ["array"], isRule: true, bytes: "never" },
  imageurl: { data: ["string"], isRule: false, bytes: "sending", label: "图片" },
  videourl: { data: ["string"], isRule: false, bytes: "sending", label: "视频" },
  voiceurl: { data: ["string"], isRule: false, bytes: "sending", label: "语音" },
  music: { data: ["string", "object"], isRule: false, bytes: "sending", label: "音乐" },
  command: { data: ["object"], isRule: false, bytes: "sending", label: "命令" },
  notify: { data: ["object"], isRule: false, bytes: "sending", label: "通知" },
};

/** A copy of {@linkcode SEGMENTS} without a prototype, so that a type named `constructor` or `__proto__` has no row. */
const ROWS: { readonly [type: string]: SegmentRow | undefined } = Object.assign(Object.create(null), SEGMENTS);

/** Returns true if a segment type is known and the data has a JSON type that is documented for it. */
export function isKnownData(type: string, data: unknown): boolean {
  return ROWS[type]?.data.includes(typeName(data) as DataType) ?? false;
}

/** Returns true if a segment of a type may hold bytes when it is sent. A segment of an unknown type may hold bytes. */
export function mayHoldBytes(type: string): boolean {
  return ROWS[type]?.bytes !== "never";
}

/**
 * Returns the member of a received segment that holds base64 and can be decoded to bytes, as in {@linkcode BytePlace};
 * null if segments of this type have no such member.
 */
export function base64Place(type: string): "data" | "data or text" | "base64" | null {
  const bytes = ROWS[type]?.bytes ?? "never";
  return bytes === "never" || bytes === "sending" ? null : bytes;
}

/** Returns the name of a segment type for plain text. */
export function labelOf(type: string): string {
  return ROWS[type]?.label ?? type;
}
