/** How soon somebody should look, rising. */
export const SEVERITIES = ["info", "warning", "critical"] as const;

export type Severity = (typeof SEVERITIES)[number];

export interface SeveritySettings {
  /** Score, 0..1, from which an alert is a warning. */
  readonly warningScore: number;
  /** Seconds after which an alert is a warning whatever its score. */
  readonly warningSeconds: number;
  /** Score, 0..1, from which an alert is critical, if it lasts for `criticalSeconds`. */
  readonly criticalScore: number;
  readonly criticalSeconds: number;
}

/**
 * @param score The highest so far, 0..1.
 * @param seconds How long the gestures have gone on.
 */
export function severityOf(score: number, seconds: number, settings: SeveritySettings): Severity {
  const { warningScore, warningSeconds, criticalScore, criticalSeconds } = settings;
  if (score >= criticalScore && seconds >= criticalSeconds) return "critical";
  return score >= warningScore || seconds >= warningSeconds ? "warning" : "info";
}

export function isSeverer(severity: Severity, than: Severity): boolean {
  return SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(than);
}
