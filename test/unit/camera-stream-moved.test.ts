import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { parseNetworkAddress } from "../../src/camera/address.ts";
import { httpProtocol } from "../../src/camera/protocols/http/http-protocol.ts";
import type { Protocol } from "../../src/camera/protocols/protocol.ts";
import { ProtocolRegistry } from "../../src/camera/protocols/registry.ts";
import { CctvError } from "../../src/errors.ts";
import type { AddressFinder } from "../../src/stream/address-finder.ts";
import { CameraStream, type StreamState } from "../../src/stream/camera-stream.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";

const HERE = "127.0.0.1";
const THERE = "127.0.0.2";
const credentials = { username: "admin", password: "s3cret-Word" };

describe("camera stream: a camera that moves", function () {
  this.timeout(20_000);
  let jpeg: Buffer;
  const closing: (() => Promise<void>)[] = [];

  before(async function () {
    if (process.platform !== "linux") return this.skip();
    jpeg = await sharp({ create: { width: 64, height: 36, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  /** A camera at two addresses, of which only those that are plugged in are reached, and a stream that looks for it. */
  const setUp = async (finder: Partial<AddressFinder>, places = [HERE]) => {
    const answer = mjpeg(jpeg);
    const here = await HttpCamera.start({ login: "digest", ...credentials, answer });
    const there = await HttpCamera.start({ login: "digest", ...credentials, host: THERE, port: here.port, answer });
    const plugged = new Set<string>(places);
    // Loopback refuses at once what a LAN leaves without an answer.
    const protocol: Protocol = {
      ...httpProtocol,
      async resolve(config, signal) {
        const { host } = parseNetworkAddress(config.address, 80);
        tried.push(host);
        if (!plugged.has(host)) throw new CctvError("CAMERA_UNREACHABLE", `${host} cannot be reached`);
        return httpProtocol.resolve(config, signal);
      },
    };
    const tried: string[] = [];
    const remembered: string[] = [];
    const warnings: string[] = [];
    const lines: string[] = [];
    const stream = new CameraStream({
      camera: { id: "door", name: "Door", location: "", site: "shop" },
      address: `http://${HERE}:${here.port}/video`,
      ...credentials,
      fps: 10,
      longSide: 640,
      random: () => 0,
      registry: new ProtocolRegistry([protocol]),
      logger: { debug: (line) => lines.push(line), info: () => undefined, warn: (line) => warnings.push(line) },
      finder: {
        remember: async (host) => void remembered.push(host),
        find: async () => undefined,
        ...finder,
      },
    });
    closing.push(
      () => here.stop(),
      () => there.stop(),
      () => stream.close(),
    );
    const until = async (wanted: StreamState["state"]) => {
      for (;;) {
        const [state] = (await once(stream, "state")) as [StreamState];
        if (state.state === wanted) return state;
      }
    };
    const move = async () => {
      plugged.delete(HERE);
      plugged.add(THERE);
      await here.stop();
    };
    stream.start();
    return { stream, there, plugged, tried, remembered, warnings, lines, until, move };
  };

  it("is followed to its new address after three attempts, told in one line", async () => {
    const asked: string[] = [];
    const { there, tried, remembered, warnings, until, move, stream } = await setUp({
      find: async (host) => {
        asked.push(host);
        return THERE;
      },
    });
    await until("live");
    await move();
    const waiting: number[] = [];
    stream.on("state", ({ state }) => {
      if (state === "waiting") waiting.push(Date.now());
    });
    await until("live");
    assert.ok(Date.now() - (waiting.at(-1) ?? 0) < 900, "it went there at once");
    assert.deepEqual(asked, [HERE]);
    assert.deepEqual(tried, [HERE, HERE, HERE, HERE, THERE]);
    assert.deepEqual(remembered, [HERE, THERE]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /was at 127\.0\.0\.1 is at 127\.0\.0\.2 now/);
    assert.equal(there.wrongLogins, 0);
    assert.equal(stream.health().reconnects, 1);
  });

  it("is awaited at its configured address when it is not where the finder says, and whatever the finder does", async () => {
    const cases: [find: AddressFinder["find"], tried: string[], warnings: number][] = [
      [async () => THERE, [HERE, HERE, HERE, THERE, HERE], 1],
      [async () => undefined, [HERE, HERE, HERE, HERE], 0],
      [async () => "http://127.0.0.2/", [HERE, HERE, HERE, HERE], 0],
      [() => Promise.reject(new Error("no network")), [HERE, HERE, HERE, HERE], 0],
      [
        () => {
          throw new Error("no network");
        },
        [HERE, HERE, HERE, HERE],
        0,
      ],
    ];
    const follow = async ([find, expected, told]: (typeof cases)[number]) => {
      const { plugged, tried, warnings, lines, until } = await setUp(
        {
          remember: () => Promise.reject(new Error("no table")),
          find: (host, signal) => {
            plugged.add(HERE);
            return find(host, signal);
          },
        },
        [],
      );
      await until("live");
      assert.deepEqual(tried, expected);
      assert.equal(warnings.length, told);
      assert.ok([...warnings, ...lines].every((line) => !line.includes(credentials.password)));
    };
    await Promise.all(cases.map(follow));
  });

  it("closes at once while the finder searches", async () => {
    let searching: AbortSignal | undefined;
    const { stream } = await setUp(
      {
        find: (_host, signal) => {
          searching = signal;
          return new Promise(() => undefined);
        },
      },
      [],
    );
    while (searching === undefined) await sleep(50);
    const startedAt = Date.now();
    await stream.close();
    assert.ok(Date.now() - startedAt < 500);
    assert.equal(searching.aborted, true);
  });
});
