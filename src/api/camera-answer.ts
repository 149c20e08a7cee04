import type { StreamStatus } from "../stream/camera-stream.ts";
import type { CameraState } from "./context.ts";

const STATUS: Readonly<Record<StreamStatus, string>> = {
  connecting: "CONNECTING",
  live: "ACTIVE",
  waiting: "DISCONNECTED",
  ended: "ENDED",
  failed: "FAILED",
  closed: "DISCONNECTED",
};

/** One camera in the list of all. */
export function toCameraAnswer(state: CameraState): object {
  const { camera, alerts, framesPerSecond, reason } = state;
  const { name, location, site, protocol, enabled, detecting } = camera;
  return {
    name,
    source: camera.address,
    connected: state.state === "live",
    fps: roundRate(framesPerSecond),
    alerts,
    location,
    site,
    protocol,
    enabled,
    detecting,
    ...(reason && { reason }),
  };
}

/** All that is told of one camera. */
export function toStatusAnswer(state: CameraState): object {
  const { camera, alerts, reason, lastFrameAt, width, height, video, bitsPerSecond } = state;
  const { channel, stream, transport, certificate } = camera;
  return {
    camera_id: camera.id,
    name: camera.name,
    source: camera.address,
    connected: state.state === "live",
    fps: roundRate(state.framesPerSecond),
    alerts_total: alerts,
    last_frame_time: lastFrameAt === undefined ? null : toTime(lastFrameAt),
    status: statusOf(state),
    location: camera.location,
    site: camera.site,
    protocol: camera.protocol,
    username: camera.username,
    has_password: camera.hasPassword,
    enabled: camera.enabled,
    detecting: camera.detecting,
    reconnects: state.reconnects,
    decode_errors: state.decodeErrors,
    created_at: toTime(camera.createdAt),
    updated_at: toTime(camera.updatedAt),
    ...(reason && { reason }),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(video?.codec !== undefined && { codec: video.codec }),
    ...(bitsPerSecond !== undefined && { bits_per_second: bitsPerSecond }),
    ...(channel !== undefined && { channel }),
    ...(stream !== undefined && { stream }),
    ...(transport !== undefined && { transport }),
    ...(certificate !== undefined && { certificate }),
  };
}

function statusOf({ camera, state }: CameraState): string {
  if (!camera.enabled) return "DISABLED";
  if (!camera.detecting && state === "closed") return "STOPPED";
  return STATUS[state];
}

function roundRate(perSecond: number): number {
  return Math.round(perSecond * 10) / 10;
}

function toTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
