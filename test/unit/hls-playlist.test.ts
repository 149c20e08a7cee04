import assert from "node:assert/strict";
import { chooseVariant, readPlaylist, relinkPlaylist } from "../../src/camera/protocols/hls/playlist.ts";

const media = (...lines: string[]) => ["#EXTM3U", "#EXT-X-TARGETDURATION:2", ...lines].join("\n");
const SEGMENT = "#EXTINF:2,\npart7.ts";

describe("HLS playlist", () => {
  for (const [what, lines, state] of [
    ["a playlist without an end", [SEGMENT], "live"],
    ["an event that goes on", ["#EXT-X-PLAYLIST-TYPE:EVENT", SEGMENT], "live"],
    ["a complete one", [SEGMENT, "#EXT-X-ENDLIST"], "recording"],
    ["a complete one that counts from 1", ["#EXT-X-MEDIA-SEQUENCE:1", SEGMENT, "#EXT-X-ENDLIST"], "recording"],
    [
      "a part of a recording",
      ["#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-MEDIA-SEQUENCE:70", SEGMENT, "#EXT-X-ENDLIST"],
      "recording",
    ],
    ["a live one that has ended", ["#EXT-X-MEDIA-SEQUENCE:70", SEGMENT, "#EXT-X-ENDLIST"], "over"],
    ["one without segments yet", [], "live"],
  ] as const) {
    it(`takes ${what} for ${state}`, () => {
      const expected = { kind: "media", state };
      assert.deepEqual(readPlaylist(media(...lines)), expected);
      assert.deepEqual(readPlaylist(`\uFEFF${media(...lines).replaceAll("\n", "\r\n")}\r\n`), expected);
    });
  }

  for (const text of ["", "<!DOCTYPE html><html>", "#EXTINF:1,\na.ts", '{"error": "#EXTM3U"}']) {
    it(`takes ${JSON.stringify(text)} for no playlist`, () => assert.equal(readPlaylist(text), undefined));
  }

  it("reads the renditions of a master playlist, without those that are sound alone", () => {
    const text = `#EXTM3U
#EXT-X-VERSION:4
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="sound.m3u8"

#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=1,BANDWIDTH=4000000,RESOLUTION=1920x1080,CODECS="avc1.640028,mp4a.40.2"
#EXT-X-SOMETHING:NEW
main/index.m3u8?a=1,2
#EXT-X-STREAM-INF:BANDWIDTH=600000,RESOLUTION=360x640
\t https://10.0.0.9/sub.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"
sound.m3u8
#EXT-X-STREAM-INF:PROGRAM-ID=1
plain.m3u8
`;
    assert.deepEqual(readPlaylist(text), {
      kind: "master",
      variants: [
        { uri: "main/index.m3u8?a=1,2", bandwidth: 4_000_000, longSide: 1920 },
        { uri: "https://10.0.0.9/sub.m3u8", bandwidth: 600_000, longSide: 640 },
        { uri: "plain.m3u8", bandwidth: 0 },
      ],
    });
  });

  for (const [what, variants, uri] of [
    [
      "the smallest that is wide enough",
      [
        ["a", 9, 1920],
        ["b", 1, 320],
        ["c", 3, 640],
        ["d", 4, 1280],
      ],
      "c",
    ],
    [
      "of two alike the lighter one",
      [
        ["a", 9, 640],
        ["b", 2, 640],
      ],
      "b",
    ],
    [
      "the widest where none is wide enough",
      [
        ["a", 9, 320],
        ["b", 3, 480],
      ],
      "b",
    ],
    [
      "the one with a size before one without",
      [
        ["a", 9],
        ["b", 3, 480],
      ],
      "b",
    ],
    [
      "the best bit rate where no size is told",
      [
        ["a", 1],
        ["b", 9],
        ["c", 3],
      ],
      "b",
    ],
    ["nothing of nothing", [], undefined],
  ] as [string, [string, number, number?][], string | undefined][]) {
    it(`chooses ${what}`, () => {
      const offered = variants.map(([uri, bandwidth, longSide]) => ({ uri, bandwidth, ...(longSide && { longSide }) }));
      assert.equal(chooseVariant(offered)?.uri, uri);
    });
  }

  for (const [what, before, after] of [
    [
      "the parts of a media playlist",
      '#EXTM3U\r\n#EXT-X-KEY:METHOD=AES-128,URI="k?a=1",IV=0x1\r\n#EXT-X-MAP:URI="i.mp4",BYTERANGE="9@0"\n# URI="x"\n\n  a b.ts \n',
      '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="part k?a=1",IV=0x1\n#EXT-X-MAP:URI="part i.mp4",BYTERANGE="9@0"\n# URI="x"\npart a b.ts\n',
    ],
    [
      "the playlists of a master playlist, but not its key",
      '\uFEFF#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI="s.m3u8"\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nm.m3u8',
      '\uFEFF#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI="playlist s.m3u8"\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI="part k"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nplaylist m.m3u8',
    ],
    [
      "HTTP alone",
      '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="data:text/plain,x"\nfile:///etc/passwd\nHTTPS://a/b.ts\n',
      '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="data:text/plain,x"\nfile:///etc/passwd\npart HTTPS://a/b.ts\n',
    ],
  ] as const) {
    it(`replaces the addresses of ${what}`, () =>
      assert.equal(
        relinkPlaylist(before, (uri, linked) => `${linked} ${uri}`),
        after,
      ));
  }
});
