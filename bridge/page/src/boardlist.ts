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

/** Another bridge on the network. */
interface Neighbour {
  name: string;
  url: string;
}

interface Answer {
  default: string;
  boards: Listed[];
  bridges?: Neighbour[];
}

/** What the list shows of one board; changed in place, so that a click is not lost between one answer and the next. */
interface Item {
  element: HTMLElement;
  update(board: Listed, shown: boolean): void;
}

export class BoardList {
  readonly element: HTMLElement;
  /** Which board is at `/` of this address; "" if none is. */
  default = "";
  boards: Listed[] = [];
  /** The password, once it has been found right. */
  password: string | undefined;

  #answer = "";
  #bridgesText = "[]";
  #shown = "";
  readonly #items = new Map<string, Item>();
  readonly #list = h("ul");
  readonly #none = h("p", {}, texts.boards.none);
  readonly #bridges = h("ul");
  readonly #others = h("div", { hidden: true }, h("h2", {}, texts.boards.bridges), this.#bridges);
  readonly #onChoose: (name: string) => void;
  readonly #onChange: () => void;

  constructor(onChoose: (name: string) => void, onChange: () => void) {
    this.#onChoose = onChoose;
    this.#onChange = onChange;
    this.element = h("nav", { className: "boards", hidden: true, aria: { label: texts.boards.label } },
      h("h2", {}, texts.boards.label), this.#none, this.#list, this.#others);
    setInterval(() => document.hidden || void this.refresh(), EVERY_MS);
  }

  /** Ask the bridge; while it does not answer, what was known stays. */
  async refresh(): Promise<void> {
    let answer: Answer;
    try {
      const response = await fetch("/boards", this.#authorized());
      if (response.status === 401) this.password = undefined; // the bridge has another one now; guesses would slow it down
      if (!response.ok) return;
      const text = await response.text();
      if (text === this.#answer) return;
      answer = JSON.parse(text) as Answer;
      this.#answer = text;
    } catch {
      return;
    }
    const { default: first, boards, bridges = [] } = answer;
    this.default = first;
    this.boards = boards;
    this.#draw();
    this.#drawBridges(bridges);
    this.element.hidden = boards.length === 1 && !bridges.length;
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
    const items = this.boards.map((board) => {
      const item = this.#items.get(board.name) ?? this.#newItem(board.name);
      item.update(board, board.name === this.#shown);
      return item.element;
    });
    const before = [...this.#list.children];
    if (items.length !== before.length || items.some((item, at) => item !== before[at])) this.#list.replaceChildren(...items);
    this.#none.hidden = items.length > 0;
  }

  #newItem(name: string): Item {
    const known = h("small");
    const choose = h("button", { type: "button", onclick: () => this.#onChoose(name), data: { board: name } },
      h("span", { className: "name" }, name), known);
    const item = {
      element: h("li", {}, choose),
      update: (board: Listed, shown: boolean) => {
        choose.className = board.connected ? "board there" : "board gone";
        choose.title = board.on ?? "";
        known.textContent = details(board);
        if (shown) choose.setAttribute("aria-current", "true");
        else choose.removeAttribute("aria-current");
      },
    };
    this.#items.set(name, item);
    return item;
  }

  #drawBridges(bridges: Neighbour[]): void {
    const text = JSON.stringify(bridges);
    if (text === this.#bridgesText) return;
    this.#bridgesText = text;
    this.#others.hidden = !bridges.length;
    this.#bridges.replaceChildren(...bridges.map(({ name, url }) =>
      h("li", {}, h("a", { className: "board", href: url, title: url, target: "_blank", rel: "noopener noreferrer" }, name))));
  }
}

/** What is known of a board, in a line. */
export function details({ connected, clients, version, mode, absence, attached, holder }: Listed): string {
  const known = connected
    ? [
        version ? texts.boards.version(version) : "",
        mode ? (texts.boards.modes[mode] ?? mode) : "",
        attached && attached.length > 1 ? texts.boards.attached(attached.map((each) => each.name)) : texts.boards.clients(clients),
        holder ? texts.boards.holder(holder) : "",
      ]
    : [texts.boards.gone, absence ?? ""];
  return known.filter(Boolean).join(" · ");
}
