import assert from "node:assert/strict";
import { type PartedAddress, partAddress } from "../../src/store/camera-address.ts";

describe("the address of a registered camera", () => {
  const cases: [typed: string, expected: Partial<PartedAddress>][] = [
    [
      "rtsp://10.0.0.1/live",
      { shown: "rtsp://10.0.0.1/live", full: "rtsp://10.0.0.1/live", username: "", password: "" },
    ],
    ["rtsp://10.0.0.1:8554/live", { full: "rtsp://10.0.0.1:8554/live" }],
    ["rtsp://u:p@10.0.0.1/live", { shown: "rtsp://10.0.0.1/live", username: "u", password: "p" }],
    ["rtsp://u:a%40b@10.0.0.1/live", { shown: "rtsp://10.0.0.1/live", password: "a@b" }],
    ["rtsp://u:a/b@10.0.0.1/live", { shown: "rtsp://10.0.0.1/live", password: "a/b" }],
    ["u:p@10.0.0.1", { shown: "auto://10.0.0.1", username: "u", password: "p" }],
    ["10.0.0.1:8554", { shown: "auto://10.0.0.1:8554" }],
    ["http://u:p@10.0.0.1", { shown: "auto://10.0.0.1", password: "p" }],
    [
      "http://10.0.0.1/snap.jpg?user=u&pwd=p",
      { shown: "http://10.0.0.1/snap.jpg?user=u&pwd=***", full: "http://10.0.0.1/snap.jpg?user=u&pwd=p" },
    ],
    [
      "https://cdn.example/a.m3u8?sig=p",
      { shown: "https://cdn.example/a.m3u8?***", full: "https://cdn.example/a.m3u8?sig=p" },
    ],
    ["rtsp://10.0.0.1/user=u&password=p&channel=1.sdp", { shown: "rtsp://10.0.0.1/user=u&password=***&channel=1.sdp" }],
    ["rtsp://[fe80::1]:554/a", { full: "rtsp://[fe80::1]:554/a", host: "[fe80::1]" }],
    ["webcam:Studio @ home", { shown: "webcam:Studio @ home", full: "webcam:Studio @ home" }],
    ["/videos/door@night.mp4", { shown: "/videos/door@night.mp4" }],
  ];
  for (const [typed, expected] of cases) {
    it(typed, () => {
      const parted = partAddress(typed);
      for (const [name, value] of Object.entries(expected))
        assert.equal(parted[name as keyof PartedAddress], value, name);
    });
  }

  it("lets filled fields win over what is in the address", () => {
    const { username, password } = partAddress("rtsp://u:p@10.0.0.1/", { username: "v", password: "q" });
    assert.deepEqual([username, password], ["v", "q"]);
  });

  for (const typed of ["", "rtsp://u:secret@bad host/", "rtsp://u:secret@", "rtsp://u:secret@10.0.0.1:99999/"]) {
    it(`refuses ${JSON.stringify(typed)} without repeating a password`, () => {
      assert.throws(
        () => partAddress(typed),
        (error: Error & { code: string }) => error.code === "ADDRESS_INVALID" && !error.message.includes("secret"),
      );
    });
  }
});
