import type { AlertData } from "./alert.ts";
import type { IncidentEvent } from "./incident-policy.ts";

export type AlertEventKind = IncidentEvent["kind"];

/** CloudEvents 1.0, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export interface AlertCloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: `cctv.alert.${AlertEventKind}.v1`;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly data: AlertData;
}

/**
 * `subject` and `data.alertId` name the alert: they are what a receiver files it under, and all its events share them.
 * `source` with `id` names the event: the specification lets a receiver drop a second one with the same pair as a
 * repeat. So only the event that opens an alert may carry the alert's own ULID as its id.
 *
 * @param laterId A new ULID for an event after the first; not asked for the first.
 */
export function alertCloudEvent(kind: AlertEventKind, data: AlertData, laterId: () => string): AlertCloudEvent {
  const place = [...(data.site ? ["sites", data.site] : []), "cameras", data.camera];
  return {
    specversion: "1.0",
    id: kind === "opened" ? data.alertId : laterId(),
    source: `/${place.map(encodeURIComponent).join("/")}`,
    type: `cctv.alert.${kind}.v1`,
    subject: data.alertId,
    time: data.updatedAt,
    datacontenttype: "application/json",
    data,
  };
}
