import type { ColumnType, Generated, Selectable } from "kysely";
import type { CameraConfig } from "../camera/protocols/protocol.ts";

/**
 * The tables as they are after the newest migration. Only texts and numbers, which both databases take alike:
 * truths are 0 and 1, times are epoch milliseconds.
 */
export interface Schema {
  cctv_camera: CameraTable;
  cctv_setting: SettingTable;
}

/** PostgreSQL's driver gives numbers of eight bytes as text. */
type Milliseconds = ColumnType<number | string, number, number>;

export interface CameraTable {
  id: string;
  name: string;
  location: string;
  site: string;
  /** For people: without credentials. */
  address: string;
  protocol: string;
  username: string;
  has_password: number;
  /** A sealed `CameraSecrets`. */
  secrets: string;
  enabled: number;
  detecting: Generated<number>;
  channel: number | null;
  stream: NonNullable<CameraConfig["stream"]> | null;
  transport: NonNullable<CameraConfig["transport"]> | null;
  certificate: NonNullable<CameraConfig["certificate"]> | null;
  created_at: Milliseconds;
  updated_at: Milliseconds;
}

export type CameraRow = Selectable<CameraTable>;

export interface SettingTable {
  name: string;
  value: string;
}
