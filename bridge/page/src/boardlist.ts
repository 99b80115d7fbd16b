/** The bridge's boards, asked for now and then while someone is looking. */

import { h } from "./dom";
import { texts } from "./texts";

const EVERY_MS = 2000;

/** What the bridge says of a board; the optional part only to those who have the password. */
export interface Listed {
  name: string;
  connected: boolean;
  clients: number;
  on?: string | null;
  absence?: string | null;
  mode?: string | null;
  version?: string | null;
  attached?: { name: string; watches_only: boolean }[];
  holder?: string | null;
}

export class BoardList {
  readonly element: HTMLElement;
  /** Which board is at `/` of this address; "" if none is. */
  default = "";
  boards: Listed[] = [];
  /** The password, once it has been found right. */
  password: string | undefined;

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
      const answer = await fetch("/boards", this.#authorized());
      if (answer.status === 401) this.password = undefined; // the bridge has another one now; guesses would slow it down
      if (!answer.ok) return;
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

  /** Have the bridge do something with a board; returns what is wrong, or nothing. */
  async act(name: string, action: string): Promise<string> {
    try {
      const path = `/boards/${encodeURIComponent(name)}/${action}`;
      const answer = await fetch(path, { method: "POST", ...this.#authorized() });
      return answer.ok ? "" : (await answer.text()).trim();
    } catch {
      return texts.errors.lost;
    }
  }

  /** What is known of a board. */
  find(name: string): Listed | undefined {
    return this.boards.find((board) => board.name === name);
  }

  #authorized(): RequestInit {
    if (this.password === undefined) return {}; // as index.html asks for it ahead of the scripts
    // The browser is not to ask for a password of its own: that is what leaving out its credentials does.
    const bytes = new TextEncoder().encode(`:${this.password}`);
    return { credentials: "omit", headers: { Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` } };
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

  #item(board: Listed): HTMLElement {
    const { name, connected, clients } = board;
    return h("button", {
      type: "button",
      className: connected ? "board there" : "board gone",
      title: details(board),
      onclick: () => this.#onChoose(name),
      data: { board: name },
      aria: name === this.#shown ? { current: "true" } : {},
    },
      h("span", { className: "name" }, name),
      h("small", {}, connected ? texts.boards.clients(clients) : texts.boards.gone),
    );
  }
}

/** What is known of a board, in a line. */
export function details({ connected, clients, version, mode, on, absence, attached, holder }: Listed): string {
  const known = connected
    ? [
        version ? texts.boards.version(version) : "",
        mode ? (texts.boards.modes[mode] ?? mode) : "",
        attached && attached.length > 1 ? texts.boards.attached(attached.map((each) => each.name)) : texts.boards.clients(clients),
        holder ? texts.boards.holder(holder) : "",
        on ?? "",
      ]
    : [texts.boards.gone, absence ?? ""];
  return known.filter(Boolean).join(" · ");
}
