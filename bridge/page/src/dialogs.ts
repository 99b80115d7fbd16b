/** The two dialogs: the password, and the keys with the settings. */

import { button, h } from "./dom";
import { type Theme, setTheme, settings } from "./settings";
import { texts } from "./texts";

/** Asks for the password until it is taken away. */
export class LoginDialog {
  readonly #input = h("input", { type: "password", autocomplete: "current-password", required: true, id: "password" });
  readonly #error = h("p", { className: "error", role: "alert" });
  readonly #dialog: HTMLDialogElement;

  constructor(onPassword: (password: string) => void) {
    const form = h("form", {
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        onPassword(this.#input.value);
      },
    },
      h("h2", { id: "login-title" }, texts.login.title),
      h("p", {}, texts.login.explain),
      h("label", { htmlFor: "password" }, texts.login.password),
      this.#input,
      this.#error,
      h("button", { type: "submit", className: "primary" }, texts.login.submit),
    );
    this.#dialog = h("dialog", { aria: { labelledby: "login-title" }, oncancel: (event) => event.preventDefault() }, form);
    document.body.append(this.#dialog);
  }

  get isOpen(): boolean {
    return this.#dialog.open;
  }

  ask(denied: boolean): void {
    this.#error.textContent = denied ? texts.login.wrong : "";
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#input.select();
  }

  close(): void {
    this.#input.value = "";
    this.#dialog.close();
  }
}

/** What the keys do, and how the page looks. */
export class HelpDialog {
  readonly #dialog: HTMLDialogElement;

  constructor(onScreenReader: (on: boolean) => void) {
    const themes: [Theme, string][] = [["auto", texts.theme.auto], ["light", texts.theme.light], ["dark", texts.theme.dark]];
    const theme = h("select", { onchange: () => setTheme(theme.value as Theme) },
      ...themes.map(([value, label]) => h("option", { value, selected: value === settings.theme }, label)));
    const reader = h("input", {
      type: "checkbox",
      checked: settings.screenReader,
      onchange: () => {
        settings.screenReader = reader.checked;
        onScreenReader(reader.checked);
      },
    });
    this.#dialog = h("dialog", { className: "help", aria: { labelledby: "help-title" } },
      h("h2", { id: "help-title" }, texts.help.title),
      h("dl", {}, ...texts.help.keys.flatMap(([keys, what]) => [h("dt", {}, keys), h("dd", {}, what)])),
      h("label", { className: "setting" }, texts.theme.label, theme),
      h("label", { className: "setting" }, reader, texts.reader.explain),
      button([texts.help.close, texts.help.close], () => this.#dialog.close(), "primary"),
    );
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close(); // beside it
    });
    document.body.append(this.#dialog);
  }

  open(): void {
    if (!this.#dialog.open) this.#dialog.showModal();
  }
}
