import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { forgetText, keepText, keptText } from "../../session/forward_text.ts";
import { textMessage } from "../support/messages.ts";

describe("keptText()", () => {
  it("returns the text of a message until it is forgotten", () => {
    const [message, other] = [textMessage("a"), textMessage("a")];
    keepText(message, "the text");
    assertEquals([keptText(message), keptText(other)], ["the text", undefined]);
    forgetText(message);
    assertEquals(keptText(message), undefined);
  });
});
