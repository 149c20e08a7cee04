import assert from "node:assert/strict";
import { readChannels, readRtspPort, readStream, streamId } from "../../src/camera/protocols/hikvision/channels.ts";
import { parseXml } from "../../src/camera/xml.ts";

const xml = (text: string) => parseXml(text, "test");
const streaming = (...ids: number[]) =>
  xml(
    `<StreamingChannelList>${ids.map((id) => `<StreamingChannel><id>${id}</id></StreamingChannel>`).join("")}</StreamingChannelList>`,
  );
const inputs = (...ids: number[]) =>
  xml(
    `<L>${ids.map((id) => `<VideoInputChannel><id>${id}</id><name>in ${id}</name></VideoInputChannel>`).join("")}</L>`,
  );
const proxies = (...ids: number[]) =>
  xml(
    `<L>${ids.map((id) => `<InputProxyChannel><id>${id}</id><name>ip ${id}</name></InputProxyChannel>`).join("")}</L>`,
  );

describe("Hikvision channels", () => {
  for (const [what, documents, expected] of [
    ["a camera", { streaming: streaming(101, 102), inputs: inputs(1) }, "1 in 1"],
    ["a camera of two lenses", { streaming: streaming(101, 102, 201, 202), inputs: inputs(1) }, "1 in 1, 2 -"],
    ["a camera whose settings are forbidden", { streaming: streaming(101, 102) }, "1 -"],
    ["a network recorder", { proxies: proxies(1, 2, 7) }, "1 ip 1, 2 ip 2, 7 ip 7"],
    ["a recorder with empty channels", { proxies: proxies(2), streaming: streaming(101, 201, 301) }, "2 ip 2"],
    ["an analog recorder", { inputs: inputs(1, 2), proxies: proxies() }, "1 in 1, 2 in 2"],
    ["a hybrid that counts on", { inputs: inputs(1, 2), proxies: proxies(3, 4) }, "1 in 1, 2 in 2, 3 ip 3, 4 ip 4"],
    ["a hybrid that counts anew", { inputs: inputs(1, 2), proxies: proxies(1, 2) }, "1 in 1, 2 in 2, 3 ip 1, 4 ip 2"],
    [
      "a hybrid whose streams say how it counts",
      { inputs: inputs(1, 2), proxies: proxies(1), streaming: streaming(101, 201, 301) },
      "1 in 1, 2 in 2, 3 ip 1",
    ],
    [
      "a recorder that lists its network cameras as inputs too",
      { inputs: inputs(1, 2), proxies: proxies(1, 2), streaming: streaming(101, 201) },
      "1 ip 1, 2 ip 2",
    ],
    ["a device that tells nothing", {}, ""],
  ] as const) {
    it(`puts together those of ${what}`, () => {
      const found = readChannels(documents).map(({ channel, name }) => `${channel} ${name ?? "-"}`);
      assert.equal(found.join(", "), expected);
    });
  }

  it("tells which cameras are gone", () => {
    const status = (id: number, online: boolean) =>
      `<InputProxyChannelStatus><id>${id}</id><online>${online}</online></InputProxyChannelStatus>`;
    const proxyStatus = xml(`<L>${status(1, true)}${status(2, false)}</L>`);
    const found = readChannels({ proxies: proxies(1, 2, 3), proxyStatus });
    assert.deepEqual(
      found.map(({ online }) => online),
      [true, false, undefined],
    );
  });

  it("tells which inputs are off, and which have no picture", () => {
    const found = readChannels({
      inputs: xml(`<L>
        <VideoInputChannel><id>1</id><videoInputEnabled>true</videoInputEnabled><resDesc>NO VIDEO</resDesc></VideoInputChannel>
        <VideoInputChannel><id>2</id><videoInputEnabled>false</videoInputEnabled></VideoInputChannel></L>`),
    });
    assert.deepEqual(found, [{ channel: 1, online: false, streams: [] }]);
  });

  for (const [what, body, expected] of [
    ["main", "<id>301</id>", { stream: "main" }],
    [
      "sub",
      "<id>102</id><enabled>true</enabled><Video><videoCodecType>H.264</videoCodecType><videoResolutionWidth>640</videoResolutionWidth><videoResolutionHeight>360</videoResolutionHeight><maxFrameRate>1250</maxFrameRate></Video>",
      { stream: "sub", codec: "H.264", width: 640, height: 360, fps: 12.5 },
    ],
    ["full rate", "<id>101</id><Video><maxFrameRate>0</maxFrameRate></Video>", { stream: "main" }],
    ["third", "<id>103</id>", undefined],
    ["switched off", "<id>102</id><enabled>false</enabled>", undefined],
    ["nothing", "", undefined],
  ] as const) {
    it(`reads a stream: ${what}`, () => {
      assert.deepEqual(readStream(xml(`<StreamingChannel>${body}</StreamingChannel>`)), expected);
    });
  }

  it("numbers streams", () => {
    assert.deepEqual([streamId(1, "main"), streamId(1, "sub"), streamId(33, "sub")], [101, 102, 3302]);
  });

  for (const [body, port] of [
    ["<AdminAccessProtocol><protocol>RTSP</protocol><portNo>10554</portNo></AdminAccessProtocol>", 10554],
    ["<AdminAccessProtocol><protocol>HTTP</protocol><portNo>80</portNo></AdminAccessProtocol>", 554],
    ["<AdminAccessProtocol><protocol>rtsp</protocol><portNo>99999</portNo></AdminAccessProtocol>", 554],
    ["", 554],
  ] as const) {
    it(`finds port ${port} in ${body || "nothing"}`, () => assert.equal(readRtspPort(xml(`<L>${body}</L>`)), port));
  }
});
