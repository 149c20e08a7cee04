import { CctvError } from "../../errors.ts";

const REMEDY = 'save the model again with XGBoost\'s Booster.save_model("model.json")';

/** The file is damaged, or contradicts itself. `found` is a clause without a full stop. */
export function invalid(found: string, cause?: unknown): CctvError {
  return new CctvError("TREES_INVALID", `this is no valid XGBoost model: ${found}; ${REMEDY}`, { cause });
}

/** The file is sound, but of a kind that this package does not score. */
export function unsupported(found: string, remedy: string = REMEDY): CctvError {
  return new CctvError("TREES_UNSUPPORTED", `this model cannot be used: ${found}; ${remedy}`);
}

export function tooLarge(found: string): CctvError {
  return new CctvError("TREES_TOO_LARGE", `this model is too large: ${found}; train fewer or shallower trees`);
}
