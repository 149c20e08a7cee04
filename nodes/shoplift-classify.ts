import type { Node, NodeAPI, NodeDef } from "node-red";
import type { JudgedPerson } from "../src/alert/incident-policy.ts";
import type { BehaviourModel } from "../src/behaviour/behaviour.ts";
import { createCues } from "../src/behaviour/cues.ts";
import { loadGesture } from "../src/behaviour/gesture.ts";
import { loadRecipe } from "../src/behaviour/recipe.ts";
import { type FrameMessage, personsOf } from "./shared/messages.ts";
import { FailureReporter, whenStarted } from "./shared/report.ts";
import { choiceSetting, type Field, numberSetting } from "./shared/settings.ts";

interface ShopliftClassifyDef extends NodeDef {
  mode?: Field;
  threshold?: Field;
  gestureThreshold?: Field;
  gestureModel?: string;
  model?: string;
  suspiciousWhen?: Field;
  scoreGate?: Field;
  alertGate?: Field;
  predictionGate?: Field;
  zeroMask?: boolean;
}

const MODES = ["cues", "gesture", "recipe"] as const;
const POLARITIES = ["below", "above"] as const;

/** Scores what each person does: pose cues over time, a model trained on them, or a boosted-tree model of the user's own. */
export default function register(RED: NodeAPI): void {
  function ShopliftClassify(this: Node, def: ShopliftClassifyDef): void {
    RED.nodes.createNode(this, def);
    const failures = new FailureReporter();

    const started = whenStarted(RED);
    const loading = loadModel(def);
    loading.then(
      (model) => this.status({ fill: "green", shape: "dot", text: model.name.slice(0, 20) }),
      async (error: unknown) => {
        this.status({ fill: "red", shape: "ring", text: RED._("shoplift-classify.status.failed") });
        await started;
        const fresh = failures.failed(error, "TREES_INVALID");
        if (fresh) this.error(fresh, {});
      },
    );

    this.on("input", async (msg: FrameMessage, send, done) => {
      try {
        const { frame, payload } = personsOf(msg);
        const { width, height, timestamp } = payload;
        const model = await loading;
        const judged = model.judge(payload.persons, { camera: frame.camera.id, timestamp, width, height });
        const persons = payload.persons.map((person, index): JudgedPerson => {
          const behaviour = judged[index];
          if (!behaviour) throw new RangeError(`${model.name} judged ${judged.length} of ${payload.persons.length}`);
          return { ...person, behaviour };
        });
        send(Object.assign(msg, { payload: { ...payload, persons } }));
        failures.worked();
        done();
      } catch (error) {
        done(failures.failed(error, "INFERENCE_FAILED"));
      }
    });
  }

  RED.nodes.registerType("shoplift-classify", ShopliftClassify);
}

async function loadModel(def: ShopliftClassifyDef): Promise<BehaviourModel> {
  const mode = choiceSetting("Judge by", def.mode, MODES);
  if (mode === "cues") {
    return createCues({ threshold: numberSetting("Threshold", def.threshold, 0.5, [0.05, 1]) });
  }
  if (mode === "gesture") {
    const { gestureModel: path, gestureThreshold } = def;
    const threshold = numberSetting("Threshold", gestureThreshold, 0, [0.01, 1]);
    return loadGesture({ ...(path && { path }), ...(threshold > 0 && { threshold }) });
  }
  return loadRecipe({
    path: def.model ?? "",
    suspiciousWhen: choiceSetting("Suspicious when", def.suspiciousWhen, POLARITIES),
    scoreGate: numberSetting("Person score to judge", def.scoreGate, 0.75, [0, 1]),
    alertGate: numberSetting("Person score to alert", def.alertGate, 0.85, [0, 1]),
    predictionGate: numberSetting("Prediction", def.predictionGate, 0.5, [0, 1]),
    zeroMask: def.zeroMask ?? false,
  });
}
