import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Frame } from "../../src/frame/frame.ts";
import { helper, inbox, load, until } from "./helper.ts";

const frame = new Frame({
  data: Buffer.alloc(640 * 360 * 3, 120),
  width: 640,
  height: 360,
  timestamp: 1_700_000_000_000,
  sequence: 12,
  camera: { id: "door", name: "Door", location: "", site: "shop" },
});

/** A node without code of ours between: what Node-RED itself does to a message on four wires. */
const fanOut = [
  { id: "from", type: "helper", wires: [["a", "b", "c", "d"]] },
  ...["a", "b", "c", "d"].map((id) => ({ id, type: "helper" })),
];

describe("Frame in a flow", () => {
  before(() => new Promise<void>((resolve) => helper.startServer(resolve)));
  after(() => new Promise<void>((resolve) => helper.stopServer(resolve)));
  afterEach(() => helper.unload());

  it("is the same frame on every wire of a fan-out, alone and beside other fields", async () => {
    await load(fanOut);
    const boxes = ["a", "b", "c", "d"].map(inbox);
    helper.getNode("from").send({ payload: frame, frame, topic: "door" });
    await until(() => boxes.every((box) => box.length === 1));
    for (const [msg] of boxes) {
      const { payload, frame: beside } = msg as { payload: Frame; frame: Frame };
      assert.equal(payload, frame);
      assert.equal(beside, frame);
      assert.equal(payload.data, frame.data);
    }
  });

  it("is a short summary to a Debug node", () => {
    const require = createRequire(import.meta.url);
    const red = require.resolve("node-red", { paths: [process.env.NODE_RED_DIR ?? "."] });
    const { encodeObject } = require(require.resolve("@node-red/util", { paths: [red] })).util as {
      encodeObject(message: object, options: object): { msg: string; format: string };
    };
    const { msg } = encodeObject({ id: "debug", msg: { topic: "door", payload: frame } }, { maxLength: 1000 });
    assert.ok(msg.length < 400, `${msg.length} characters`);
    assert.deepEqual(JSON.parse(msg).payload, {
      type: "Frame",
      camera: "door",
      sequence: 12,
      width: 640,
      height: 360,
      timestamp: 1_700_000_000_000,
    });
  });
});
