/**
 * Decodes text to messages and encodes messages to text. Both directions check the rules of the protocol.
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
 * For messages that are too large for memory, use the streams of `encodeStream` and `decodeSegments`.
 *
 * @module
 */

export { CodecError, MessageDecodeError, MessageEncodeError } from "./codec/errors.ts";
export type { CodecFault, MessageDecodeErrorCode, MessageEncodeErrorCode } from "./codec/errors.ts";
export { decodeMessage } from "./codec/decode.ts";
export type { DecodeOptions } from "./codec/decode.ts";
export { encodeMessage } from "./codec/encode.ts";
export type { EncodeOptions } from "./codec/encode.ts";
export { segBytes } from "./codec/stream/segment_bytes.ts";
export { decodeSegments } from "./codec/stream/segment_decoder.ts";
export type { DecodedSeg, DecodeSegmentsOptions, SegmentReader } from "./codec/stream/segment_decoder.ts";
export { encodeStream, SegmentEncoderStream } from "./codec/stream/segment_encoder.ts";
export type { EncodeStreamOptions } from "./codec/stream/segment_encoder.ts";
export type { BinaryData, BinaryFileData, BinarySeg, MessageEnvelope, StreamMessage } from "./codec/stream/types.ts";
export { splitMessage } from "./codec/split.ts";
