#!/usr/bin/env node
import { main } from "./main.ts";

const cancel = new AbortController();
process.once("SIGINT", () => cancel.abort());
process.once("SIGTERM", () => cancel.abort());

void main(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
  signal: cancel.signal,
}).then((status) => {
  process.exitCode = status;
});
