import { type DiscoverOptions, discover } from "../../src/discovery/scan.ts";

// Runs in the namespace of the one who looks: options come as an argument, events go out as lines of JSON, and
// a line on standard input cancels. The last line says how long it took.
const stop = new AbortController();
process.stdin.once("data", () => stop.abort(new Error("cancelled")));

async function scan(options: DiscoverOptions): Promise<void> {
  const startedAt = performance.now();
  try {
    for await (const event of discover(options, stop.signal)) process.stdout.write(`${JSON.stringify(event)}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ type: "failed", message: (error as Error).message })}\n`);
  } finally {
    process.stdout.write(`${JSON.stringify({ type: "took", ms: Math.round(performance.now() - startedAt) })}\n`);
    process.stdin.destroy();
  }
}

void scan(JSON.parse(process.argv[2] ?? "{}"));
