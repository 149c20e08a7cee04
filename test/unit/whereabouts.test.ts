import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/errors.ts";
import { countUnreachable, hostOf, isSearchDue, Whereabouts, withHost } from "../../src/stream/whereabouts.ts";

const [A, B, C] = ["10.0.0.5", "10.0.0.9", "10.0.0.7"];
const at = (host: string): string => `rtsp://${host}:554/stream`;

describe("whereabouts of a camera: policy", () => {
  for (const [codes, expected] of [
    [["CAMERA_UNREACHABLE"], [false]],
    [
      ["CAMERA_UNREACHABLE", "CAMERA_UNREACHABLE"],
      [false, false],
    ],
    [
      ["CAMERA_UNREACHABLE", "CAMERA_UNREACHABLE", "CAMERA_UNREACHABLE"],
      [false, false, true],
    ],
    [
      ["CAMERA_UNREACHABLE", "CAMERA_UNREACHABLE", "CAMERA_REFUSED", "CAMERA_UNREACHABLE"],
      [false, false, false, false],
    ],
    [Array.from({ length: 6 }, () => "CAMERA_UNREACHABLE"), [false, false, true, false, false, true]],
    [Array.from({ length: 4 }, () => "CAMERA_AUTH_FAILED"), [false, false, false, false]],
  ] as const) {
    it(`${codes.join(", ")}: ${expected.some(Boolean) ? "looks for it" : "does not look"}`, () => {
      let unreachable = 0;
      const due = codes.map((code) => {
        unreachable = countUnreachable(unreachable, code as ErrorCode);
        return isSearchDue(unreachable);
      });
      assert.deepEqual(due, expected);
    });
  }
});

describe("whereabouts of a camera: addresses", () => {
  for (const [address, host] of [
    ["rtsp://user:secret@10.0.0.5:554/a", "10.0.0.5"],
    ["http://camera.lan/video", "camera.lan"],
    ["hik://10.0.0.5?channel=2", "10.0.0.5"],
    ["/videos/a.mp4", undefined],
    ["webcam:0", undefined],
  ] as const) {
    it(`${address} is at ${host}`, () => assert.equal(hostOf(address), host));
  }

  for (const [address, expected] of [
    ["rtsp://10.0.0.5/a", "rtsp://10.0.0.9/a"],
    ["http://10.0.0.5:8080/a?b=10.0.0.5", "http://10.0.0.9:8080/a?b=10.0.0.5"],
    ["rtsp://10.0.0.5:10.0.0.5@10.0.0.5/10.0.0.5", "rtsp://10.0.0.5:10.0.0.5@10.0.0.9/10.0.0.5"],
    ["rtsp://admin:p:/w#rd@10.0.0.5/a", "rtsp://admin:p:/w#rd@10.0.0.9/a"],
    ["rtsp://admin:%40%2f@10.0.0.5/a", "rtsp://admin:%40%2f@10.0.0.9/a"],
    ["hik://10.0.0.5?channel=2", "hik://10.0.0.9?channel=2"],
    ["rtsp://10.5/a", undefined],
    ["/videos/10.0.0.5.mp4", undefined],
  ] as const) {
    it(`${address} becomes ${expected}`, () => assert.equal(withHost(address, B), expected));
  }

  it("takes nothing for a host that is none", () => {
    for (const host of ["", "10.0.0.9/evil", "10.0.0.9:1", "a b"]) assert.equal(withHost(at(A), host), undefined);
  });
});

describe("whereabouts of a camera", () => {
  it("goes to where the camera was found, and back and forth while it is at neither", () => {
    const place = new Whereabouts(at(A));
    place.failed("CAMERA_UNREACHABLE");
    assert.equal(place.found(B), "at-a-new-place");
    const tried = Array.from({ length: 4 }, () => {
      const { address } = place;
      place.failed("CAMERA_UNREACHABLE");
      return address;
    });
    assert.deepEqual(tried, [at(B), at(A), at(B), at(A)]);
  });

  it("counts at the camera's home alone, whoever answers elsewhere", () => {
    const place = new Whereabouts(at(A));
    place.found(B);
    place.live();
    assert.equal(place.home, B);
    const codes = ["STREAM_LOST", ...Array.from({ length: 3 }, () => ["CAMERA_UNREACHABLE", "CAMERA_REFUSED"]).flat()];
    const due = codes.map((code) => place.failed(code as ErrorCode));
    assert.deepEqual(due, [false, false, false, false, false, true, false]);
  });

  it("stays where the camera has just been", () => {
    const place = new Whereabouts(at(A));
    place.found(B);
    place.live();
    place.failed("STREAM_LOST");
    assert.equal(place.address, at(B));
    place.failed("CAMERA_UNREACHABLE");
    assert.equal(place.address, at(A));
  });

  it("tells each place once, and never the configured one", () => {
    const place = new Whereabouts(at(A));
    assert.deepEqual(
      [B, B, A, B, C, "no host"].map((host) => place.found(host)),
      ["at-a-new-place", "at-a-known-place", "at-a-known-place", "at-a-known-place", "at-a-new-place", "nowhere"],
    );
  });

  it("has no home for what is not on the network", () => {
    const place = new Whereabouts("/videos/a.mp4");
    assert.equal(place.home, undefined);
    assert.equal(place.found(B), "nowhere");
    assert.equal(place.address, "/videos/a.mp4");
  });
});
