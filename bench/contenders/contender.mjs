/**
 * What was analysed since the start.
 * @typedef {object} Tally
 * @property {number} pictures
 * @property {number} people that were found in them
 * @property {Delay[]} delays of the pictures since the last time somebody asked; empty where they are not known
 */

/**
 * Milliseconds.
 * @typedef {object} Delay
 * @property {number} queue from the frame's arrival at the detector to the start of its analysis
 * @property {number} inference
 * @property {number} ageAtEnd from the frame's timestamp to the result
 */

/**
 * Something at work on the clip, in processes of its own.
 * @typedef {object} Contender
 * @property {readonly number[]} pids of its processes; what they start belongs to it too
 * @property {() => Promise<Tally>} nextPicture the tally when the next picture has been analysed
 * @property {string} [pingUrl] answers at once while the event loop is free; absent where there is no HTTP server
 * @property {() => Promise<void>} stop ends its processes and waits for their end
 */

export {};
