import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/**
 * @typedef {object} Process
 * @property {number} pid
 * @property {number} parent
 * @property {string} name
 * @property {number} cpuMs user and system time of its threads, and of its children that have ended
 * @property {number} rssBytes resident memory, what it shares with others included
 */

const TICKS_PER_SECOND = systemConstant("CLK_TCK");
const PAGE_BYTES = systemConstant("PAGESIZE");

/** @param {string} name */
function systemConstant(name) {
  return Number(execFileSync("getconf", [name], { encoding: "utf8" }));
}

/**
 * The processes with these ids and all below them.
 * @param {readonly number[]} roots
 * @returns {Process[]}
 */
export function processTree(roots) {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => readProcess(Number(pid)));
  const tree = all.filter(({ pid }) => roots.includes(pid));
  // The list grows while it is walked: children of children are found too.
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/**
 * Reads /proc/<pid>/stat, see proc(5).
 * @param {number} pid
 * @returns {[Process] | []} empty where it ended meanwhile
 */
function readProcess(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return [];
  }
  // The name is in brackets and may itself hold brackets and spaces; the third field follows it.
  const nameEnd = stat.lastIndexOf(")");
  const fields = stat.slice(nameEnd + 2).split(" ");
  /** @param {number} number as proc(5) counts */
  const field = (number) => Number(fields[number - 3]);
  const ticks = field(14) + field(15) + field(16) + field(17);
  return [
    {
      pid,
      parent: field(4),
      name: stat.slice(stat.indexOf("(") + 1, nameEnd),
      cpuMs: (ticks * 1000) / TICKS_PER_SECOND,
      rssBytes: field(24) * PAGE_BYTES,
    },
  ];
}
