import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";

import { Judge } from "../codec/fuzz/judge.ts";
import { runFuzz } from "../codec/fuzz/run.ts";
import { peerTest } from "../support/peers/python.ts";

const RUNS = 4000;

describe("the codec", () => {
  peerTest(`makes of ${RUNS} texts what Python's json says`, async () => {
    await using judge = new Judge();
    const { failures } = await runFuzz({ from: 100_001, count: RUNS, onChecked: (checked) => judge.add(checked) });
    await judge.flush();
    assertEquals([failures.length, judge.judged, judge.faults], [0, RUNS, []]);
  });

  peerTest("is caught by Python when it keeps what it must change, or changes what it must keep", async () => {
    await using judge = new Judge();
    const text =
      '{"message_info":{"platform":"qq","message_id":7,"time":null},"message_segment":{"type":"x","data":[1.5]}}';
    const wrong = [
      text,
      text.replace(',"time":null', ""),
      text.replace(',"time":null', "").replace(":7", ':"7"').replace("1.5", "1.4"),
    ];
    for (const again of wrong) await judge.add({ text, code: null, again });
    await judge.add({ text, code: "invalid_json", again: null });
    await judge.add({ text: `${text},`, code: null, again: text });
    await judge.flush();
    assertEquals(judge.faults.length, 5);
    assert(judge.faults.every((fault) => fault.includes("message_info")));
  });
});
