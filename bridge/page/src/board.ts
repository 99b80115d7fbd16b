/** One board on the page: its connection, its terminal, and the tools for it; kept while another one is shown. */

import { button, h } from "./dom";
import { Editors } from "./editors";
import { FilePanel } from "./filepanel";
import { Jobs } from "./jobs";
import type { Plot } from "./plot";
import { Files } from "./records";
import { settings } from "./settings";
import { BoardTerminal } from "./terminal";
import { texts } from "./texts";
import { pythonLiteral } from "./units";
import { type State, WebRepl } from "./webrepl";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const CTRL_E = "\x05";

/** On a narrow screen one part of the page is shown at a time. */
export type View = "files" | "editor" | "plot" | "terminal";

/** What a board asks of the page. */
export interface BoardEvents {
  /** The state of the connection has changed. */
  onState(board: Board): void;
  /** The password is needed, and the one that is known, if any, is wrong. */
  onPassword(board: Board, denied: boolean): void;
  /** Something was opened in this part of the page. */
  onView(view: View): void;
  /** The board is to be reset, by its reset line where it has one. */
  onHardReset(board: Board): void;
  /** A key that is the page's was pressed in the terminal. */
  onPageKey(event: KeyboardEvent): void;
}

export class Board {
  readonly name: string;
  readonly side: FilePanel;
  readonly element: HTMLElement;
  readonly terminal: BoardTerminal;
  readonly connection: WebRepl;
  readonly files: Files;
  readonly editors: Editors;

  #plot: Plot | undefined;
  #wasOpen = false;
  readonly #events: BoardEvents;

  constructor(name: string, events: BoardEvents) {
    this.name = name;
    this.#events = events;
    this.terminal = new BoardTerminal(
      (text) => this.connection.type(text),
      (action) => this.files.inTurn(action),
    );
    this.terminal.onPageKey = (event) => events.onPageKey(event);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.connection = new WebRepl(`${scheme}//${location.host}/${encodeURIComponent(name)}`, {
      onState: (state, detail) => this.#onState(state, detail),
      onText: (text) => {
        this.terminal.write(text);
        this.#plot?.receive(text);
      },
      onBinary: (data) => this.files.receive(data),
    });
    this.files = new Files(this.connection);
    const jobs = new Jobs();
    this.editors = new Editors(name, this.files, jobs, this, () => void this.side.refresh());
    this.side = new FilePanel(name, this.files, jobs, {
      onOpen: (path) => {
        void this.editors.open(path);
        events.onView("editor");
      },
      onMoved: (path, to) => this.editors.moved(path, to),
      onFirstRead: () => void this.editors.restore(),
    });
    this.element = h("div", { className: "work" },
      this.editors.element,
      h("section", { className: "panel", aria: { label: texts.terminal.label } }, this.#tools(), this.terminal.element));
  }

  /** The bridge no longer has this board. */
  close(): void {
    this.connection.close();
    this.element.remove();
    this.side.element.remove();
  }

  /** Run a file that is on the board. */
  runFile(path: string): void {
    this.#events.onView("terminal");
    this.connection.type(`${CTRL_C}exec(open(${pythonLiteral(path)}).read())\r`);
    this.terminal.focus();
  }

  /** Run a piece of code, as if it were pasted. */
  runCode(code: string): void {
    this.#events.onView("terminal");
    this.terminal.paste(/\n/.test(code) ? code : `${code}\n`);
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
      button(texts.terminal.hardReset, () => this.#events.onHardReset(this)),
      key(texts.terminal.pasteMode, CTRL_E),
      button(texts.plot.open, () => void (this.#plot ? this.#closePlot() : this.openPlot())),
      button(texts.terminal.search, () => this.terminal.openSearch()),
      button(texts.terminal.clear, () => this.terminal.clear()),
    );
  }

  /** Draw the numbers that are printed from now on. */
  async openPlot(): Promise<void> {
    if (!this.#plot) {
      const { Plot } = await import("./plot");
      this.#plot ??= new Plot(() => this.#closePlot());
      this.element.prepend(this.#plot.element);
    }
    this.#events.onView("plot");
  }

  #closePlot(): void {
    this.#plot?.element.remove();
    this.#plot = undefined;
    this.#events.onView("terminal");
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
        else void this.terminal.accelerate(); // not earlier: the question for the password comes first
        this.#wasOpen = true;
        break;
      case "lost":
        this.terminal.disconnected();
        this.files.disconnected();
        if (this.#wasOpen) this.terminal.notice(texts.notice.lost(reason));
    }
    this.#events.onState(this);
  }
}
