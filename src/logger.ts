/** What `src/` needs of a logger; a node passes its own, a test a recorder. Lines hold no secrets. */
export interface Logger {
  debug(line: string): void;
  info(line: string): void;
  warn(line: string): void;
}

export const silent: Logger = { debug() {}, info() {}, warn() {} };
