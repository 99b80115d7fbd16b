/** The bridge's boards, asked for now and then while someone is looking. */

import { h } from "./dom";
import { texts } from "./texts";

const EVERY_MS = 2000;

export interface Listed {
  name: string;
  connected: boolean;
  clients: number;
}

export class BoardList {
  readonly element: HTMLElement;
  /** Which board is at `/` of this address; "" if none is. */
  default = "";
  boards: Listed[] = [];

  #shown = "";
  readonly #list = h("ul");
  readonly #onChoose: (name: string) => void;
  readonly #onChange: () => void;

  constructor(onChoose: (name: string) => void, onChange: () => void) {
    this.#onChoose = onChoose;
    this.#onChange = onChange;
    this.element = h("nav", { className: "boards", hidden: true, aria: { label: texts.boards.label } },
      h("h2", {}, texts.boards.label), this.#list);
    setInterval(() => document.hidden || void this.refresh(), EVERY_MS);
  }

  /** Ask the bridge; while it does not answer, what was known stays. */
  async refresh(): Promise<void> {
    try {
      const answer = await fetch("/boards");
      const { default: first, boards } = (await answer.json()) as { default: string; boards: Listed[] };
      if (JSON.stringify(boards) === JSON.stringify(this.boards)) return;
      this.default = first;
      this.boards = boards;
    } catch {
      return;
    }
    this.#draw();
    this.#onChange();
  }

  /** Mark the board that is shown. */
  mark(name: string): void {
    this.#shown = name;
    this.#draw();
  }

  #draw(): void {
    const focused = document.activeElement?.closest<HTMLElement>("[data-board]")?.dataset["board"];
    this.element.hidden = this.boards.length < 2;
    this.#list.replaceChildren(...this.boards.map((board) => h("li", {}, this.#item(board))));
    if (focused) this.#list.querySelector<HTMLElement>(`[data-board="${CSS.escape(focused)}"]`)?.focus();
  }

  #item({ name, connected, clients }: Listed): HTMLElement {
    const state = connected ? texts.boards.there : texts.boards.gone;
    return h("button", {
      type: "button",
      className: connected ? "board there" : "board gone",
      onclick: () => this.#onChoose(name),
      data: { board: name },
      aria: name === this.#shown ? { current: "true" } : {},
    },
      h("span", { className: "name" }, name),
      h("small", {}, `${state} · ${texts.boards.clients(clients)}`),
    );
  }
}
