import type { Node, NodeAPI, NodeDef, NodeStatus } from "node-red";
import type { CameraConfig } from "../../src/camera/protocols/protocol.ts";
import { asCctvError, CctvError } from "../../src/errors.ts";
import type { CameraInfo, Frame } from "../../src/frame/frame.ts";
import { CameraStream, type StreamState } from "../../src/stream/camera-stream.ts";
import { FailureReporter, loggerOf, whenStarted } from "./report.ts";
import { choiceSetting, type Field, numberSetting, slug } from "./settings.ts";

/** The fields that every camera node has. */
export interface SourceDef extends NodeDef {
  cameraId?: string;
  location?: string;
  site?: string;
  fps?: Field;
  longSide?: Field;
  maxAttempts?: Field;
  ffmpeg?: string;
}

export const LONG_SIDES = ["640", "512", "384", "960", "1280"] as const;

/**
 * Makes a node a camera: frames on output 1, a message for every change of the stream's state on
 * output 2, the state in the status, each new kind of failure to Catch. `open` reads the node's own fields.
 */
export function startSource(RED: NodeAPI, node: Node, def: SourceDef, open: () => CameraConfig): void {
  const camera: CameraInfo = {
    id: slug(def.cameraId || def.name || "") || node.id,
    name: def.name || def.cameraId || node.type,
    location: def.location ?? "",
    site: def.site || "site",
  };
  const about = { topic: camera.id, camera };
  const failures = new FailureReporter(Date.now, Number.POSITIVE_INFINITY);
  const fail = (error: CctvError): void => {
    const fresh = failures.failed(error, "DECODER_FAILED");
    if (fresh) node.error(fresh, { ...about });
  };

  const started = whenStarted(RED);
  let stream: CameraStream;
  try {
    stream = new CameraStream({
      ...open(),
      camera,
      fps: numberSetting("Frames per second", def.fps, 5, [0.1, 30]),
      longSide: Number(choiceSetting("Picture size", def.longSide, LONG_SIDES)),
      ...(def.ffmpeg ? { ffmpegPath: def.ffmpeg } : {}),
      ...attemptsOf(def),
      logger: loggerOf(node),
    });
    claim(camera.id);
  } catch (error) {
    node.status({ fill: "red", shape: "ring", text: RED._("camera.status.failed") });
    void started.then(() => fail(asCctvError(error, "SETTING_INVALID")));
    return;
  }

  stream.on("frame", (frame: Frame) => node.send([{ ...about, payload: frame }, null]));
  stream.on("state", (state: StreamState) => {
    node.status(statusOf(RED, state));
    node.send([null, { ...about, payload: state }]);
    if (state.state === "live") failures.worked();
    else if (state.reason && state.state !== "connecting") fail(new CctvError(state.reason.code, state.reason.message));
  });
  let closed = false;
  void started.then(() => closed || stream.start());
  node.on("close", (_removed: boolean, done: () => void) => {
    closed = true;
    claimed.delete(camera.id);
    void stream.close().finally(done);
  });
}

/** The camera ids of all running camera nodes. */
const claimed = new Set<string>();

/** @throws CctvError SETTING_INVALID where another node has the id: their people and alerts would get mixed up. */
function claim(id: string): void {
  if (claimed.has(id)) {
    throw new CctvError(
      "SETTING_INVALID",
      `"Camera id" is "${id}", as that of another camera; it takes an id that only this one has, so give one of them another name or id`,
    );
  }
  claimed.add(id);
}

/** Empty or 0 means to try for ever. */
function attemptsOf(def: SourceDef): { maxAttempts?: number } {
  const maxAttempts = numberSetting("Give up", def.maxAttempts, 0, [0, 1_000_000]);
  return maxAttempts > 0 ? { maxAttempts } : {};
}

const LOOKS: Record<StreamState["state"], NodeStatus> = {
  connecting: { fill: "yellow", shape: "ring" },
  live: { fill: "green", shape: "dot" },
  waiting: { fill: "red", shape: "ring" },
  ended: { fill: "grey", shape: "dot" },
  failed: { fill: "red", shape: "dot" },
  closed: {},
};

function statusOf(RED: NodeAPI, { state, reason }: StreamState): NodeStatus {
  if (state === "closed") return {};
  const text = reason ? RED._(`camera.reason.${reason.code}`) : RED._(`camera.status.${state}`);
  return { ...LOOKS[state], text };
}
