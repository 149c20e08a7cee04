import { createRequire } from "node:module";
import type { Node, NodeMessage, NodeStatus } from "node-red";
import helper from "node-red-node-test-helper";
import alert from "../../nodes/alert.ts";
import cameraAuto from "../../nodes/camera-auto.ts";
import cameraDahua from "../../nodes/camera-dahua.ts";
import cameraFile from "../../nodes/camera-file.ts";
import cameraGige from "../../nodes/camera-gige.ts";
import cameraHikvision from "../../nodes/camera-hikvision.ts";
import cameraHls from "../../nodes/camera-hls.ts";
import cameraHttp from "../../nodes/camera-http.ts";
import cameraNdi from "../../nodes/camera-ndi.ts";
import cameraOnvif from "../../nodes/camera-onvif.ts";
import cameraRtmp from "../../nodes/camera-rtmp.ts";
import cameraRtsp from "../../nodes/camera-rtsp.ts";
import cameraStatus from "../../nodes/camera-status.ts";
import cameraWebcam from "../../nodes/camera-webcam.ts";
import onvifDiscover from "../../nodes/onvif-discover.ts";
import poseDetect from "../../nodes/pose-detect.ts";
import shopliftClassify from "../../nodes/shoplift-classify.ts";

const require = createRequire(import.meta.url);
// NODE_RED_DIR picks another Node-RED than the installed one, for the version matrix.
helper.init(require.resolve("node-red", { paths: [process.env.NODE_RED_DIR ?? "."] }));

const coreNode = (path: string) =>
  require(
    require.resolve(`@node-red/nodes/core/common/${path}`, {
      paths: [require.resolve("node-red", { paths: [process.env.NODE_RED_DIR ?? "."] })],
    }),
  );

const nodes = [
  alert,
  cameraAuto,
  cameraDahua,
  cameraFile,
  cameraGige,
  cameraHikvision,
  cameraHls,
  cameraHttp,
  cameraNdi,
  cameraOnvif,
  cameraRtmp,
  cameraRtsp,
  cameraStatus,
  cameraWebcam,
  onvifDiscover,
  poseDetect,
  shopliftClassify,
  coreNode("25-catch.js"),
];

export { helper };

/** Deploys one tab, on which every node of ours, a Catch and helpers may stand. */
export function load(
  flow: readonly { id: string; type: string; [field: string]: unknown }[],
  credentials: Record<string, Record<string, string>> = {},
): Promise<void> {
  // Node-RED takes a node without a place for a config node, and those hear no errors.
  const placed = flow.map((node) => ({ x: 0, y: 0, z: "tab", ...node }));
  const tab = { id: "tab", type: "tab", label: "test" };
  return helper.load(nodes, [tab, ...placed] as unknown as Parameters<typeof helper.load>[1], credentials);
}

/** Collects what a node receives. */
export function inbox(id: string): NodeMessage[] {
  const messages: NodeMessage[] = [];
  helper.getNode(id).on("input", (msg: NodeMessage) => messages.push(msg));
  return messages;
}

/** Waits until the condition holds. */
export async function until<T>(condition: () => T | undefined | false, withinMs = 5000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The statuses that a node has shown, oldest first; the helper spies on all nodes at once. */
export function statuses(id: string): NodeStatus[] {
  const { status } = helper.getNode(id) as unknown as { status: { thisValues: Node[]; args: [NodeStatus][] } };
  return status.args.flatMap(([shown], call) => (status.thisValues[call]?.id === id ? [shown] : []));
}

export type { Node, NodeMessage };
