import type { Frame } from "../frame/frame.ts";
import { drawPersons } from "../pose/draw.ts";
import type { JudgedPerson } from "./incident-policy.ts";

/** The frame as a JPEG in which the person of an alert stands out, with what was seen in words. */
export function drawSnapshot(frame: Frame, persons: readonly JudgedPerson[], personId: string): Promise<Buffer> {
  const drawables = persons.map(({ id, box, keypoints, behaviour }) => {
    const highlighted = id === personId;
    return { box, keypoints, highlighted, label: highlighted ? [`#${id}`, ...behaviour.reasons].join(" · ") : "" };
  });
  const { name, id } = frame.camera;
  const time = new Date(frame.timestamp).toISOString().replace("T", " ").slice(0, 19);
  return drawPersons(frame, drawables, { caption: `${name || id} · ${time} UTC` });
}
