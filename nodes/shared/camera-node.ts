import type { Node, NodeAPI, NodeStatus } from "node-red";
import { asCctvError, CctvError } from "../../src/errors.ts";
import type { CameraInfo, Frame } from "../../src/frame/frame.ts";
import { CameraStream, type StreamState } from "../../src/stream/camera-stream.ts";
import { connectGate } from "../../src/stream/connect-gate.ts";
import type { CameraDef, CameraNodeType, Secrets } from "./camera-node-type.ts";
import { offerCameraTest } from "./camera-test-route.ts";
import { connectsOf, finderOf } from "./cctv-settings.ts";
import { DevicePart } from "./device-part.ts";
import { usePluginProtocols } from "./plugin-protocols.ts";
import { FailureReporter, loggerOf, whenStarted } from "./report.ts";
import { runningCameras } from "./running-cameras.ts";
import { choiceSetting, numberSetting, slug } from "./settings.ts";

/** The secret fields of a camera that wants a login. */
export const LOGIN = { username: { type: "text" }, password: { type: "password" } } as const;

export const TRANSPORTS = ["auto", "tcp", "udp", "http"] as const;
export const CERTIFICATES = ["trusted", "any"] as const;
export const STREAMS = ["sub", "main"] as const;

const LONG_SIDES = ["640", "512", "384", "960", "1280"] as const;

/**
 * Registers a type of camera node: frames on output 1, a message for every change of the stream's state
 * on output 2, the state in the status, each new kind of failure to Catch, and a test for its dialog.
 */
export function registerCamera<Def extends CameraDef>(RED: NodeAPI, type: string, nodeType: CameraNodeType<Def>): void {
  connectGate.limit = connectsOf(RED);
  usePluginProtocols(RED);
  offerCameraTest(RED, type, nodeType);

  function Camera(this: Node<Secrets>, def: Def): void {
    RED.nodes.createNode(this, def);
    start(RED, this, def, nodeType);
  }
  RED.nodes.registerType<Node<Secrets>, Def, object, Secrets>(type, Camera, {
    credentials: { ...nodeType.credentials },
  });
}

function start<Def extends CameraDef>(
  RED: NodeAPI,
  node: Node<Secrets>,
  def: Def,
  nodeType: CameraNodeType<Def>,
): void {
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
  let device: DevicePart | undefined;
  let leave: () => void;
  try {
    const config = nodeType.configure(def, node.credentials ?? {});
    stream = new CameraStream({
      ...config,
      camera,
      fps: numberSetting("Frames per second", def.fps, 5, [0.1, 30]),
      longSide: Number(choiceSetting("Picture size", def.longSide, LONG_SIDES)),
      ...(def.ffmpeg ? { ffmpegPath: def.ffmpeg } : {}),
      ...attemptsOf(def),
      logger: loggerOf(node),
      finder: finderOf(RED),
    });
    if (nodeType.isDevice) device = new DevicePart(node, { config, def, about });
    leave = runningCameras.add(camera, stream);
  } catch (error) {
    node.status({ fill: "red", shape: "ring", text: RED._("camera.status.failed") });
    void started.then(() => fail(asCctvError(error, "SETTING_INVALID")));
    return;
  }

  const rest = nodeType.isDevice ? [null, null] : [];
  stream.on("frame", (frame: Frame) => {
    if (device?.wantsFrames(frame.timestamp) ?? true) node.send([{ ...about, payload: frame }, null, ...rest]);
  });
  stream.on("state", (state: StreamState) => {
    node.status(statusOf(RED, state));
    node.send([null, { ...about, payload: state }, ...rest]);
    if (state.state === "live") failures.worked();
    else if (state.reason && state.state !== "connecting") fail(new CctvError(state.reason.code, state.reason.message));
  });
  let closed = false;
  void started.then(() => {
    if (closed) return;
    stream.start();
    device?.start();
  });
  node.on("close", (_removed: boolean, done: () => void) => {
    closed = true;
    leave();
    void Promise.all([stream.close(), device?.close()]).finally(done);
  });
}

/** Empty or 0 means to try for ever. */
function attemptsOf(def: CameraDef): { maxAttempts?: number } {
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
