import { parseArgs } from "node:util";

/**
 * @typedef {object} Options
 * @property {number} seconds of each window in which CPU time or round trips are measured
 * @property {number} rounds in which the contenders take turns
 * @property {number} minutes of the memory run; 0 leaves it out
 */

/**
 * @param {string[]} args of the command line
 * @returns {Options}
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: "string", default: "20" },
      rounds: { type: "string", default: "3" },
      minutes: { type: "string", default: "10" },
    },
  });
  return {
    seconds: number("seconds", values.seconds, 1),
    rounds: Math.round(number("rounds", values.rounds, 1)),
    minutes: number("minutes", values.minutes, 0),
  };
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} least
 */
function number(name, text, least) {
  const value = Number(text);
  if (Number.isFinite(value) && value >= least) return value;
  throw new Error(`--${name} takes a number of at least ${least}, not "${text}"`);
}
