import type { Report } from "./fault.ts";
import { decodeBase64 } from "./python/base64.ts";
import type { MaibotVersion } from "./rules.ts";

/**
 * Size in bytes of the largest picture that MaiBot stores unchanged, by version of MaiBot. It is the default of
 * `visual.max_image_size_mb` in MaiBot's configuration.
 */
const MAX_IMAGE_BYTES: Readonly<Record<MaibotVersion, number>> = { "1.3.15": 16 * 2 ** 20, "1.2.1": 30 * 2 ** 20 };

/** The data of one segment, and the other values that are needed to check it. */
export interface SegmentData {
  readonly type: string;
  readonly data: unknown;
  /** JSON path of the data. */
  readonly path: string;
  readonly version: MaibotVersion;
  readonly report: Report;
}

/** Tells whether the data of a segment is bytes. Bytes are sent as base64. */
export function isBytes(data: unknown): data is Uint8Array | Blob | ReadableStream {
  return data instanceof Uint8Array || data instanceof Blob || data instanceof ReadableStream;
}

/** Returns the number of bytes; `NaN` for a stream, because its length is not known. */
function byteLength(data: Uint8Array | Blob | ReadableStream): number {
  return data instanceof Uint8Array ? data.length : data instanceof Blob ? data.size : Number.NaN;
}

function sizeFaults(size: number, { type, path, version, report }: SegmentData): void {
  if (size === 0) report("base64_empty", path);
  else if (type !== "voice" && size > MAX_IMAGE_BYTES[version]) report("image_large", path);
}

/** Finds faults in the data of an image, an emoji or a voice message. */
export function mediaFaults(segment: SegmentData): void {
  const { type, data, path, report } = segment;
  if (isBytes(data)) return sizeFaults(byteLength(data), segment);
  if (typeof data !== "string") return report("base64_kind", path, `${type}类型的seg数据应该是base64字符串`);
  const result = decodeBase64(data);
  switch (result.type) {
    case "bytes":
      return sizeFaults(result.size, segment);
    case "garbled":
      return report("base64_garbled", path);
    case "not_ascii":
      return report("base64_ascii", path, result.error);
    case "broken":
      return report("base64_broken", path, result.error);
  }
}
