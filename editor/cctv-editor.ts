// Shared by the edit dialogs. A classic script: Node-RED loads it before the nodes' own.

interface EditorNode {
  readonly id: string;
  readonly type: string;
  readonly _def: {
    readonly defaults: Readonly<Record<string, unknown>>;
    readonly credentials?: Readonly<Record<string, unknown>>;
  };
  _(key: string, values?: object): string;
}

/** What the runtime's route for camera tests answers. */
type CameraTestAnswer =
  | { readonly ok: false; readonly code: string; readonly message: string }
  | {
      readonly ok: true;
      readonly picture: string;
      readonly source: string;
      readonly video: {
        readonly codec?: string;
        readonly width: number;
        readonly height: number;
        readonly fps: number;
      };
      readonly device: {
        readonly brand?: string;
        readonly model?: string;
        readonly name?: string;
        readonly channels?: readonly { readonly channel: number; readonly name?: string; readonly online?: boolean }[];
      };
      readonly firstPictureMs: number;
    };

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

  /** Prepares the dialog of a camera. */
  cameraDialog(node: EditorNode): void {
    cctvEditor.keepLoginApart();
    cctvEditor.offerTest(node);
  },

  /** Moves a login that was pasted as part of an address into its own fields: an address is exported with the flow. */
  keepLoginApart(): void {
    const username = $("#dialog-form #node-input-username");
    const password = $("#dialog-form #node-input-password");
    if (password.length === 0) return;
    for (const name of ["url", "subUrl", "address", "host"]) {
      const field = $(`#dialog-form #node-input-${name}`);
      field.on("change paste", () => {
        // A paste is in the field only after its event.
        setTimeout(() => {
          const parts = cctvEditor.splitLogin(String(field.val() ?? ""));
          if (!parts) return;
          field.val(parts.address).trigger("input");
          username.val(parts.username).trigger("change");
          password.val(parts.password).trigger("change");
        });
      });
    }
  },

  /** Takes `user:password@` and, of our own kinds of addresses, `?user=&pass=` out of an address; undefined where there is none. */
  splitLogin(address: string): { address: string; username: string; password: string } | undefined {
    const decode = (text: string) => {
      try {
        return decodeURIComponent(text);
      } catch {
        return text;
      }
    };
    const [, scheme = "", userInfo, rest = ""] = /^([a-z][\w+.-]*:\/\/)?([^/?#]*)@([^/?#@]+.*)$/is.exec(address) ?? [];
    if (userInfo !== undefined) {
      const colon = userInfo.indexOf(":");
      const user = colon < 0 ? userInfo : userInfo.slice(0, colon);
      return {
        address: scheme + rest,
        username: decode(user),
        password: colon < 0 ? "" : decode(userInfo.slice(colon + 1)),
      };
    }
    // Others hand their query to the camera as it stands.
    if (!/^(?!https?:|rtsps?:|rtmps?:|hlss?:)[a-z][\w+.-]*:\/\/[^?]*\?/i.test(address)) return undefined;
    const [place = "", query = ""] = address.split("?", 2);
    const found: Record<string, string> = {};
    const others = query.split("&").filter((pair) => {
      const [, name = "", value = ""] = /^(user|pass)(?:name|word)?=(.*)$/is.exec(pair) ?? [];
      if (name) found[name.toLowerCase()] = decode(value);
      return !name;
    });
    if (found.user === undefined && found.pass === undefined) return undefined;
    return {
      address: others.length > 0 ? `${place}?${others.join("&")}` : place,
      username: found.user ?? "",
      password: found.pass ?? "",
    };
  },

  /** Wires the Test button of a camera's dialog: it tries what the dialog holds now, deployed or not. */
  offerTest(node: EditorNode): void {
    const button = $("#dialog-form .cctv-test-button");
    const result = $("#dialog-form .cctv-test-result");
    const { type, id, _def } = node;
    button.on("click", () => {
      button.prop("disabled", true);
      result.text(node._("cctv.test.running"));
      const request = {
        type,
        id,
        fields: cctvEditor.fieldsOf(Object.keys(_def.defaults)),
        secrets: cctvEditor.fieldsOf(Object.keys(_def.credentials ?? {})),
      };
      void $.ajax({ url: "cctv/test", method: "POST", contentType: "application/json", data: JSON.stringify(request) })
        .done((answer: CameraTestAnswer) => cctvEditor.showTest(node, result, answer))
        .fail((failure: JQuery.jqXHR) => {
          result.text(node._("cctv.test.failed", { reason: `${failure.status} ${failure.statusText}` }));
        })
        .always(() => button.prop("disabled", false));
    });
  },

  /** What the dialog's fields hold now, by their names. */
  fieldsOf(names: readonly string[]): Record<string, unknown> {
    const present = names
      .map((name) => [name, $(`#node-input-${name}`)] as const)
      .filter(([, field]) => field.length > 0);
    return Object.fromEntries(
      present.map(([name, field]) => [name, field.is(":checkbox") ? field.prop("checked") : field.val()]),
    );
  },

  showTest(node: EditorNode, result: JQuery, answer: CameraTestAnswer): void {
    result.empty();
    if (!answer.ok) {
      result.append($("<div>").css("color", "var(--red-ui-text-color-error)").text(answer.message));
      result.append($("<code>").text(answer.code));
      return;
    }
    const { video, device, firstPictureMs } = answer;
    const words = [
      [device.brand, device.model, device.name && `"${device.name}"`].filter(Boolean).join(" "),
      [
        video.codec,
        `${video.width} x ${video.height}`,
        node._("cctv.test.fps", { fps: video.fps }),
        node._("cctv.test.first", { seconds: (firstPictureMs / 1000).toFixed(1) }),
      ]
        .filter(Boolean)
        .join(", "),
      cctvEditor.channelsInWords(node, device.channels ?? []),
      answer.source,
    ];
    result.append(
      $("<img>").attr({ src: answer.picture, alt: answer.source }).css({ width: "100%", display: "block" }),
    );
    for (const line of words.filter(Boolean)) result.append($("<div>").text(line));
  },

  /** The channels of a recorder; nothing where there is but one. */
  channelsInWords(
    node: EditorNode,
    channels: readonly { readonly channel: number; readonly name?: string; readonly online?: boolean }[],
  ): string {
    if (channels.length < 2) return "";
    const each = channels.map(({ channel, name, online }) =>
      [channel, name, online === false && `(${node._("cctv.test.offline")})`].filter(Boolean).join(" "),
    );
    return `${node._("cctv.test.channels")}: ${each.join(", ")}`;
  },
};
