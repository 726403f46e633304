/**
 * A picture and a sound that are what they say they are: MaiBot looks into both.
 * @module
 */

/** A PNG of 64 by 64 pixels: MaiBot enlarges a smaller one before it shows it to a model. */
export const PICTURE: Uint8Array<ArrayBuffer> = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAfUlEQVR42u3XsQ2AIBRFUXAQair2H8GaijH+CCwAlYUSDyWhOcmL5ua7lLQ6tffl" +
    "/WjtU++vdPgBAAAAePfkiDjie797b0IAAAAAz/4DesCEAAAA9IAeMCEAAAA9oAdMCAAAQA/oARMCAADQA3rAhAAAAPSAHjAhAACA3wAm00RjyadW" +
    "OhsAAAAASUVORK5CYII=",
);

/** A WAV of 0.01 seconds of silence, 8000 samples of one byte a second. */
export const SOUND: Uint8Array<ArrayBuffer> = Uint8Array.fromBase64(
  "UklGRnQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YVAAAACAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA" +
    "gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgA==",
);
