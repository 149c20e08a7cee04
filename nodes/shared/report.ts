import type { Node, NodeAPI } from "node-red";
import { asCctvError, type CctvError, type ErrorCode } from "../../src/errors.ts";
import type { Logger } from "../../src/logger.ts";

/** At most one report of the same trouble in this time, so that a broken part does not flood Catch nodes and the log. */
const REPEAT_MS = 60_000;

export type Done = (error?: Error) => void;

/**
 * Ends an input of a node that failed. The first failure, and then one a minute for as long as the
 * same code lasts, goes to Catch; the others just complete, and the node's status keeps showing why.
 */
export class FailureReporter {
  readonly #now: () => number;
  readonly #repeatMs: number;
  #code: ErrorCode | undefined;
  #reportedAt = 0;

  constructor(now: () => number = Date.now, repeatMs = REPEAT_MS) {
    this.#now = now;
    this.#repeatMs = repeatMs;
  }

  /** @returns the error to hand to `done`, or nothing while it would only repeat itself. */
  failed(error: unknown, fallback: ErrorCode): CctvError | undefined {
    const failure = asCctvError(error, fallback);
    const now = this.#now();
    if (failure.code === this.#code && now - this.#reportedAt < this.#repeatMs) return undefined;
    this.#code = failure.code;
    this.#reportedAt = now;
    return failure;
  }

  worked(): void {
    this.#code = undefined;
  }
}

/** Fulfils when all nodes of the deploy stand. What a node sends or reports earlier may find nobody to hear it. */
export function whenStarted(RED: NodeAPI): Promise<void> {
  return new Promise((resolve) => {
    RED.events.once("flows:started", () => resolve());
  });
}

/** The node's own log as the library's logger. */
export function loggerOf(node: Node): Logger {
  return {
    debug: (line) => node.debug(line),
    info: (line) => node.log(line),
    warn: (line) => node.warn(line),
  };
}
