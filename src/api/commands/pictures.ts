import { command } from "../command.ts";
import { playLivePictures } from "../live-pictures.ts";

export const snapshotCommand = command<object>({
  name: "snapshot",
  summary: "The camera's last picture, or a new one where it does not run",
  method: "get",
  path: "/api/cameras/{camera_id}/snapshot.jpg",
  role: "viewer",
  gives: "image/jpeg",
  failures: [404, 500, 502],

  async run({ fleet }, { cameraId }) {
    const body = await fleet.snapshot(cameraId);
    return { status: 200, headers: { "content-type": "image/jpeg", "cache-control": "no-store" }, body };
  },
});

export const streamCommand = command<object>({
  name: "stream",
  summary: "The camera's pictures as they come, as an <img> shows them; a slow client gets fewer",
  method: "get",
  path: "/api/cameras/{camera_id}/stream.mjpg",
  role: "viewer",
  gives: "multipart/x-mixed-replace",
  failures: [404],

  async run({ fleet }, { cameraId }) {
    await fleet.status(cameraId);
    return {
      status: 200,
      headers: {},
      body: {},
      play: (response, signal) => playLivePictures({ fleet, cameraId }, response, signal),
    };
  },
});
