import type { Node, NodeAPI, NodeDef, NodeMessage } from "node-red";
import type { AlertCloudEvent } from "../src/alert/cloud-event.ts";
import { asCctvError, CctvError } from "../src/errors.ts";
import type { Fleet, FleetStatus } from "../src/fleet/fleet.ts";
import type { Frame } from "../src/frame/frame.ts";
import type { CameraRegistryNode } from "./camera-registry.ts";
import { FailureReporter, whenStarted } from "./shared/report.ts";

interface CameraFleetDef extends NodeDef {
  /** Id of a camera-registry. */
  registry?: string;
}

interface FleetCommand {
  readonly command: "start" | "stop";
  /** All where they are absent. */
  readonly cameras?: readonly string[];
}

const OPENED: AlertCloudEvent["type"] = "cctv.alert.opened.v1";

/** Gives the frames of all cameras of a registry that detect, and every change of their states. */
export default function register(RED: NodeAPI): void {
  function CameraFleet(this: Node, def: CameraFleetDef): void {
    RED.nodes.createNode(this, def);
    const fleetOf = (): Fleet => {
      const registry = RED.nodes.getNode(def.registry ?? "") as CameraRegistryNode | null;
      if (registry?.fleet) return registry.fleet;
      throw new CctvError(
        "SETTING_INVALID",
        "this node has no camera registry that works; choose one in its dialog, and look at what the registry reports",
      );
    };
    const failed = (error: unknown): void => {
      this.status({ fill: "red", shape: "ring", text: RED._("camera-fleet.status.failed") });
      this.error(asCctvError(error, "STORE_FAILED"), {});
    };

    this.on("input", async (msg: NodeMessage, _send, done) => {
      try {
        await obey(fleetOf(), msg.payload);
        done();
      } catch (error) {
        done(asCctvError(error, "STORE_FAILED"));
      }
    });

    const live = new Map<string, FleetStatus["state"]>();
    const show = (): void => {
      const states = [...live.values()];
      const count = states.filter((state) => state === "live").length;
      const text = RED._("camera-fleet.status.live", { live: count, all: states.length });
      this.status({
        fill: count === states.length ? "green" : "yellow",
        shape: states.length > 0 ? "dot" : "ring",
        text,
      });
    };
    const note = ({ camera, state }: FleetStatus): void => {
      if (camera.enabled && camera.detecting) live.set(camera.id, state);
      else live.delete(camera.id);
      show();
    };

    const failures = failureReporters();
    const onFrame = (frame: Frame): void => {
      const { camera } = frame;
      this.send([{ topic: camera.id, camera, payload: frame }, null]);
    };
    const onChange = (status: FleetStatus): void => {
      note(status);
      const { id, name, location, site } = status.camera;
      const about = { topic: id, camera: { id, name, location, site: site || "site" } };
      this.send([null, { ...about, payload: status }]);
      const error = failures.note(status);
      if (error) this.error(error, { ...about });
    };
    const onRemoved = (id: string): void => {
      live.delete(id);
      failures.forget(id);
      show();
    };

    let leave = (): void => undefined;
    let closed = false;
    void whenStarted(RED).then(async () => {
      if (closed) return;
      try {
        const fleet = fleetOf();
        this.status({ fill: "yellow", shape: "ring", text: RED._("camera-fleet.status.opening") });
        fleet.on("frame", onFrame).on("change", onChange).on("removed", onRemoved);
        leave = () => fleet.off("frame", onFrame).off("change", onChange).off("removed", onRemoved);
        await fleet.open();
        for (const status of await fleet.statuses()) note(status);
        if (!closed) show();
      } catch (error) {
        if (!closed) failed(error);
      }
    });
    this.on("close", () => {
      closed = true;
      leave();
    });
  }

  RED.nodes.registerType("camera-fleet", CameraFleet);
}

/** What is to go to Catch: each new kind of failure of each camera, once. */
function failureReporters() {
  const reporters = new Map<string, FailureReporter>();
  return {
    note({ camera, state, reason }: FleetStatus): CctvError | undefined {
      let reporter = reporters.get(camera.id);
      if (!reporter) {
        reporter = new FailureReporter(Date.now, Number.POSITIVE_INFINITY);
        reporters.set(camera.id, reporter);
      }
      if (state === "live") reporter.worked();
      if (!reason || state === "connecting" || state === "live") return undefined;
      return reporter.failed(new CctvError(reason.code, reason.message), reason.code);
    },
    forget: (id: string) => reporters.delete(id),
  };
}

/** Does what a command says; an alert is counted for its camera when it opens. */
async function obey(fleet: Fleet, payload: unknown): Promise<void> {
  if (isAlert(payload)) {
    if (payload.type === OPENED) fleet.countAlert(payload.data.camera);
    return;
  }
  const { command, cameras } = readCommand(payload);
  await fleet[command](cameras);
}

function isAlert(payload: unknown): payload is AlertCloudEvent {
  const { type, data } = (payload ?? {}) as Partial<AlertCloudEvent>;
  return typeof type === "string" && type.startsWith("cctv.alert.") && typeof data?.camera === "string";
}

/** @throws CctvError MESSAGE_INVALID, saying what is taken. */
function readCommand(payload: unknown): FleetCommand {
  const fields = (typeof payload === "string" ? { command: payload } : payload) as Record<string, unknown> | null;
  const { command, cameras } = fields ?? {};
  const isList = cameras === undefined || (Array.isArray(cameras) && cameras.every((id) => typeof id === "string"));
  if ((command === "start" || command === "stop") && isList) {
    return { command, ...(cameras !== undefined && { cameras: cameras as string[] }) };
  }
  throw new CctvError(
    "MESSAGE_INVALID",
    'this node takes msg.payload with a "command", start or stop, and with the ids of "cameras" where not all are meant; for example {"command": "start", "cameras": ["door"]}',
  );
}
