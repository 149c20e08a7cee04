import type { Node, NodeAPI, NodeDef } from "node-red";
import { asCctvError } from "../src/errors.ts";
import { whenStarted } from "./shared/report.ts";
import { type CameraStatus, runningCameras } from "./shared/running-cameras.ts";
import { type Field, numberSetting, slug } from "./shared/settings.ts";

interface CameraStatusDef extends NodeDef {
  /** Camera ids, with commas; empty: all. */
  cameras?: string;
  /** Seconds between reports of all; empty: only on change. */
  every?: Field;
}

/** Tells how the cameras are: each change as it comes, and all of them when asked or from time to time. */
export default function register(RED: NodeAPI): void {
  function CameraStatusNode(this: Node, def: CameraStatusDef): void {
    RED.nodes.createNode(this, def);
    const started = whenStarted(RED);
    const wanted = new Set((def.cameras ?? "").split(",").map(slug).filter(Boolean));
    const isWanted = ({ camera }: CameraStatus): boolean => wanted.size === 0 || wanted.has(camera.id);
    const statuses = async (): Promise<CameraStatus[]> => (await runningCameras.statuses()).filter(isWanted);

    let everyMs: number;
    try {
      everyMs = numberSetting("Report", def.every, 0, [0, 86_400]) * 1000;
    } catch (error) {
      this.status({ fill: "red", shape: "ring", text: RED._("camera-status.status.failed") });
      void started.then(() => this.error(asCctvError(error, "SETTING_INVALID"), {}));
      return;
    }

    const show = (all: readonly CameraStatus[]): void => {
      const live = all.filter(({ state }) => state === "live").length;
      const text = RED._("camera-status.status.live", { live, all: all.length });
      this.status({ fill: lookOf(live, all.length), shape: "dot", text });
    };
    const tell = (status: CameraStatus): void => {
      if (isWanted(status)) this.send([{ topic: status.camera.id, camera: status.camera, payload: status }, null]);
      void statuses().then(show);
    };
    const report = async (): Promise<void> => {
      const all = await statuses();
      show(all);
      this.send([null, { payload: all }]);
    };

    // No camera starts before all nodes of the deploy stand, so nothing is told too early.
    runningCameras.on("change", tell);
    let timer: NodeJS.Timeout | undefined;
    let closed = false;
    void started.then(() => {
      if (closed) return;
      if (everyMs > 0) timer = setInterval(() => void report(), everyMs);
      void statuses().then(show);
    });
    this.on("input", async (msg, send, done) => {
      send([null, Object.assign(msg, { payload: await statuses() })]);
      done();
    });
    this.on("close", () => {
      closed = true;
      clearInterval(timer);
      runningCameras.off("change", tell);
    });
  }

  RED.nodes.registerType("camera-status", CameraStatusNode);
}

function lookOf(live: number, all: number): "grey" | "green" | "yellow" {
  if (all === 0) return "grey";
  return live === all ? "green" : "yellow";
}
