/** Where a command writes, and how it is told to stop. */
export interface Console {
  /** Results. */
  out(line: string): void;
  /** What it is doing. */
  note(line: string): void;
  readonly signal: AbortSignal;
}
