import type { Node, NodeAPI, NodeDef, NodeMessage } from "node-red";
import { monotonicFactory } from "ulid";
import { AlertDesk, type AlertOutput } from "../src/alert/alert-desk.ts";
import { INCIDENT_DEFAULTS, type IncidentSettings } from "../src/alert/incident-policy.ts";
import { asCctvError } from "../src/errors.ts";
import { type FrameMessage, judgedOf } from "./shared/messages.ts";
import { FailureReporter, whenStarted } from "./shared/report.ts";
import { type Field, numberSetting } from "./shared/settings.ts";

interface AlertDef extends NodeDef {
  threshold?: Field;
  minimumSeconds?: Field;
  holdSeconds?: Field;
  cooldownSeconds?: Field;
  warningScore?: Field;
  criticalScore?: Field;
}

type Send = (messages: (NodeMessage | null)[]) => void;

const TICK_MS = 1000;

/** Opens, updates and closes an alert per person; the snapshot of each goes out on its own. */
export default function register(RED: NodeAPI): void {
  function Alert(this: Node, def: AlertDef): void {
    RED.nodes.createNode(this, def);
    const failures = new FailureReporter();

    let desk: AlertDesk;
    try {
      desk = new AlertDesk({ settings: settingsOf(def), createId: monotonicFactory(), now: Date.now });
    } catch (error) {
      this.status({ fill: "red", shape: "ring", text: RED._("alert.status.failed") });
      void whenStarted(RED).then(() => this.error(asCctvError(error, "SETTING_INVALID"), {}));
      return;
    }

    const showOpen = (): void => {
      const { open } = desk;
      if (open === 0) this.status({ fill: "grey", shape: "ring", text: RED._("alert.status.quiet") });
      else this.status({ fill: "red", shape: "dot", text: RED._("alert.status.open", { count: open }) });
    };
    /** One after another, so that what is said of an alert keeps its order while pictures are drawn. */
    let said: Promise<void> = Promise.resolve();
    const say = (outputs: readonly AlertOutput[], send: Send): Promise<void> => {
      if (outputs.length > 0) showOpen();
      const saying = said.then(async () => {
        const failed: unknown[] = [];
        for (const output of outputs) await sayOne(output, send).catch((error: unknown) => failed.push(error));
        if (failed.length > 0) throw failed[0];
      });
      said = saying.catch(() => {});
      return saying;
    };

    showOpen();
    const ticker = setInterval(() => {
      say(desk.tick(), (messages) => this.send(messages)).catch((error: unknown) => this.error(error, {}));
    }, TICK_MS);

    this.on("input", async (msg: FrameMessage, send, done) => {
      try {
        const { frame, payload } = judgedOf(msg);
        await say(desk.observe(frame, payload.persons), send);
        failures.worked();
        done();
      } catch (error) {
        done(failures.failed(error, "MESSAGE_INVALID"));
      }
    });
    this.on("close", (_removed: boolean, done: () => void) => {
      clearInterval(ticker);
      void say(desk.close(), (messages) => this.send(messages)).finally(done);
    });
  }

  RED.nodes.registerType("alert", Alert);
}

/** The alert with its picture; without one, where it cannot be drawn. */
async function sayOne({ alertId, event, snapshot }: AlertOutput, send: Send): Promise<void> {
  const topic = `cctv/${event.data.site}/${event.data.camera}/alerts`;
  const alert = { topic, payload: event };
  if (!snapshot) return send([alert, null]);
  try {
    send([alert, { topic: `${topic}/snapshot`, payload: await snapshot(), alertId } as NodeMessage]);
  } catch (error) {
    send([alert, null]);
    throw asCctvError(error, "SNAPSHOT_FAILED");
  }
}

function settingsOf(def: AlertDef): Partial<IncidentSettings> {
  const { threshold, minimumSeconds, holdSeconds, cooldownSeconds, warningScore, criticalScore } = INCIDENT_DEFAULTS;
  return {
    threshold: numberSetting("From score", def.threshold, threshold, [0.05, 1]),
    minimumSeconds: numberSetting("Lasting", def.minimumSeconds, minimumSeconds, [0, 60]),
    holdSeconds: numberSetting("Close after", def.holdSeconds, holdSeconds, [0.5, 600]),
    cooldownSeconds: numberSetting("Quiet for", def.cooldownSeconds, cooldownSeconds, [0, 86_400]),
    warningScore: numberSetting("Warning", def.warningScore, warningScore, [0, 1]),
    criticalScore: numberSetting("Critical", def.criticalScore, criticalScore, [0, 1]),
  };
}
