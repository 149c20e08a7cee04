import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { Node, NodeMessage, NodeStatus } from "node-red";
import helper from "node-red-node-test-helper";
import onvifDiscover from "../../nodes/onvif-discover.ts";

const require = createRequire(import.meta.url);
helper.init(require.resolve("node-red", { paths: [process.env.NODE_RED_DIR ?? "."] }));
const catchNode = require(
  require.resolve("@node-red/nodes/core/common/25-catch.js", {
    paths: [require.resolve("node-red", { paths: [process.env.NODE_RED_DIR ?? "."] })],
  }),
);
const completeNode = require(
  require.resolve("@node-red/nodes/core/common/24-complete.js", {
    paths: [require.resolve("node-red", { paths: [process.env.NODE_RED_DIR ?? "."] })],
  }),
);

/** Loopback alone: nothing that these tests send leaves the machine. */
const discoverNode = {
  id: "discover",
  type: "onvif-discover",
  interfaces: "127.0.0.1",
  subnets: "",
  listenSeconds: 0.3,
  wires: [["devices"], ["progress"], ["list"]],
};

describe("onvif-discover", () => {
  beforeEach((done) => void helper.startServer(done));
  afterEach(async () => {
    await helper.unload();
    await new Promise<void>((resolve) => void helper.stopServer(resolve));
  });

  const deploy = (changed: object = {}): Promise<void> => {
    const listeners = ["devices", "progress", "list", "errors", "completed"].map((id) => ({ id, type: "helper" }));
    const flow = [
      { ...discoverNode, ...changed },
      { id: "catch", type: "catch", scope: null, wires: [["errors"]] },
      { id: "complete", type: "complete", scope: ["discover"], wires: [["completed"]] },
      ...listeners,
    ].map((node) => ({ x: 0, y: 0, z: "tab", ...node }));
    const nodes = [onvifDiscover, catchNode, completeNode];
    const all = [{ id: "tab", type: "tab", label: "test" }, ...flow];
    return helper.load(nodes, all as unknown as Parameters<typeof helper.load>[1]);
  };
  const inbox = (id: string): NodeMessage[] => {
    const messages: NodeMessage[] = [];
    helper.getNode(id).on("input", (msg: NodeMessage) => messages.push(msg));
    return messages;
  };
  const until = async (condition: () => unknown): Promise<void> => {
    const deadline = Date.now() + 5000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not in time: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const send = (payload: unknown): void => helper.getNode("discover").receive({ payload } as NodeMessage);
  const lastStatus = (): NodeStatus | undefined => {
    const { status } = helper.getNode("discover") as unknown as {
      status: { thisValues: Node[]; args: [NodeStatus][] };
    };
    return status.args.at(-1)?.[0];
  };
  const codes = (errors: NodeMessage[]): unknown[] =>
    errors.map((msg) => (msg as unknown as { error: { code: string } }).error.code);

  it("tells progress and a list at the end, and completes the input once", async () => {
    await deploy();
    const [progress, list, completed, errors] = ["progress", "list", "completed", "errors"].map(inbox);
    assert.ok(progress && list && completed && errors);
    helper.getNode("discover").receive({ payload: Date.now(), kept: "yes" } as NodeMessage);
    await until(() => completed.length > 0);
    assert.deepEqual(progress.at(-1)?.payload, { progress: 1 });
    assert.equal(list.length, 1);
    assert.deepEqual(Object.keys(list[0]?.payload as object), ["results", "devices"]);
    assert.equal((list[0] as { kept?: string }).kept, "yes");
    assert.equal(lastStatus()?.text, "onvif-discover.status.finished");
    assert.deepEqual([completed.length, errors.length], [1, 0]);
  });

  it("ends both inputs when a scan is cancelled, and scans again afterwards", async () => {
    await deploy({ listenSeconds: 30 });
    const [list, completed, errors] = ["list", "completed", "errors"].map(inbox);
    assert.ok(list && completed && errors);
    send({});
    await until(() => lastStatus()?.fill === "blue");
    send("cancel");
    await until(() => completed.length === 2);
    assert.equal(lastStatus()?.text, "onvif-discover.status.cancelled");
    send("cancel");
    await until(() => completed.length === 3);
    send(undefined);
    await until(() => lastStatus()?.fill === "blue");
    assert.deepEqual([list.length, errors.length], [0, 0]);
  });

  it("refuses a second scan while one runs, without disturbing it", async () => {
    await deploy({ listenSeconds: 0.8 });
    const [list, completed, errors] = ["list", "completed", "errors"].map(inbox);
    assert.ok(list && completed && errors);
    send({});
    send({});
    await until(() => errors.length > 0);
    assert.deepEqual(codes(errors), ["DISCOVERY_RUNNING"]);
    assert.equal(lastStatus()?.fill, "blue");
    await until(() => completed.length === 1);
    assert.equal(list.length, 1);
  });

  for (const [what, payload, code] of [
    ["a text that is no command", "start", "MESSAGE_INVALID"],
    ["a Buffer", Buffer.from("x"), "MESSAGE_INVALID"],
    ["a subnet that is a number", { subnet: 24 }, "MESSAGE_INVALID"],
    ["a subnet that is too large", { subnet: "10.0.0.0/8" }, "SETTING_INVALID"],
    ["a public subnet among others", { subnet: ["192.168.1.0/24", "8.8.8.0/24"] }, "SETTING_INVALID"],
  ] as const) {
    it(`tells Catch about ${what}`, async () => {
      await deploy();
      const [completed, errors] = ["completed", "errors"].map(inbox);
      assert.ok(completed && errors);
      send(payload);
      await until(() => errors.length > 0);
      assert.deepEqual([codes(errors), completed.length], [[code], 0]);
      assert.equal(lastStatus()?.fill, "red");
    });
  }

  it("tells Catch about an interface that this machine does not have", async () => {
    await deploy({ interfaces: "nowhere0" });
    const errors = inbox("errors");
    send({});
    await until(() => errors.length > 0);
    assert.deepEqual(codes(errors), ["SETTING_INVALID"]);
  });
});
