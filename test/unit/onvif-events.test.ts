import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { CameraDevice, CameraEvent } from "../../src/camera/device.ts";
import { readEndpointReference } from "../../src/camera/protocols/onvif/endpoint-reference.ts";
import { pauseAfterFault } from "../../src/camera/protocols/onvif/event-feed.ts";
import { kindOfTopic } from "../../src/camera/protocols/onvif/event-topics.ts";
import { readNotification } from "../../src/camera/protocols/onvif/notification.ts";
import { onvifProtocol } from "../../src/camera/protocols/onvif/onvif-protocol.ts";
import type { CameraConfig } from "../../src/camera/protocols/protocol.ts";
import { escapeXml, parseXml } from "../../src/camera/xml.ts";
import type { CctvError } from "../../src/errors.ts";
import { OnvifCamera, type OnvifCameraSettings } from "../servers/onvif-camera.ts";

const login = { username: "admin", password: "s3cret" };
const MOTION = "tns1:RuleEngine/CellMotionDetector/Motion";
const DAY = 86_400_000;

describe("onvif events", () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const open = async (settings: OnvifCameraSettings = {}, config: Partial<CameraConfig> = {}) => {
    const camera = await OnvifCamera.start({ ...login, auth: "token", ...settings });
    const device = onvifProtocol.device?.({ address: camera.address, ...login, ...config });
    assert.ok(device);
    closing.push(
      () => camera.stop(),
      () => device.close(),
    );
    return { camera, device };
  };
  /** Collects events until it is stopped, or the feed fails. */
  const listen = (device: CameraDevice) => {
    const events: CameraEvent[] = [];
    const stopping = new AbortController();
    const ended = (async () => {
      for await (const event of device.events(stopping.signal)) events.push(event);
    })();
    ended.catch(() => undefined);
    const stop = () => {
      stopping.abort();
      return ended;
    };
    return { events, ended, stop };
  };
  const until = async (isSo: () => boolean) => {
    for (const endsAt = Date.now() + 5_000; !isSo() && Date.now() < endsAt; ) await sleep(10);
    assert.ok(isSo());
  };

  for (const subscription of ["query", "parameter"] as const) {
    for (const auth of ["token", "digest"] as const) {
      it(`hears what the camera notices: subscription told by its ${subscription}, ${auth}, clock 3 days behind`, async () => {
        const { camera, device } = await open({ subscription, auth, skewMs: -3 * DAY });
        const { events, stop } = listen(device);
        await until(() => camera.count("PullMessages") === 1);
        const before = Date.now();
        camera.notice(MOTION, { VideoSourceConfigurationToken: "config-lens", Rule: "r" }, { IsMotion: "true" });
        await until(() => events.length === 1);
        camera.notice(MOTION, { VideoSourceConfigurationToken: "config-lens", Rule: "r" }, { IsMotion: "false" });
        await until(() => events.length === 2);
        const [first, second] = events;
        assert.ok(first && first.at >= before && first.at <= Date.now());
        const { at: _at, data, ...rest } = first;
        assert.deepEqual(rest, { kind: "motion", topic: MOTION, active: true, channel: 1 });
        assert.deepEqual([data.IsMotion, data.Rule, data.operation], ["true", "r", "Changed"]);
        assert.equal(second?.active, false);
        assert.equal(camera.subscriptions, 1);
        await stop();
        assert.equal(camera.subscriptions, 0);
        assert.equal(camera.wrongLogins, 0);
        assert.equal(camera.subscribed, 1);
        assert.ok(camera.operations.length < 14, camera.operations.join());
      });
    }
  }

  it("answers other questions while it listens", async () => {
    const { camera, device } = await open();
    const { stop } = listen(device);
    await until(() => camera.count("PullMessages") === 1);
    const startedAt = performance.now();
    await device.snapshot(new AbortController().signal);
    assert.ok(performance.now() - startedAt < 1_000);
    await stop();
  });

  it("ends with its device, and leaves no subscription", async () => {
    const { camera, device } = await open();
    const { ended } = listen(device);
    await until(() => camera.count("PullMessages") === 1);
    await device.close();
    await ended;
    assert.equal(camera.subscriptions, 0);
  });

  it("keeps a subscription alive, or where the camera cannot renew subscribes anew", async () => {
    const lifetimeMs = 2_000;
    const renewing = await open({ lifetimeMs, skewMs: 5 * DAY });
    const lapsing = await open({ lifetimeMs, canRenew: false });
    const both = [renewing, lapsing].map((one) => ({ ...one, ...listen(one.device) }));
    await sleep(2_700);
    for (const { camera, events, stop } of both) {
      camera.notice(MOTION, {}, { State: "1" });
      await until(() => events.length === 1);
      await stop();
      assert.equal(camera.subscriptions, 0);
      assert.ok(camera.operations.length < 30, camera.operations.join());
    }
    assert.equal(renewing.camera.subscribed, 1);
    assert.ok(renewing.camera.count("Renew") >= 1, renewing.camera.operations.join());
    assert.ok(lapsing.camera.subscribed >= 2, lapsing.camera.operations.join());
  });

  it("hurries neither a camera that only has faults nor one that answers at once with nothing", async () => {
    const failing = await open({ pull: "fails", subscription: "parameter" });
    const hurrying = await open({ pull: "hurries" });
    const both = [failing, hurrying].map((one) => ({ ...one, ...listen(one.device) }));
    await sleep(2_500);
    for (const { camera, stop } of both) {
      const pulls = camera.count("PullMessages");
      assert.ok(pulls >= 2 && pulls <= 3, `${pulls} pulls`);
      await stop();
      assert.ok(camera.operations.length < 20, camera.operations.join());
    }
  });

  it("leaves out other channels than the configured one", async () => {
    const profiles = ["left", "right"].map((source) => ({ token: source, source, width: 640, height: 360 }));
    const { camera, device } = await open({ profiles }, { channel: 2 });
    const { events, stop } = listen(device);
    await until(() => camera.count("PullMessages") === 1);
    camera.notice(MOTION, { Source: "left" }, { State: "true" });
    camera.notice(MOTION, { Source: "right" }, { State: "true" });
    camera.notice("tns1:Device/Trigger/DigitalInput", { InputToken: "9" }, { LogicalState: "false" });
    await until(() => events.length === 2);
    await stop();
    assert.deepEqual(
      events.map(({ kind, channel, active }) => [kind, channel, active]),
      [
        ["motion", 2, true],
        ["input", undefined, false],
      ],
    );
  });

  it("says where a camera has no events, and when it is gone", async () => {
    const { device } = await open({ hasEvents: false });
    await assert.rejects(listen(device).ended, (error: CctvError) => error.code === "CAMERA_UNSUPPORTED");
    const gone = await open();
    const { ended } = listen(gone.device);
    await until(() => gone.camera.count("PullMessages") === 1);
    await gone.camera.stop();
    await assert.rejects(ended, (error: CctvError) => /CAMERA_REFUSED|STREAM_LOST/.test(error.code));
  });

  for (const [code, count, pause] of [
    ["CAMERA_REFUSED", 1, 1_000],
    ["CAMERA_REFUSED", 2, 2_000],
    ["CAMERA_REFUSED", 5, 16_000],
    ["CAMERA_REFUSED", 6, undefined],
    ["CAMERA_UNSUPPORTED", 1, undefined],
    ["CAMERA_AUTH_FAILED", 1, undefined],
  ] as const) {
    it(`after ${code} number ${count} ${pause === undefined ? "gives up" : `waits ${pause} ms`}`, () => {
      assert.equal(pauseAfterFault(code, count), pause);
    });
  }

  for (const [topic, kind] of [
    [MOTION, "motion"],
    ["tns1:VideoSource/MotionAlarm", "motion"],
    ["tns1:RuleEngine/MotionRegionDetector/Motion", "motion"],
    ["tns1:VideoAnalytics/tnsvendor:MotionDetection", "motion"],
    ["tnsvendor:CameraApplicationPlatform/VMD/Camera1Profile1", "motion"],
    ["tns1:RuleEngine/LineDetector/Crossed", "line-crossing"],
    ["tns1:RuleEngine/FieldDetector/ObjectsInside", "intrusion"],
    ["tns1:RuleEngine/LoiteringDetector/ObjectIsLoitering", "intrusion"],
    ["tns1:RuleEngine/MyRuleDetector/PeopleDetect", "person"],
    ["tns1:RuleEngine/MyRuleDetector/FaceDetect", "person"],
    ["tns1:RuleEngine/MyRuleDetector/VehicleDetect", "vehicle"],
    ["tns1:RuleEngine/TamperDetector/Tamper", "tamper"],
    ["tns1:VideoSource/GlobalSceneChange/ImagingService", "tamper"],
    ["tns1:VideoSource/ImageTooDark/AnalyticsService", "tamper"],
    ["tns1:VideoSource/SignalLoss", "video-loss"],
    ["tns1:Device/Trigger/DigitalInput", "input"],
    ["tns1:Device/tnsvendor:IO/Port", "input"],
    ["tns1:AudioAnalytics/Audio/DetectedSound", "sound"],
    ["tns1:Device/HardwareFailure/StorageFailure", "storage"],
    ["tns1:RecordingConfig/JobState", "storage"],
    ["tns1:Monitoring/ProcessorUsage", "other"],
    ["tns1:Device/Trigger/Relay", "other"],
    ["", "other"],
  ] as const) {
    it(`takes ${topic || "no topic"} for ${kind}`, () => assert.equal(kindOfTopic(topic), kind));
  }

  describe("notification", () => {
    const read = (data: string, source = "") =>
      readNotification(
        parseXml(
          `<n:NotificationMessage><n:Topic> ${MOTION} </n:Topic><n:Message><t:Message PropertyOperation="Initialized"><t:Source>${source}</t:Source><t:Data>${data}</t:Data></t:Message></n:Message></n:NotificationMessage>`,
          "the test",
        ),
        new Map([["lens 2", 2]]),
        7,
      );
    const item = (name: string, value: string) => `<t:SimpleItem Name="${name}" Value="${value}"/>`;
    for (const [name, value, active] of [
      ["IsMotion", "true", true],
      ["IsMotion", "0", false],
      ["State", "1", true],
      ["State", "inactive", false],
      ["Anything", "True", true],
      ["ObjectId", "1", undefined],
      ["State", "unknown", undefined],
    ] as const) {
      it(`takes ${name}=${value} for ${active}`, () => assert.equal(read(item(name, value))?.active, active));
    }

    it("names the channel, and keeps what else it holds as plain data", () => {
      const event = read(`${item("ObjectId", "5")}${item("IsMotion", "true")}`, item("Source", "lens 2"));
      assert.deepEqual(event, {
        kind: "motion",
        topic: MOTION,
        at: 7,
        active: true,
        channel: 2,
        data: { Source: "lens 2", ObjectId: "5", IsMotion: "true", operation: "Initialized" },
      });
    });

    it("is nothing without a topic", () => {
      assert.equal(readNotification(parseXml("<NotificationMessage/>", "the test"), new Map(), 0), undefined);
    });
  });

  describe("endpoint reference", () => {
    const wrap = (content: string) =>
      `<s:Envelope xmlns:s="s" xmlns:w="addressing" xmlns:v="urn:v"><s:Body><R><SubscriptionReference>${content}</SubscriptionReference></R></s:Body></s:Envelope>`;

    it("keeps the address whole, and all parameters in their namespaces", () => {
      const reference = readEndpointReference(
        wrap(
          '<w:Address>http://cam/s?Idx=1&amp;b=2</w:Address><w:ReferenceParameters><v:Id kind="a&quot;b" v:more="1"> 5\n</v:Id><Plain xmlns="urn:p"><In xmlns:q="urn:q"><q:Deep>x&lt;y</q:Deep></In></Plain></w:ReferenceParameters>',
        ),
      );
      assert.equal(reference?.address, "http://cam/s?Idx=1&b=2");
      assert.equal(
        reference?.parameters,
        [
          `<r:Id xmlns:r="urn:v" wsa:IsReferenceParameter="true" kind="${escapeXml('a"b')}" xmlns:a1="urn:v" a1:more="1">5</r:Id>`,
          `<r:Plain xmlns:r="urn:p" wsa:IsReferenceParameter="true"><r:In xmlns:r="urn:p"><r:Deep xmlns:r="urn:q">${escapeXml("x<y")}</r:Deep></r:In></r:Plain>`,
        ].join(""),
      );
    });

    it("may have no parameters, or be missing", () => {
      assert.deepEqual(readEndpointReference(wrap("<w:Address>http://cam/s</w:Address>")), {
        address: "http://cam/s",
        parameters: "",
      });
      assert.equal(readEndpointReference(wrap("<w:Address/>")), undefined);
      assert.equal(readEndpointReference("<a/>"), undefined);
    });
  });
});
