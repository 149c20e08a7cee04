import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { call } from "../../src/api/call.ts";
import { commands } from "../../src/api/commands.ts";
import type { DiscoveryEvent } from "../../src/discovery/scan.ts";
import { ApiFixture, assertDescribed, picture } from "../servers/api-fixture.ts";
import { HttpCamera, mjpeg } from "../servers/http-camera.ts";

const { password, otherPassword } = ApiFixture;
const username = "admin";

interface Listed {
  readonly total: number;
  readonly cameras: Readonly<Record<string, { name: string; source: string; connected: boolean; fps: number }>>;
}

interface Status {
  readonly data: Readonly<Record<string, unknown>>;
}

describe("API commands", () => {
  let camera: HttpCamera;
  let api: ApiFixture;

  before(async () => {
    camera = await HttpCamera.start({ login: "digest", username, password, answer: mjpeg(await picture()) });
  });
  after(() => camera.stop());
  beforeEach(async () => {
    api = await ApiFixture.open();
  });
  afterEach(() => api.close());

  const register = (camera_id: string, body: object = {}) =>
    api.succeed("register", {
      body: { camera_id, url: camera.url("/video.mjpg"), username, password, force: true, ...body },
    });
  const statusOf = async (cameraId: string) => (await api.succeed<Status>("status", { cameraId })).data;
  const live = async (cameraId: string) => {
    const deadline = Date.now() + 8000;
    while ((await statusOf(cameraId)).status !== "ACTIVE") {
      assert.ok(Date.now() < deadline, JSON.stringify(await statusOf(cameraId)));
      await sleep(50);
    }
  };

  describe("register", () => {
    it("connects, keeps the camera, and answers as the first clients expect", async () => {
      const body = { camera_id: "entrance_cam", name: "Entrance", location: "Main Store", protocol: "HTTP" };
      const login = encodeURIComponent(password);
      const url = camera.url("/video.mjpg").replace("//", `//${username}:${login}@`);
      assert.deepEqual(await api.succeed("register", { body: { ...body, url } }), {
        status: "success",
        message: "Camera Entrance registered successfully",
        camera_id: "entrance_cam",
        protocol: "http",
      });
      const data = await statusOf("entrance_cam");
      assert.equal(data.source, camera.url("/video.mjpg"));
      assert.deepEqual([data.username, data.has_password, data.location], [username, true, "Main Store"]);
    });

    it("does not keep one that cannot be connected to, unless it is forced", async () => {
      const body = { camera_id: "yard", url: camera.url("/video.mjpg"), username, password: "wrong" };
      assert.deepEqual(await api.fail("register", { body }), [400, "CAMERA_AUTH_FAILED"]);
      assert.deepEqual(await api.fail("status", { cameraId: "yard" }), [404, "CAMERA_UNKNOWN"]);
      const asked = camera.requests;
      await api.succeed("register", { body: { ...body, force: true } });
      assert.equal(camera.requests, asked);
      assert.equal((await statusOf("yard")).status, "STOPPED");
    });

    it("refuses an id that is taken before it troubles the camera", async () => {
      await register("door");
      const asked = camera.requests;
      const body = { camera_id: "door", url: camera.url("/video.mjpg") };
      assert.deepEqual(await api.fail("register", { body }), [409, "CAMERA_EXISTS"]);
      assert.equal(camera.requests, asked);
    });

    for (const [what, fields, status, code] of [
      ["an address of this machine", { url: "rtsp://0.0.0.0/x" }, 422, "ADDRESS_FORBIDDEN"],
      ["a file", { url: "file:///etc/passwd" }, 422, "ADDRESS_FORBIDDEN"],
      ["a webcam", { url: "0" }, 422, "ADDRESS_FORBIDDEN"],
      ["a program", { url: "exec://ls" }, 400, "ADDRESS_SCHEME_UNKNOWN"],
      ["half an address", { url: "rtsp://" }, 400, "ADDRESS_INVALID"],
      ["a protocol that there is not", { url: "rtsp://10.0.0.9/x", protocol: "exec" }, 400, "REQUEST_INVALID"],
      ["a protocol of this machine", { url: "clip.mp4", protocol: "file" }, 400, "REQUEST_INVALID"],
      ["another protocol than the address has", { url: "http://10.0.0.9/x", protocol: "RTSP" }, 400, "REQUEST_INVALID"],
      ["an id with capitals", { camera_id: "Door", url: "rtsp://10.0.0.9/x" }, 400, "REQUEST_INVALID"],
      ["an id that JavaScript knows", { camera_id: "__proto__", url: "rtsp://10.0.0.9/x" }, 400, "REQUEST_INVALID"],
      ["no address", {}, 400, "REQUEST_INVALID"],
      ["a field that there is not", { url: "rtsp://10.0.0.9/x", pasword: "x" }, 400, "REQUEST_INVALID"],
      ["a channel that is text", { url: "rtsp://10.0.0.9/x", channel: "1" }, 400, "REQUEST_INVALID"],
      ["half a character", { url: "rtsp://10.0.0.9/x", name: "\ud800" }, 400, "REQUEST_INVALID"],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const body = { camera_id: "door", force: true, ...fields };
        assert.deepEqual(await api.fail("register", { body }), [status, code]);
        assert.equal((await api.succeed<Listed>("list")).total, 0);
      });
    }

    for (const [url, protocol, source, name] of [
      ["192.168.1.64", undefined, "auto://192.168.1.64", "auto"],
      ["192.168.1.64:8554/x", "RTSP", "rtsp://192.168.1.64:8554/x", "rtsp"],
      ["rtsps://192.168.1.64/x", "rtsp", "rtsps://192.168.1.64/x", "rtsp"],
      [
        "http://192.168.1.64:8000/onvif/device_service",
        "ONVIF",
        "onvif://192.168.1.64:8000/onvif/device_service",
        "onvif",
      ],
      ["http://192.168.1.64:8080", "Hikvision", "hik://192.168.1.64:8080", "hikvision"],
      ["https://192.168.1.64:8443/", "dahua", "dahuas://192.168.1.64:8443", "dahua"],
      ["http://192.168.1.64/live/index", "HLS", "hls://192.168.1.64/live/index", "hls"],
      ["192.168.1.64", "axis", "axis://192.168.1.64", "brand"],
      ["rtmp://192.168.1.64/live", "auto", "rtmp://192.168.1.64/live", "rtmp"],
    ] as const) {
      it(`reads ${url} by ${protocol ?? "no protocol"} as ${source}`, async () => {
        const body = { camera_id: "door", url, force: true, ...(protocol && { protocol }) };
        const answer = await api.succeed<{ protocol: string }>("register", { body });
        assert.equal(answer.protocol, name);
        assert.equal((await statusOf("door")).source, source);
      });
    }

    for (const url of [
      `hik://192.168.1.64?user=admin&pass=${otherPassword}&channel=2`,
      `onvif://192.168.1.64:8080?user=admin&pass=${otherPassword}&channel=2`,
    ]) {
      it(`takes the login and the channel out of ${url.replace(otherPassword, "…")}`, async () => {
        await api.succeed("register", { body: { camera_id: "door", url, force: true } });
        const data = await statusOf("door");
        assert.deepEqual([data.username, data.has_password, data.channel], ["admin", true, 2]);
        assert.doesNotMatch(String(data.source), /\?|admin/);
      });
    }
  });

  describe("test", () => {
    it("says what was found", async () => {
      const body = { url: camera.url("/video.mjpg"), username, password };
      const answer = await api.succeed<Record<string, unknown>>("test", { body });
      assert.equal(answer.connected, true);
      assert.equal(answer.url, camera.url("/video.mjpg"));
      assert.deepEqual([answer.codec, answer.width, answer.height], ["mjpeg", 64, 36]);
      assert.ok(Number(answer.fps) > 2 && Number(answer.first_frame_ms) >= 0, JSON.stringify(answer));
    });

    it("says why there is no connection, as an answer", async () => {
      const answer = await api.succeed<Record<string, unknown>>("test", { body: { url: "http://127.0.0.1:1/x" } });
      assert.deepEqual([answer.connected, answer.code], [false, "CAMERA_REFUSED"]);
    });

    it("shows no token of an address", async () => {
      for (const url of ["hls://127.0.0.1:1/x.m3u8?key=Sesame-4711", "http://127.0.0.1:1/x.jpg?pwd=Sesame-4711"]) {
        const answer = await api.succeed<Record<string, unknown>>("test", { body: { url } });
        assert.match(String(answer.url), /\*\*\*$/);
      }
    });

    it("tries each login once", async () => {
      const wrong = camera.wrongLogins;
      const body = { url: camera.url("/video.mjpg"), username, password: otherPassword };
      const answer = await api.succeed<Record<string, unknown>>("test", { body });
      assert.deepEqual([answer.connected, answer.code], [false, "CAMERA_AUTH_FAILED"]);
      assert.equal(camera.wrongLogins, wrong + 1);
    });

    it("refuses what may not be opened, even by a name that is harmless at first sight", async () => {
      for (const url of ["rtsp://[::1]/x", "rtsp://0x7f.2/x", "http://169.254.169.254/x.jpg"]) {
        assert.deepEqual(await api.fail("test", { body: { url } }), [422, "ADDRESS_FORBIDDEN"]);
      }
    });
  });

  it("discover answers when the scan is over, tells of it meanwhile, and runs once at a time", async () => {
    const events: DiscoveryEvent[] = [];
    const context = { ...api.context, onDiscovery: (event: DiscoveryEvent) => void events.push(event) };
    const request = { body: {}, signal: new AbortController().signal };
    const [first, second] = await Promise.all([call(context, "discover", request), call(context, "discover", request)]);
    assertDescribed("discover", first);
    assertDescribed("discover", second);
    assert.deepEqual([first.status, second.status], [200, 409]);
    const { cameras, discovered_count } = first.body as { cameras: object[]; discovered_count: number };
    assert.equal(discovered_count, cameras.length);
    assert.equal(events.at(-1)?.type, "finished");
    assert.ok(events.some(({ type }) => type === "progress"));
  });

  it("discover refuses what is no subnet, or too much of one", async () => {
    for (const subnet of ["everywhere", "10.0.0.0/8", "8.8.8.0/24", "192.168.1.0/99"]) {
      assert.deepEqual(await api.fail("discover", { body: { subnet } }), [400, "SETTING_INVALID"], subnet);
    }
    assert.deepEqual(await api.fail("discover", { body: { subnet: 24 } }), [400, "REQUEST_INVALID"]);
    assert.deepEqual(await api.fail("discover"), [429, "RATE_LIMITED"]);
  });

  it("discover ends when nobody waits any more", async () => {
    const leaving = new AbortController();
    const scan = call(api.context, "discover", { body: {}, signal: leaving.signal });
    setTimeout(() => leaving.abort(), 20);
    const startedAt = Date.now();
    await scan;
    assert.ok(Date.now() - startedAt < 1000);
  });

  it("list and status tell what the first clients read", async () => {
    await register("door", { name: "Door" });
    await api.succeed("start", { body: { cameras: ["door"] } });
    await live("door");
    const { total, cameras } = await api.succeed<Listed>("list");
    assert.equal(total, 1);
    assert.deepEqual(Object.keys(cameras.door ?? {}).slice(0, 5), ["name", "source", "connected", "fps", "alerts"]);
    assert.deepEqual([cameras.door?.name, cameras.door?.connected], ["Door", true]);
    const data = await statusOf("door");
    assert.deepEqual([data.camera_id, data.status, data.alerts_total], ["door", "ACTIVE", 0]);
    assert.ok(Date.now() - Date.parse(String(data.last_frame_time)) < 5000);
  });

  it("start and stop mind the cameras that are named, and say which they passed over", async () => {
    for (const id of ["door", "yard", "till"]) await register(id);
    await api.succeed("disable", { cameraId: "till" });
    const started = await api.succeed<Record<string, unknown>>("start", {
      body: { cameras: ["door", "till", "exit_cam"] },
    });
    assert.deepEqual(started, {
      status: "success",
      message: "Detection started",
      cameras: ["door"],
      skipped: [
        {
          camera_id: "till",
          code: "REQUEST_INVALID",
          message: 'camera "till" is disabled; enable it first',
        },
        {
          camera_id: "exit_cam",
          code: "CAMERA_UNKNOWN",
          message: 'no camera "exit_cam" is registered; GET /api/cameras lists those that are',
        },
      ],
    });
    assert.equal((await statusOf("yard")).status, "STOPPED");
    assert.equal((await statusOf("till")).status, "DISABLED");
    const all = await api.succeed<{ cameras: string[] }>("start");
    assert.deepEqual(all.cameras, ["door", "yard"]);
    const stopped = await api.succeed<{ cameras: string[] }>("stop", { body: { cameras: ["door"] } });
    assert.deepEqual(stopped.cameras, ["door"]);
    assert.equal((await statusOf("door")).status, "STOPPED");
    assert.equal((await statusOf("yard")).detecting, true);
    assert.deepEqual(await api.fail("start", { body: { cameras: ["exit_cam"] } }), [404, "CAMERA_UNKNOWN"]);
    assert.deepEqual(await api.fail("stop", { body: { cameras: "all" } }), [400, "REQUEST_INVALID"]);
  });

  it("enable, disable and remove do so, and know whom they are about", async () => {
    await register("door");
    await api.succeed("disable", { cameraId: "door" });
    assert.equal((await statusOf("door")).enabled, false);
    await api.succeed("enable", { cameraId: "door" });
    assert.equal((await statusOf("door")).enabled, true);
    await api.succeed("remove", { cameraId: "door" });
    for (const name of ["enable", "disable", "remove", "update", "status", "snapshot", "stream"]) {
      assert.deepEqual(await api.fail(name, { cameraId: "door" }), [404, "CAMERA_UNKNOWN"], name);
      assert.deepEqual(await api.fail(name, { cameraId: "../x" }), [400, "REQUEST_INVALID"], name);
    }
  });

  it("update changes what is said and nothing else", async () => {
    await register("door", { name: "Door", channel: 2 });
    await api.succeed("update", { cameraId: "door", body: { location: "Hall" } });
    const data = await statusOf("door");
    assert.deepEqual(
      [data.name, data.location, data.channel, data.has_password, data.source],
      ["Door", "Hall", 2, true, camera.url("/video.mjpg")],
    );
    await api.succeed("update", { cameraId: "door", body: { password: null, username: null } });
    assert.deepEqual([(await statusOf("door")).has_password, (await statusOf("door")).username], [false, ""]);
    for (const body of [{ protocol: "RTSP" }, { camera_id: 7, id: "x" }, { url: 5 }, { enabled: true }]) {
      assert.deepEqual(await api.fail("update", { cameraId: "door", body }), [400, "REQUEST_INVALID"]);
    }
  });

  it("update does not carry a stored password to another host", async () => {
    await register("door", { password: otherPassword });
    const url = "rtsp://192.168.1.99/stream";
    assert.deepEqual(await api.fail("update", { cameraId: "door", body: { url } }), [400, "REQUEST_INVALID"]);
    await api.succeed("update", { cameraId: "door", body: { url, password } });
    assert.deepEqual([(await statusOf("door")).source, (await statusOf("door")).protocol], [url, "rtsp"]);
    const local = { url: "rtsp://169.254.169.254/x", password };
    assert.deepEqual(await api.fail("update", { cameraId: "door", body: local }), [422, "ADDRESS_FORBIDDEN"]);
  });

  it("snapshot is a JPEG, also of a camera that does not run, and a reason where there is none", async () => {
    await register("door");
    const { status, headers, body } = await api.call("snapshot", { cameraId: "door" });
    assert.deepEqual([status, headers["content-type"]], [200, "image/jpeg"]);
    assert.equal((body as Buffer).subarray(0, 2).toString("hex"), "ffd8");
    await register("yard", { url: "http://127.0.0.1:1/x.jpg" });
    assert.deepEqual(await api.fail("snapshot", { cameraId: "yard" }), [502, "CAMERA_REFUSED"]);
  });

  it("names the camera in the body where no path does", async () => {
    await register("door");
    const { data } = await api.succeed<Status>("status", { body: { camera_id: "door" } });
    assert.equal(data.camera_id, "door");
    await api.succeed("update", { body: { camera_id: "door", name: "Front" } });
    assert.equal((await statusOf("door")).name, "Front");
  });

  describe("access", () => {
    it("is as the role of each command says", async () => {
      const roles = ["viewer", "operator", "admin"] as const;
      for (const { name, role } of commands) {
        for (const as of ["nobody", ...roles] as const) {
          const { status } = await api.call(name, { as, cameraId: "nobody-home", body: { url: "x:" } });
          const isLetIn = role === "anyone" || (as !== "nobody" && roles.indexOf(as) >= roles.indexOf(role));
          const expected = isLetIn ? "let in" : as === "nobody" ? 401 : 403;
          const found = status === 401 || status === 403 ? status : "let in";
          assert.equal(found, expected, `${name} as ${as}: ${status}`);
        }
      }
    });

    it("tells a browser how to log in, and the flow needs no key", async () => {
      const { headers } = await api.call("list", { as: "nobody" });
      assert.match(headers["www-authenticate"] ?? "", /^Bearer/);
      const { status } = await call(api.context, "list", { signal: new AbortController().signal });
      assert.equal(status, 200);
    });

    it("limits how often cameras are troubled, by key, and says when to come back", async () => {
      const body = { url: "rtsp://0.0.0.0/x" };
      let answer = await api.call("test", { body });
      for (let count = 1; answer.status === 422 && count < 100; count++) answer = await api.call("test", { body });
      assert.equal(answer.status, 429);
      assert.match(answer.headers["retry-after"] ?? "", /^[1-9]\d*$/);
      assert.equal((await api.call("list")).status, 200);
    });

    it("says to browsers whose pages may read the answer", async () => {
      const open = await ApiFixture.open({ origins: ["https://shop.example"] });
      try {
        const from = async (origin: string) => (await open.call("list", { headers: { origin } })).headers;
        assert.equal((await from("https://shop.example"))["access-control-allow-origin"], "https://shop.example");
        assert.equal((await from("https://evil.example"))["access-control-allow-origin"], undefined);
      } finally {
        await open.close();
      }
    });

    it("keeps other sites' pages out where no key is asked for, but shows them pictures", async () => {
      const open = await ApiFixture.open({ required: false, origins: ["https://shop.example"] });
      try {
        const page = { "sec-fetch-site": "cross-site" };
        const options = { as: "nobody", cameraId: "door" } as const;
        const status = async (name: string, headers: Record<string, string>) =>
          (await open.call(name, { ...options, headers })).status;
        assert.equal(await status("remove", page), 403);
        assert.equal(await status("list", page), 403);
        assert.equal(await status("list", { ...page, "sec-fetch-mode": "navigate" }), 200);
        assert.equal(await status("list", { ...page, origin: "https://shop.example" }), 200);
        assert.equal(await status("list", { "sec-fetch-site": "same-origin" }), 200);
        assert.equal(await status("snapshot", page), 404);
      } finally {
        await open.close();
      }
    });
  });

  describe("bodies", () => {
    const bytes = (text: string) => Buffer.from(text);

    it("are read as bytes too", async () => {
      assert.deepEqual(await api.fail("start", { body: bytes('{"cameras":["door"]}') }), [404, "CAMERA_UNKNOWN"]);
    });

    for (const [what, body, contentType, status] of [
      ["broken JSON", bytes('{"cameras":'), "application/json", 400],
      ["bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22]), "application/json", 400],
      ["JSON in UTF-16", Buffer.from('{"cameras":[]}', "utf16le"), "application/json; charset=utf-16", 400],
      ["JSON in disguise", bytes('{"cameras":[]}'), "text/plain", 400],
      ["a form", { cameras: "door" }, "application/x-www-form-urlencoded", 400],
      ["a list", bytes("[]"), "application/json", 400],
      ["a number", bytes("5"), "application/json", 400],
      ["far too much", Buffer.alloc(300_000, 0x20), "application/json", 413],
      ["deep nesting", bytes(`${"[".repeat(100_000)}${"]".repeat(100_000)}`), "application/json", 400],
    ] as const) {
      it(`are refused as ${what}`, async () => {
        const answer = await api.fail("start", { body, headers: { "content-type": contentType } });
        assert.deepEqual(answer, [status, "REQUEST_INVALID"]);
      });
    }

    it("repeat no value in what is said of them", async () => {
      const body = { camera_id: "door", url: { a: otherPassword }, password: [otherPassword] };
      assert.deepEqual(await api.fail("register", { body }), [400, "REQUEST_INVALID"]);
      assert.deepEqual(await api.fail("register", { body: bytes(`{"password":"${otherPassword}`) }), [
        400,
        "REQUEST_INVALID",
      ]);
    });
  });

  it("answers an unforeseen failure without telling of it, and hands it on", async () => {
    const fleet = Object.assign(Object.create(api.fleet), {
      statuses: () => Promise.reject(new TypeError("undefined is not a function at /secret/path")),
    });
    const request = { signal: new AbortController().signal };
    const { status, body, failure } = await call({ ...api.context, fleet }, "list", request);
    const { cause } = failure ?? {};
    assert.equal(status, 500);
    assert.doesNotMatch(JSON.stringify(body), /secret|undefined/);
    assert.equal((cause as Error).message, "undefined is not a function at /secret/path");
  });

  it("does not know what is no command", async () => {
    for (const name of ["", "exec", "constructor", "__proto__"]) {
      const { status } = await call(api.context, name, { signal: new AbortController().signal });
      assert.equal(status, 400);
    }
  });
});
