import assert from "node:assert/strict";
import { readChannels, readRtspPort } from "../../src/camera/protocols/dahua/channels.ts";
import { readKeyValues, rowsOf, textAt } from "../../src/camera/protocols/dahua/key-values.ts";
import { ptzCommands, readPresets } from "../../src/camera/protocols/dahua/ptz.ts";

const titles = (...names: string[]) =>
  readKeyValues(names.map((name, index) => `table.ChannelTitle[${index}].Name=${name}`).join("\r\n"));
const slots = (addresses: Readonly<Record<number, string>>, more = "") =>
  readKeyValues(
    Object.entries(addresses)
      .map(([index, address]) => `table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_${index}.Address=${address}`)
      .join("\n")
      .concat("\n", more),
  );
const encode = (...indexes: number[]) =>
  readKeyValues(indexes.map((index) => `table.Encode[${index}].MainFormat[0].Video.Compression=H.264`).join("\n"));

describe("Dahua tables", () => {
  it("hold a value with everything after the first =", () => {
    const values = readKeyValues("table.A[0].Name=a=b; c\r\nempty=\r\nno value\n=no key\n  x = y \r\n");
    assert.deepEqual(
      [...values],
      [
        ["table.A[0].Name", "a=b; c"],
        ["empty", ""],
        ["x", "y"],
      ],
    );
    assert.equal(textAt(values, "empty"), undefined);
    assert.equal(textAt(undefined, "x"), undefined);
  });

  it("lose the passwords that they hold", () => {
    const values = readKeyValues("a.Password=hunter2\na.PassWd=hunter2\na.LoginSecret=hunter2\na.UserName=admin");
    assert.deepEqual([...values], [["a.UserName", "admin"]]);
  });

  it("are sorted by number", () => {
    const rows = rowsOf(readKeyValues("t[0].a=1\nt[10].a=2\nt[0].b=3\nother=4"), /^t\[(\d+)\]\.(.+)$/);
    assert.deepEqual(
      [...rows].map(([number, row]) => [number, [...row]]),
      [
        [
          0,
          [
            ["a", "1"],
            ["b", "3"],
          ],
        ],
        [10, [["a", "2"]]],
      ],
    );
  });

  for (const [what, tables, expected] of [
    ["a camera", { titles: titles("Door"), encode: encode(0) }, "1 Door"],
    ["a camera without a title", { titles: titles(""), encode: encode(0) }, "1 -"],
    ["a camera of two lenses", { titles: titles("Door"), encode: encode(0, 1) }, "1 Door, 2 -"],
    [
      "a network recorder: connected slots, counted on by one",
      {
        titles: titles("Till", "", "CAM 3", "CAM 4"),
        remotes: slots({ 0: "192.0.2.1", 1: "192.0.2.2", 2: "192.168.0.0", 10: "192.0.2.9" }),
        isNetworkRecorder: true,
      },
      "1 Till, 2 -, 11 -",
    ],
    [
      "a network recorder with a slot that is off",
      {
        remotes: slots(
          { 0: "192.0.2.1", 1: "192.0.2.2" },
          "table.RemoteDevice.System_CONFIG_NETCAMERA_INFO_1.Enable=false\ntable.RemoteDevice.System_CONFIG_NETCAMERA_INFO_0.VideoInputs[0].Name=Gate",
        ),
        isNetworkRecorder: true,
      },
      "1 Gate",
    ],
    ["a network recorder that tells of no slots", { titles: titles("a", "b"), isNetworkRecorder: true }, "1 a, 2 b"],
    [
      "a hybrid recorder: inputs of its own, then slots",
      { titles: titles("Front", "Cellar"), encode: encode(0, 1), remotes: slots({ 2: "192.0.2.1", 3: "192.168.0.0" }) },
      "1 Front, 2 Cellar, 3 -",
    ],
    ["a device that tells nothing", {}, ""],
  ] as const) {
    it(`tell the channels of ${what}`, () => {
      const found = readChannels({ isNetworkRecorder: false, ...tables });
      assert.equal(found.map(({ channel, name }) => `${channel} ${name ?? "-"}`).join(", "), expected);
    });
  }

  for (const [what, lines, expected] of [
    [
      "sizes",
      [
        "MainFormat[0].Video.Compression=H.265",
        "MainFormat[0].Video.Width=2688",
        "MainFormat[0].Video.Height=1520",
        "MainFormat[0].Video.FPS=12.5",
      ],
      [{ stream: "main", codec: "H.265", width: 2688, height: 1520, fps: 12.5 }],
    ],
    [
      "sizes of older firmware",
      ["ExtraFormat[0].Video.Compression=H.264", "ExtraFormat[0].Video.resolution=704x576"],
      [{ stream: "sub", codec: "H.264", width: 704, height: 576 }],
    ],
    [
      "no stream that is off, nor a third one",
      [
        "ExtraFormat[0].Video.Compression=H.264",
        "ExtraFormat[0].VideoEnable=false",
        "ExtraFormat[1].Video.Compression=H.264",
      ],
      [],
    ],
  ] as const) {
    it(`tell of the streams ${what}`, () => {
      const table = readKeyValues(lines.map((line) => `table.Encode[0].${line}`).join("\n"));
      assert.deepEqual(readChannels({ encode: table, isNetworkRecorder: false })[0]?.streams, expected);
    });
  }

  for (const [text, port] of [
    ["table.RTSP.Port=10554", 10554],
    ["table.RTSP.Port=0", 554],
    ["table.RTSP.Port=99999", 554],
    ["table.RTSP.Enable=true", 554],
  ] as const) {
    it(`tell port ${port} by ${text}`, () => assert.equal(readRtspPort(readKeyValues(text)), port));
  }

  for (const [velocity, commands] of [
    [{ pan: 1 }, ["Right 0 8 0"]],
    [{ pan: -0.5 }, ["Left 0 4 0"]],
    [{ tilt: 0.01 }, ["Up 0 1 0"]],
    [{ tilt: -1 }, ["Down 0 8 0"]],
    [{ pan: -1, tilt: 0.5 }, ["LeftUp 4 8 0"]],
    [{ pan: 0.25, tilt: -0.5, zoom: -1 }, ["RightDown 4 2 0", "ZoomWide 0 8 0"]],
    [{ zoom: 0.5 }, ["ZoomTele 0 4 0"]],
    [{}, []],
  ] as const) {
    it(`turn ${JSON.stringify(velocity)} into ${commands.join(" and ") || "nothing"}`, () => {
      const found = ptzCommands({ pan: 0, tilt: 0, zoom: 0, ...velocity });
      assert.deepEqual(
        found.map(({ code, args }) => [code, ...args].join(" ")),
        commands,
      );
    });
  }

  it("tell presets", () => {
    const values = readKeyValues("presets[0].Index=1\npresets[0].Name=Till\npresets[1].Index=7\npresets[2].Name=lost");
    assert.deepEqual(readPresets(values), [
      { id: "1", name: "Till" },
      { id: "7", name: "7" },
    ]);
  });
});
