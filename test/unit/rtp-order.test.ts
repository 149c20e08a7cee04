import assert from "node:assert/strict";
import { RtpOrder } from "../../src/camera/rtsp/rtp-order.ts";
import { rtpPacket } from "../servers/rtsp-camera.ts";

describe("order of RTP packets", () => {
  const numbers = (packets: readonly Buffer[]) => packets.map((packet) => packet.readUInt16BE(2));

  for (const [what, sent, expected] of [
    ["in order", [1, 2, 3], [1, 2, 3]],
    ["overtaken", [1, 3, 2, 4], [1, 2, 3, 4]],
    ["reversed", [1, 4, 3, 2, 5], [1, 2, 3, 4, 5]],
    ["twice", [1, 1, 2, 2, 1], [1, 2]],
    ["too late", [2, 3, 1, 4], [2, 3, 4]],
    ["around the end of the numbers", [65_534, 0, 65_535, 1], [65_534, 65_535, 0, 1]],
    ["from a camera that counts anew", [10, 12, 40_000, 40_001], [10, 12, 40_000, 40_001]],
  ] as const) {
    it(`that come ${what}`, () => {
      const order = new RtpOrder();
      assert.deepEqual(numbers(sent.flatMap((number) => order.push(rtpPacket(number), 0))), expected);
      assert.equal(order.isWaiting, false);
    });
  }

  it("does not wait for long for one that is missing", () => {
    const order = new RtpOrder();
    order.push(rtpPacket(1), 0);
    assert.deepEqual(order.push(rtpPacket(3), 10), []);
    assert.equal(order.isWaiting, true);
    assert.deepEqual(order.release(60), []);
    assert.deepEqual(numbers(order.release(70)), [3]);
    assert.deepEqual(order.push(rtpPacket(2), 71), []);
    assert.deepEqual(numbers(order.push(rtpPacket(4), 72)), [4]);
  });

  it("keeps no more than a few dozen, and nothing that is no packet", () => {
    const order = new RtpOrder();
    order.push(rtpPacket(1), 0);
    let given = 0;
    for (let number = 3; number < 100; number++) given += order.push(rtpPacket(number), 0).length;
    assert.equal(given, 97);
    assert.deepEqual(order.push(Buffer.from([0x80, 96]), 0), []);
  });
});
