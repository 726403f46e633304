/**
 * Text to message and back, with the rules of `schema.ts` on the way in and out.
 *
 * ```ts
 * import { decodeMessage, encodeMessage } from "@maim/message/codec";
 *
 * const text = '{"message_info":{"platform":"qq","message_id":7},"message_segment":{"type":"text","data":"hi"}}';
 * const message = decodeMessage(text);
 * console.log("message_info" in message && message.message_info.message_id); // "7": ids are strings from here on
 * console.log(encodeMessage(message));
 * ```
 *
 * Streams of any size go by `encodeStream` and `decodeSegments`.
 *
 * @module
 */

export { MessageDecodeError, MessageEncodeError } from "./internal/codec_errors.ts";
export type { CodecFault, MessageDecodeErrorCode, MessageEncodeErrorCode } from "./internal/codec_errors.ts";
export { decodeMessage } from "./internal/decode.ts";
export type { DecodeOptions } from "./internal/decode.ts";
export { encodeMessage } from "./internal/encode.ts";
export type { EncodeOptions } from "./internal/encode.ts";
export { segBytes } from "./internal/segment_bytes.ts";
export { decodeSegments } from "./internal/segment_decoder.ts";
export type { DecodedSeg, DecodeSegmentsOptions, SegmentReader } from "./internal/segment_decoder.ts";
export { encodeStream, SegmentEncoderStream } from "./internal/segment_encoder.ts";
export type { EncodeStreamOptions } from "./internal/segment_encoder.ts";
export type { BinaryData, BinaryFileData, BinarySeg, MessageEnvelope, StreamMessage } from "./internal/segment_text.ts";
export { splitMessage } from "./internal/split.ts";
