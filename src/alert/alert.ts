import type { CameraInfo } from "../frame/frame.ts";
import type { Incident } from "./incident-policy.ts";
import type { Severity } from "./severity.ts";

/** One alert as everybody outside hears of it: plain JSON, times in ISO 8601 (UTC). */
export interface AlertData {
  /** A ULID, the same in everything that is said of this alert. */
  readonly alertId: string;
  readonly site: string;
  /** Camera id. */
  readonly camera: string;
  readonly personId: string;
  readonly label: string;
  /** The highest so far, 0..1. */
  readonly score: number;
  readonly severity: Severity;
  /** Ids of the zones that it touched. */
  readonly zones: readonly string[];
  readonly openedAt: string;
  readonly updatedAt: string;
  /** `null` while it is open. */
  readonly closedAt: string | null;
  /** What was seen, in words. */
  readonly reasons: readonly string[];
  /** Relative URL of the picture that raised it. */
  readonly snapshot: string | null;
  /** Relative URL of the film around it. */
  readonly clip: string | null;
  /** Name of the behaviour model. */
  readonly model: string;
  /** What a person made of it; `null` until one has looked. */
  readonly review: "confirmed" | "dismissed" | null;
}

export function alertOf(incident: Incident, alertId: string, camera: CameraInfo): AlertData {
  const { personId, label, score, severity, zones, reasons, model, openedAt, updatedAt, closedAt } = incident;
  return {
    alertId,
    site: camera.site,
    camera: camera.id,
    personId,
    label,
    score,
    severity,
    zones,
    openedAt: isoTime(openedAt),
    updatedAt: isoTime(updatedAt),
    closedAt: closedAt === null ? null : isoTime(closedAt),
    reasons,
    snapshot: `api/alerts/${alertId}/snapshot.jpg`,
    clip: null,
    model,
    review: null,
  };
}

function isoTime(epochMilliseconds: number): string {
  return new Date(epochMilliseconds).toISOString();
}
