import type { Node, NodeAPI, NodeDef, NodeMessage } from "node-red";
import { toResults } from "../src/discovery/merge.ts";
import { type DiscoverOptions, type DiscoveryEvent, discover } from "../src/discovery/scan.ts";
import { asCctvError, CctvError } from "../src/errors.ts";
import { loggerOf } from "./shared/report.ts";
import { type Field, numberSetting } from "./shared/settings.ts";

interface OnvifDiscoverDef extends NodeDef {
  /** Separated by commas or spaces; empty means this machine's own. */
  subnets?: string;
  /** Names or addresses, separated likewise; empty means all. */
  interfaces?: string;
  listenSeconds?: Field;
}

type Request = { readonly kind: "cancel" } | { readonly kind: "scan"; readonly subnets?: readonly string[] };
type Send = (messages: (NodeMessage | null)[]) => void;

/** Looks for cameras on the network when it is asked to. */
export default function register(RED: NodeAPI): void {
  function OnvifDiscover(this: Node, def: OnvifDiscoverDef): void {
    RED.nodes.createNode(this, def);
    let running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
    const show = (fill: "blue" | "green" | "grey" | "red", status: string, values: object = {}): void => {
      const shape = fill === "blue" ? "dot" : "ring";
      this.status({ fill, shape, text: RED._(`onvif-discover.status.${status}`, { ...values }) });
    };

    const scan = async (msg: NodeMessage, request: Request, send: Send, signal: AbortSignal): Promise<void> => {
      let percent = 0;
      let count = 0;
      show("blue", "scanning", { percent, count });
      for await (const event of discover(optionsOf(this, def, request), signal)) {
        if (event.type === "found") count++;
        if (event.type === "progress") percent = Math.round(event.progress * 100);
        if (event.type === "finished") show("green", "finished", { count: event.devices.length });
        else show("blue", "scanning", { percent, count });
        send(outputsOf(msg, event));
      }
    };

    this.on("input", async (msg: NodeMessage, send: Send, done: (error?: Error) => void) => {
      try {
        const request = requestOf(msg.payload);
        if (request.kind === "cancel") {
          running?.stop.abort();
          await running?.ended;
        } else if (running) {
          throw new CctvError(
            "DISCOVERY_RUNNING",
            'this node is scanning already; wait for its third output, or send "cancel" first',
          );
        } else {
          const stop = new AbortController();
          const scanning = scan(msg, request, send, stop.signal).catch((error: unknown) => {
            if (!stop.signal.aborted) throw error;
            show("grey", "cancelled");
          });
          running = { stop, ended: scanning.catch(() => undefined) };
          await scanning.finally(() => {
            running = undefined;
          });
        }
        done();
      } catch (error) {
        if (!running) show("red", "failed");
        done(asCctvError(error, "DISCOVERY_FAILED"));
      }
    });
    this.on("close", (_removed: boolean, done: () => void) => {
      running?.stop.abort();
      void Promise.resolve(running?.ended).finally(done);
    });
  }

  RED.nodes.registerType("onvif-discover", OnvifDiscover);
}

/**
 * What a message asks for. Whatever an Inject node sends by itself starts a scan.
 * @throws CctvError MESSAGE_INVALID
 */
function requestOf(payload: unknown): Request {
  if (payload === "cancel") return { kind: "cancel" };
  const isTrigger = payload === undefined || payload === null || payload === "";
  if (isTrigger || typeof payload === "number" || typeof payload === "boolean") return { kind: "scan" };
  if (typeof payload === "object" && !Array.isArray(payload) && !Buffer.isBuffer(payload)) {
    const { subnet } = payload as { subnet?: unknown };
    if (subnet === undefined || subnet === null || subnet === "") return { kind: "scan" };
    const subnets = [subnet].flat();
    if (subnets.every((one) => typeof one === "string")) return { kind: "scan", subnets };
  }
  throw new CctvError(
    "MESSAGE_INVALID",
    'msg.payload starts a scan where it is empty or { "subnet": "192.168.1.0/24" }, and ends one where it is "cancel"; it is none of these',
  );
}

/** @throws CctvError SETTING_INVALID */
function optionsOf(node: Node, def: OnvifDiscoverDef, request: Request): DiscoverOptions {
  const asked = request.kind === "scan" ? request.subnets : undefined;
  return {
    subnets: asked ?? listOf(def.subnets),
    interfaces: listOf(def.interfaces),
    listenMs: numberSetting("Listen", def.listenSeconds, 1.5, [0.2, 30]) * 1000,
    logger: loggerOf(node),
  };
}

function listOf(text: string | undefined): string[] | undefined {
  const items = (text ?? "").split(/[\s,]+/).filter(Boolean);
  return items.length > 0 ? items : undefined;
}

/** Devices go to the first output, progress to the second, and the whole list, on the message that asked, to the third. */
function outputsOf(msg: NodeMessage, event: DiscoveryEvent): (NodeMessage | null)[] {
  const { _msgid = "" } = msg;
  switch (event.type) {
    case "progress":
      return [null, { _msgid, payload: { progress: event.progress } }, null];
    case "finished": {
      const { devices } = event;
      return [null, null, Object.assign(msg, { payload: { results: devices.flatMap(toResults), devices } })];
    }
    default:
      return [
        Object.assign({ _msgid }, { topic: event.device.ip, event: event.type, payload: event.device }),
        null,
        null,
      ];
  }
}
