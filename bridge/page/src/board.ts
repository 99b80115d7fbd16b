/** One board on the page: its connection, its terminal, and the tools for it; kept while another one is shown. */

import { button, h } from "./dom";
import { settings } from "./settings";
import { BoardTerminal } from "./terminal";
import { texts } from "./texts";
import { type State, WebRepl } from "./webrepl";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const CTRL_E = "\x05";

/** What a board asks of the page. */
export interface BoardEvents {
  /** The state of the connection has changed. */
  onState(board: Board): void;
  /** The password is needed, and the one that is known, if any, is wrong. */
  onPassword(board: Board, denied: boolean): void;
  /** A key that is the page's was pressed in the terminal. */
  onPageKey(event: KeyboardEvent): void;
}

export class Board {
  readonly name: string;
  readonly element: HTMLElement;
  readonly terminal: BoardTerminal;
  readonly connection: WebRepl;

  #wasOpen = false;
  readonly #events: BoardEvents;

  constructor(name: string, events: BoardEvents) {
    this.name = name;
    this.#events = events;
    this.terminal = new BoardTerminal((text) => this.connection.type(text));
    this.terminal.onPageKey = (event) => events.onPageKey(event);
    this.element = h("section", { className: "panel", hidden: true, aria: { label: texts.terminal.label } },
      this.#tools(), this.terminal.element);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.connection = new WebRepl(`${scheme}//${location.host}/${encodeURIComponent(name)}`, {
      onState: (state, detail) => this.#onState(state, detail),
      onText: (text) => this.terminal.write(text),
    });
  }

  #tools(): HTMLElement {
    const key = (text: readonly [string, string], typed: string) =>
      button(text, () => {
        this.connection.type(typed);
        this.terminal.focus();
      });
    return h("div", { className: "tools", role: "toolbar", aria: { label: texts.terminal.tools } },
      key(texts.terminal.interrupt, CTRL_C),
      key(texts.terminal.softReset, CTRL_C + CTRL_D),
      key(texts.terminal.pasteMode, CTRL_E),
      button(texts.terminal.search, () => this.terminal.openSearch()),
      button(texts.terminal.clear, () => this.terminal.clear()),
    );
  }

  #onState(state: State, { denied = false, reason = "" }: { denied?: boolean; reason?: string }): void {
    switch (state) {
      case "password": {
        if (denied) settings.password = undefined;
        const known = settings.password;
        if (known === undefined) this.#events.onPassword(this, denied);
        else this.connection.logIn(known);
        break;
      }
      case "open":
        if (this.#wasOpen) this.terminal.notice(texts.notice.back);
        this.#wasOpen = true;
        break;
      case "lost":
        this.terminal.disconnected();
        if (this.#wasOpen) this.terminal.notice(texts.notice.lost(reason));
    }
    this.#events.onState(this);
  }
}
