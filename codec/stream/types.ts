import type { FileData, MessageBase, Seg } from "../../schema/types.ts";

/** Bytes that are sent as base64: in memory, in a `Blob` such as a file, or in a stream. */
export type BinaryData = Uint8Array | Blob | ReadableStream<Uint8Array>;

/** Data of a `file` segment whose content is bytes. */
export interface BinaryFileData<Data extends BinaryData = BinaryData> extends Omit<FileData, "base64"> {
  /** The content as bytes. */
  base64: Data;
}

/**
 * A segment whose data is bytes: an image, emoji, voice or video, a `file` whose `base64` is bytes, or a segment of a
 * type that you define. A text, at or reply segment never holds bytes.
 */
export interface BinarySeg<Data extends BinaryData = BinaryData> extends Seg {
  /** The bytes, or the data of a `file` segment that holds them. */
  data: Data | BinaryFileData<Data>;
}

/** A message in which any segment may be a {@linkcode BinarySeg}, even inside lists. */
export interface StreamMessage extends MessageBase {
  /** The content, usually a `seglist`. */
  message_segment: Seg | BinarySeg;
}

/** A message without its content. */
export type MessageEnvelope = Omit<MessageBase, "message_segment">;
