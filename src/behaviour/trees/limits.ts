/**
 * What a model file may cost to read. A thousand trees of depth six are about 16 MB of JSON in
 * 20,000 containers, eight levels deep.
 */
export const MAX_BYTES = 32 * 1024 * 1024;

/** Levels of objects and arrays within each other. */
export const MAX_DEPTH = 32;

/** Objects, arrays and strings together. */
export const MAX_PARTS = 1_000_000;
