import type { Kysely, Transaction } from "kysely";
import { CctvError } from "../errors.ts";
import type { Schema } from "./schema.ts";
import { Seal } from "./seal.ts";

const SETTING = "key_check";
const KNOWN_TEXT = "the key fits";

/** The place of a camera's secrets, for the seal. */
export function placeOf(cameraId: string): string {
  return `camera ${cameraId}`;
}

/**
 * Sees that the key is the one that the passwords were sealed with. Those of a former key are sealed anew, all
 * of them or none.
 * @throws CctvError STORE_FAILED where no key fits.
 */
export async function settleKey(db: Kysely<Schema>, key: Uint8Array, formerKeys: readonly Uint8Array[]): Promise<Seal> {
  const seal = new Seal(key);
  await db.transaction().execute(async (transaction) => {
    const check = await transaction
      .selectFrom("cctv_setting")
      .select("value")
      .where("name", "=", SETTING)
      .executeTakeFirst();
    if (check && seal.open(check.value, SETTING) === KNOWN_TEXT) return;
    if (check) await sealAnew(transaction, { seal, check: check.value, formerKeys });
    const value = seal.close(KNOWN_TEXT, SETTING);
    await transaction
      .insertInto("cctv_setting")
      .values({ name: SETTING, value })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
      .execute();
  });
  return seal;
}

interface Change {
  readonly seal: Seal;
  /** The known text, as the key that was in use has sealed it. */
  readonly check: string;
  readonly formerKeys: readonly Uint8Array[];
}

async function sealAnew(transaction: Transaction<Schema>, { seal, check, formerKeys }: Change): Promise<void> {
  const cameras = await transaction.selectFrom("cctv_camera").select(["id", "secrets"]).execute();
  if (cameras.length === 0) return;
  const former = formerKeys.map((key) => new Seal(key)).find((one) => one.open(check, SETTING) === KNOWN_TEXT);
  if (!former) throw keyLost();
  for (const { id, secrets } of cameras) {
    const text = former.open(secrets, placeOf(id));
    if (text === undefined) throw keyLost();
    await transaction
      .updateTable("cctv_camera")
      .set({ secrets: seal.close(text, placeOf(id)) })
      .where("id", "=", id)
      .execute();
  }
}

function keyLost(): CctvError {
  return new CctvError(
    "STORE_FAILED",
    "the camera passwords were encrypted with another key, because credentialSecret or the key file has changed; put the old one back, or name it in settings.js as cctv.formerCredentialSecret for one start; if it is lost, move the database away and register the cameras again",
  );
}
