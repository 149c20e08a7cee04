import assert from "node:assert/strict";
import type { MediaProfile } from "../../src/camera/protocols/onvif/profile.ts";
import { chooseProfile, groupBySource, type ProfileWish } from "../../src/camera/protocols/onvif/profile-choice.ts";

/** `H264 1920x1080` as a profile of that name. */
function profile(text: string, sourceToken = "lens"): MediaProfile {
  const [encoding = "", size = ""] = text.split(" ");
  const [width = 0, height = 0] = size.split("x").map(Number);
  return { token: text, sourceToken, hasPtz: false, encoding, ...(width && { width, height }) };
}

describe("onvif profile choice", () => {
  const usual = ["H264 1920x1080", "H264 640x360", "H264 1280x720"];
  const cases: readonly (readonly [readonly string[], ProfileWish, string | undefined])[] = [
    [usual, {}, "H264 640x360"],
    [usual, { stream: "sub" }, "H264 640x360"],
    [usual, { longSide: 640 }, "H264 640x360"],
    [usual, { longSide: 641 }, "H264 1280x720"],
    [usual, { longSide: 384 }, "H264 640x360"],
    [usual, { longSide: 1280 }, "H264 1280x720"],
    [usual, { longSide: 4000 }, "H264 1920x1080"],
    [usual, { stream: "main", longSide: 384 }, "H264 1920x1080"],
    [["H264 352x288", "H264 320x240"], {}, "H264 352x288"],
    [["H264 360x640", "H264 1080x1920"], {}, "H264 360x640"],
    [["JPEG 640x360", "H265 640x360", "H264 640x360"], {}, "H264 640x360"],
    [["JPEG 640x360", "H265 640x360", "H264 640x360"], { stream: "main" }, "H264 640x360"],
    [["JPEG 640x360", "H265 640x360"], {}, "H265 640x360"],
    [["MPEG4 640x360", "H265 1920x1080"], {}, "H265 1920x1080"],
    [["MPEG4 640x360", "VP8 1920x1080"], {}, "MPEG4 640x360"],
    [["h.265 1920x1080", "MJPEG 640x360"], {}, "MJPEG 640x360"],
    [["H264", "H264 640x360"], {}, "H264 640x360"],
    [["H264"], {}, "H264"],
    [[], {}, undefined],
  ];
  for (const [profiles, wish, chosen] of cases) {
    it(`of ${profiles.join(", ") || "nothing"} takes ${chosen} for ${JSON.stringify(wish)}`, () => {
      assert.equal(
        chooseProfile(
          profiles.map((text) => profile(text)),
          wish,
        )?.token,
        chosen,
      );
    });
  }

  it("groups by source, in the camera's order where there is one", () => {
    const profiles = [profile("b1", "b"), profile("a1", "a"), profile("b2", "b")];
    const tokens = (sources?: string[]) =>
      groupBySource(profiles, sources).map((group) => group.map(({ token }) => token));
    assert.deepEqual(tokens(), [["b1", "b2"], ["a1"]]);
    assert.deepEqual(tokens(["a", "unused", "b"]), [["a1"], ["b1", "b2"]]);
    assert.deepEqual(tokens(["a"]), [["a1"], ["b1", "b2"]]);
  });
});
