import type { NodeMessage } from "node-red";
import type { JudgedPerson } from "../../src/alert/incident-policy.ts";
import { CctvError } from "../../src/errors.ts";
import { type CameraInfo, Frame } from "../../src/frame/frame.ts";
import type { Person } from "../../src/pose/person.ts";

/** The payload that `pose-detect` makes and the nodes after it add to. */
export interface PersonsPayload<P extends Person = Person> {
  readonly persons: readonly P[];
  /** Of the frame, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Of the frame, epoch milliseconds. */
  readonly timestamp: number;
  /** Name of the pose model. */
  readonly model: string;
  /** Milliseconds that the frame waited and that its inference took. */
  readonly ms: { readonly queue: number; readonly inference: number };
}

export interface FrameMessage extends NodeMessage {
  camera?: CameraInfo;
  payload?: unknown;
  frame?: unknown;
}

/** @throws CctvError MESSAGE_INVALID */
export function frameOf(msg: FrameMessage): Frame {
  if (msg.payload instanceof Frame) return msg.payload;
  throw new CctvError(
    "MESSAGE_INVALID",
    `this node takes a Frame in msg.payload, from a camera node, and got ${kindOf(msg.payload)}; wire it to output 1 of a camera`,
  );
}

/** @throws CctvError MESSAGE_INVALID */
export function personsOf(msg: FrameMessage): { frame: Frame; payload: PersonsPayload } {
  const payload = msg.payload as PersonsPayload | null | undefined;
  if (msg.frame instanceof Frame && Array.isArray(payload?.persons)) return { frame: msg.frame, payload };
  throw new CctvError(
    "MESSAGE_INVALID",
    `this node takes msg.frame and msg.payload.persons, from pose-detect, and got ${kindOf(msg.payload)}; wire it behind a pose-detect node`,
  );
}

/** @throws CctvError MESSAGE_INVALID */
export function judgedOf(msg: FrameMessage): { frame: Frame; payload: PersonsPayload<JudgedPerson> } {
  const { frame, payload } = personsOf(msg);
  const persons = payload.persons as readonly Partial<JudgedPerson>[];
  if (persons.every(({ behaviour }) => behaviour)) return { frame, payload: payload as PersonsPayload<JudgedPerson> };
  throw new CctvError(
    "MESSAGE_INVALID",
    "this node takes persons that carry a behaviour; wire it behind a shoplift-classify node",
  );
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Buffer.isBuffer(value)) return `a Buffer of ${value.length} bytes`;
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
}
