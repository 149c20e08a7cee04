import { type ConnectionBody, readCamera } from "../camera-address.ts";
import { command, success } from "../command.ts";
import { cameraId, connection, location, name, site } from "../schemas/fields.ts";
import { type JsonSchema, objectOf, successOf } from "../schemas/json-schema.ts";

interface UpdateBody extends Partial<ConnectionBody> {
  readonly name?: string;
  readonly location?: string;
  readonly site?: string;
}

const done: JsonSchema = successOf({ message: { type: "string" }, camera_id: cameraId });

export const enableCommand = command<object>({
  name: "enable",
  summary: "Lets a camera run again",
  method: "post",
  path: "/api/cameras/{camera_id}/enable",
  role: "operator",
  gives: done,
  failures: [404],

  async run({ fleet }, { cameraId: id }) {
    await fleet.enable(id);
    return success({ message: `Camera ${id} enabled`, camera_id: id });
  },
});

export const disableCommand = command<object>({
  name: "disable",
  summary: "Stops a camera until it is enabled again",
  method: "post",
  path: "/api/cameras/{camera_id}/disable",
  role: "operator",
  gives: done,
  failures: [404],

  async run({ fleet }, { cameraId: id }) {
    await fleet.disable(id);
    return success({ message: `Camera ${id} disabled`, camera_id: id });
  },
});

export const removeCommand = command<object>({
  name: "remove",
  summary: "Forgets a camera",
  method: "delete",
  path: "/api/cameras/{camera_id}",
  role: "admin",
  gives: done,
  failures: [404],

  async run({ fleet }, { cameraId: id }) {
    await fleet.remove(id);
    return success({ message: `Camera ${id} removed`, camera_id: id });
  },
});

export const updateCommand = command<UpdateBody>({
  name: "update",
  summary: "Changes what is said of a camera; what is not said stays",
  method: "patch",
  path: "/api/cameras/{camera_id}",
  role: "admin",
  // A protocol says how to read an address.
  takes: { ...objectOf({ name, location, site, ...connection }), dependentRequired: { protocol: ["url"] } },
  gives: done,
  failures: [404, 422],

  async run({ fleet, rules }, { cameraId: id, body, signal }) {
    await fleet.status(id);
    const { url, username, password, protocol: _named, ...rest } = body;
    const login = {
      ...(username !== undefined && { username: username ?? "" }),
      ...(password !== undefined && { password: password ?? "" }),
    };
    const moved = url === undefined ? {} : (await readCamera({ ...body, url }, rules, signal)).fields;
    await fleet.update(id, { ...rest, ...moved, ...login });
    return success({ message: `Camera ${id} updated`, camera_id: id });
  },
});
