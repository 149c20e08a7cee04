import { reporters } from "mocha";

/** Mocha's spec reporter, and one closing line that scripts can read. */
export default class ClosingLine extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
  }
}
