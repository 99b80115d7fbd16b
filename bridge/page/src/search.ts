/** The bar that searches the terminal; what does the searching is loaded when it is first opened. */

import type { SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";
import { button, h } from "./dom";
import { texts } from "./texts";

const OPTIONS = {
  decorations: {
    matchBackground: "#d9a400", matchOverviewRuler: "#d9a400",
    activeMatchBackground: "#ff8a3d", activeMatchColorOverviewRuler: "#ff8a3d",
  },
};

export class SearchBar {
  readonly element: HTMLElement;

  #addon: SearchAddon | undefined;
  readonly #terminal: Terminal;
  readonly #input: HTMLInputElement;
  readonly #count = h("output", { className: "count" });

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#input = h("input", {
      type: "search",
      placeholder: texts.search.placeholder,
      aria: { label: texts.search.label },
      oninput: () => {
        this.#terminal.clearSelection(); // begin at the latest line again
        this.#find(-1);
      },
      onkeydown: (event) => {
        if (event.key === "Enter") this.#find(event.shiftKey ? -1 : 1);
        else if (event.key === "Escape") this.close();
        else return;
        event.preventDefault();
      },
    });
    const sign = (label: string, title: string, onclick: () => void) => {
      const made = button([label, title], onclick);
      made.setAttribute("aria-label", title);
      return made;
    };
    this.element = h("div", { className: "bar search", role: "search", hidden: true },
      this.#input,
      this.#count,
      sign("↑", texts.search.previous, () => this.#find(-1)),
      sign("↓", texts.search.next, () => this.#find(1)),
      sign("✕", texts.search.close, () => this.close()),
    );
  }

  async open(): Promise<void> {
    this.element.hidden = false;
    const selected = this.#terminal.getSelection();
    if (selected && !selected.includes("\n")) this.#input.value = selected;
    this.#input.select();
    if (!this.#addon) {
      const { SearchAddon } = await import("@xterm/addon-search");
      this.#addon ??= this.#load(new SearchAddon());
    }
    this.#find(-1);
  }

  close(): void {
    this.element.hidden = true;
    this.#addon?.clearDecorations();
    this.#terminal.focus();
  }

  #load(addon: SearchAddon): SearchAddon {
    this.#terminal.loadAddon(addon);
    addon.onDidChangeResults(({ resultIndex, resultCount }) => {
      this.#count.textContent = this.#input.value ? texts.search.count(resultIndex + 1, resultCount) : "";
    });
    return addon;
  }

  #find(direction: 1 | -1): void {
    if (direction > 0) this.#addon?.findNext(this.#input.value, OPTIONS);
    else this.#addon?.findPrevious(this.#input.value, OPTIONS);
  }
}
