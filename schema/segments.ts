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
 * The place where a segment may hold bytes instead of base64 when it is sent, and whether received data can be decoded
 * to bytes:
 *
 * - `never`: nowhere, because its data is text or segments.
 * - `data`: its data. Received data is base64 and can be decoded.
 * - `data or text`: its data. Received data is base64, which can be decoded, or a character such as an emoji.
 * - `base64`: its data, or the member `base64` of its data. When received, only the member can be decoded.
 * - `sending`: its data, but only when it is sent; received data is never decoded. Unknown types are treated like this.
 */
export type BytePlace = "never" | "data" | "data or text" | "base64" | "sending";

/** One known segment type. */
export interface SegmentRow<Data = unknown> {
  /**
   * The JSON types of its data, as in {@linkcode SegDataMap}. `isSeg` checks the type of the data before it narrows.
   */
  readonly data: readonly DataType<Data>[];
  /** True if `rules.ts` refuses data of other types; false if deployed peers also send data of other types. */
  readonly isRule: boolean;
  /** The place where such a segment may hold bytes. */
  readonly bytes: BytePlace;
  /** Its name in plain text: `图片` is shown as `[图片]`. If there is no label, the type itself is shown. */
  readonly label?: string;
}

/**
 * The known segment types. To add one, add a row here and the shape of its data to {@linkcode SegDataMap}.
 *
 * Source: protocol.md 2.4.
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

/**
 * The rows of {@linkcode SEGMENTS} without a prototype, so that a type named `constructor` or `__proto__` has no row.
 */
const ROWS: { readonly [type: string]: SegmentRow | undefined } = Object.assign(Object.create(null), SEGMENTS);

/** Returns true if a segment type is known and the data has a JSON type that is documented for it. */
export function isKnownData(type: string, data: unknown): boolean {
  return ROWS[type]?.data.includes(typeName(data) as DataType) ?? false;
}

/** Returns true if a segment of a type may hold bytes when it is sent. A segment of an unknown type may hold bytes. */
export function mayHoldBytes(type: string): boolean {
  return ROWS[type]?.bytes !== "never";
}

/** Returns where a segment of a type holds the base64 that is decoded to bytes; null if it holds none. */
export function base64Place(type: string): "data" | "data or text" | "base64" | null {
  const bytes = ROWS[type]?.bytes ?? "never";
  return bytes === "never" || bytes === "sending" ? null : bytes;
}

/** Returns the name of a segment type for plain text. */
export function labelOf(type: string): string {
  return ROWS[type]?.label ?? type;
}
