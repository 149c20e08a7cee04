import type { Node, NodeAPI, NodeDef } from "node-red";
import { asCctvError } from "../src/errors.ts";
import type { Frame } from "../src/frame/frame.ts";
import { PoseDetector } from "../src/pose/pose-detector.ts";
import { Tracker } from "../src/track/tracker.ts";
import { type FrameMessage, frameOf, type PersonsPayload } from "./shared/messages.ts";
import { FailureReporter, loggerOf, whenStarted } from "./shared/report.ts";
import { choiceSetting, type Field, numberSetting } from "./shared/settings.ts";

interface PoseDetectDef extends NodeDef {
  model?: string;
  longSide?: Field;
  threshold?: Field;
  runtime?: Field;
}

const LONG_SIDES = ["640", "512", "384"] as const;
const RUNTIMES = ["auto", "native", "wasm"] as const;
const STATUS_EVERY_MS = 2000;

/** Finds the people in each frame and names them over time. */
export default function register(RED: NodeAPI): void {
  function PoseDetect(this: Node, def: PoseDetectDef): void {
    RED.nodes.createNode(this, def);
    const failures = new FailureReporter();
    const trackers = new Map<string, Tracker>();
    const down = (): void => this.status({ fill: "red", shape: "ring", text: RED._("pose-detect.status.failed") });

    const started = whenStarted(RED);
    let detector: PoseDetector;
    try {
      detector = PoseDetector.acquire({
        model: def.model ?? "",
        longSide: Number(choiceSetting("Picture size", def.longSide, LONG_SIDES)),
        ...thresholdOf(def),
        runtime: choiceSetting("Runtime", def.runtime, RUNTIMES),
        logger: loggerOf(this),
      });
    } catch (error) {
      down();
      void started.then(() => this.error(asCctvError(error, "SETTING_INVALID"), {}));
      return;
    }

    const idle = (): void => this.status({ fill: "grey", shape: "ring", text: RED._("pose-detect.status.ready") });
    this.status({ fill: "yellow", shape: "ring", text: RED._("pose-detect.status.loading") });
    detector.ready.then(idle, async (error: unknown) => {
      down();
      await started;
      const fresh = failures.failed(error, "MODEL_UNREADABLE");
      if (fresh) this.error(fresh, {});
    });

    let busy = false;
    const ticker = setInterval(() => {
      const { framesPerSecond, inferenceMs, runtime } = detector.stats();
      const wasBusy = busy;
      busy = framesPerSecond > 0;
      if (!busy) return wasBusy && idle();
      const values = { fps: framesPerSecond.toFixed(1), ms: Math.round(inferenceMs) };
      const text = RED._(`pose-detect.status.${runtime === "wasm" ? "wasm" : "running"}`, values);
      this.status({ fill: "green", shape: "dot", text });
    }, STATUS_EVERY_MS);

    const trackerOf = ({ camera, width, height }: Frame): Tracker => {
      let tracker = trackers.get(camera.id);
      if (!tracker) {
        tracker = new Tracker({ aspectRatio: width / height });
        trackers.set(camera.id, tracker);
      }
      return tracker;
    };

    this.on("input", async (msg: FrameMessage, send, done) => {
      try {
        const frame = frameOf(msg);
        const result = await detector.detect(frame);
        if (result) {
          const { width, height, timestamp } = frame;
          const persons = trackerOf(frame).update(result.detections, timestamp);
          const payload: PersonsPayload = { persons, width, height, timestamp, model: result.model, ms: result.ms };
          send(Object.assign(msg, { frame, payload }));
          failures.worked();
        }
        done();
      } catch (error) {
        const fresh = failures.failed(error, "INFERENCE_FAILED");
        if (fresh) down();
        done(fresh);
      }
    });
    this.on("close", (_removed: boolean, done: () => void) => {
      clearInterval(ticker);
      void detector.release().finally(done);
    });
  }

  RED.nodes.registerType("pose-detect", PoseDetect);
}

/** Empty leaves it to the model, whose scores others cannot know. */
function thresholdOf({ threshold }: PoseDetectDef): { threshold?: number } {
  if (threshold === undefined || threshold === "") return {};
  return { threshold: numberSetting("Score from", threshold, 0, [0.01, 1]) };
}
