// Shared by the edit dialogs. A classic script: Node-RED loads it before the nodes' own.

interface EditorNode {
  _(key: string, values?: object): string;
}

type Validity = true | false | string;
type Validate = (this: EditorNode, value: unknown, options?: object) => Validity;

// Each dialog loads this script, so the name is declared more than once: `const` would not do.
// biome-ignore lint/correctness/noUnusedVariables: the dialogs use it
var cctvEditor = {
  /** `${NAME}` is filled in from the environment when the flow starts, so any field may hold it. */
  isVariable(value: unknown): boolean {
    return /^\$\{[^}]+\}$/.test(String(value ?? ""));
  },

  /** A number from `least` to `most`; empty means the default where `optional`. */
  number(least: number, most: number, optional = false): Validate {
    return function (value, options) {
      const text = String(value ?? "").trim();
      if (cctvEditor.isVariable(text) || (optional && text === "")) return true;
      const number = Number(text);
      if (text !== "" && number >= least && number <= most) return true;
      return options ? this._("cctv.invalid.number", { least, most }) : false;
    };
  },

  /** An address of one of the schemes, or a host alone. */
  address(schemes: readonly string[], optional = false): Validate {
    return function (value, options) {
      const text = String(value ?? "").trim();
      if (cctvEditor.isVariable(text) || (optional && text === "")) return true;
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url && url.host !== "" && schemes.includes(url.protocol.slice(0, -1))) return true;
      return options ? this._("cctv.invalid.address", { schemes: schemes.join(":// ") }) : false;
    };
  },

  /** Some text, or a variable. */
  filled(key: string): Validate {
    return function (value, options) {
      if (String(value ?? "").trim() !== "") return true;
      return options ? this._(key) : false;
    };
  },
};
