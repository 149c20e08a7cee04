/** Nodes with which a bench watches a flow, over HTTP, from core nodes only. */

const TAB = "bench";
const PING_PATH = "/bench/ping";
const TALLY_PATH = "/bench/tally";

const INITIAL_TALLY = 'context.set("tally", { pictures: 0, people: 0, delays: [] });';

/**
 * A flow that analyses pictures and can be watched.
 * @param {object} analysis
 * @param {object[]} analysis.nodes of the flow; the last of them is wired to the id "tally"
 * @param {string} analysis.people expression for the number of people in `msg`
 * @param {string} [analysis.delay] expression for a Delay of `msg`
 */
export function watchedFlow({ nodes, people, delay }) {
  return [
    { id: TAB, type: "tab", label: "Bench" },
    ...nodes.map((node) => ({ ...node, z: TAB })),
    httpIn("ask", TALLY_PATH, "tally"),
    {
      id: "tally",
      type: "function",
      z: TAB,
      func: tally(people, delay),
      initialize: INITIAL_TALLY,
      outputs: 1,
      wires: [["answer"]],
    },
    { id: "answer", type: "http response", z: TAB, wires: [] },
    httpIn("ping", PING_PATH, "pong"),
    { id: "pong", type: "http response", z: TAB, wires: [] },
  ];
}

/**
 * Counts what is analysed. A question is answered when the next picture is done, so that whoever asks twice knows how
 * many whole pictures lie between.
 * @param {string} people
 * @param {string | undefined} delay
 */
function tally(people, delay) {
  return `
    const tally = context.get("tally");
    if (msg.req) {
      context.set("asked", msg);
      return null;
    }
    tally.pictures += 1;
    tally.people += ${people};
    ${delay === undefined ? "" : `tally.delays.push(${delay});`}
    const asked = context.get("asked");
    if (!asked) return null;
    context.set("asked", undefined);
    asked.payload = { ...tally, delays: tally.delays.splice(0) };
    return asked;`;
}

/**
 * @param {string} id
 * @param {string} url
 * @param {string} target
 */
function httpIn(id, url, target) {
  return { id, type: "http in", z: TAB, url, method: "get", upload: false, wires: [[target]] };
}

const ANSWER_WITHIN_MS = 60_000;

/**
 * A running Node-RED with such a flow, seen as a contender.
 * @param {import("../../build/test/e2e/node-red.js").NodeRed} nodeRed
 * @param {AbortSignal} signal
 * @returns {import("./contender.mjs").Contender & { pingUrl: string }}
 */
export function watch(nodeRed, signal) {
  return {
    pids: [nodeRed.pid],
    pingUrl: nodeRed.url + PING_PATH,
    async nextPicture() {
      const patience = AbortSignal.timeout(ANSWER_WITHIN_MS);
      try {
        const reply = await fetch(nodeRed.url + TALLY_PATH, { signal: AbortSignal.any([signal, patience]) });
        return await reply.json();
      } catch (error) {
        if (!patience.aborted) throw error;
        throw new Error(`no picture was analysed in ${ANSWER_WITHIN_MS / 1000} s; Node-RED says:\n${nodeRed.log}`);
      }
    },
    stop: () => nodeRed.stop(),
  };
}
