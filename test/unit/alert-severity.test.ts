import assert from "node:assert/strict";
import { isSeverer, type Severity, severityOf } from "../../src/alert/severity.ts";

const settings = { warningScore: 0.7, warningSeconds: 10, criticalScore: 0.9, criticalSeconds: 3 };

const cases: [score: number, seconds: number, severity: Severity][] = [
  [0.5, 1, "info"],
  [0.69, 9.9, "info"],
  [0.7, 0, "warning"],
  [0.5, 10, "warning"],
  [0.95, 2.9, "warning"],
  [0.9, 3, "critical"],
  [0.89, 60, "warning"],
];

describe("severityOf", () => {
  for (const [score, seconds, severity] of cases) {
    it(`calls ${score} for ${seconds} s ${severity}`, () =>
      assert.equal(severityOf(score, seconds, settings), severity));
  }

  it("orders severities", () => {
    assert.ok(isSeverer("warning", "info") && isSeverer("critical", "warning"));
    assert.ok(!isSeverer("info", "info") && !isSeverer("info", "critical"));
  });
});
