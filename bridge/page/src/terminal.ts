/** One board's terminal: xterm.js, with copy, paste and search as people expect them. */

import { FitAddon } from "@xterm/addon-fit";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { type ITheme, Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { button, h } from "./dom";
import { Output } from "./output";
import { asTyped, BlockPaste } from "./paste";
import { SearchBar } from "./search";
import { isDark, settings, watchTheme } from "./settings";
import { texts } from "./texts";

const SCROLLBACK_LINES = 20_000;
const TOAST_MS = 3000;
const PROMPT = ">>> ";
const PASTE_PROMPT = "=== ";

const light: ITheme = {
  background: "#ffffff", foreground: "#1c2530", cursor: "#0b6e69", cursorAccent: "#ffffff",
  selectionBackground: "#b9dedb", black: "#1c2530", red: "#b42318", green: "#18794e", yellow: "#8a5a00",
  blue: "#175cd3", magenta: "#9b2c9b", cyan: "#0b6e69", white: "#5c6773", brightBlack: "#5c6773",
  brightRed: "#b42318", brightGreen: "#18794e", brightYellow: "#8a5a00", brightBlue: "#175cd3",
  brightMagenta: "#9b2c9b", brightCyan: "#0b6e69", brightWhite: "#1c2530",
};
const dark: ITheme = {
  background: "#12161b", foreground: "#dde4ea", cursor: "#5fd0c5", cursorAccent: "#12161b",
  selectionBackground: "#2f5d5a", black: "#12161b", red: "#ff8579", green: "#6fd08c", yellow: "#e5c07b",
  blue: "#7eb6ff", magenta: "#e29bef", cyan: "#5fd0c5", white: "#dde4ea", brightBlack: "#8a97a5",
  brightRed: "#ffa198", brightGreen: "#8ee6a8", brightYellow: "#f2d59b", brightBlue: "#a5ccff",
  brightMagenta: "#efbdf8", brightCyan: "#8ae6dc", brightWhite: "#ffffff",
};

export class BoardTerminal {
  readonly element: HTMLElement;
  /** Takes the keys F6 and F1, which are the page's. */
  onPageKey: (event: KeyboardEvent) => void = () => {};

  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #search: SearchBar;
  readonly #output: Output;
  readonly #type: (text: string) => void;
  readonly #inTurn: (action: () => Promise<void>) => Promise<void>;
  readonly #screen = h("div", { className: "screen" });
  readonly #pasteBar: HTMLElement;
  readonly #pasteText = h("span");
  readonly #pasteProgress = h("progress", { aria: { label: texts.paste.stop } });
  readonly #toast = h("div", { className: "toast", role: "status" });
  #paste: BlockPaste | undefined;

  /** `inTurn` keeps a paste and the board's files apart: a board that is in paste mode can do nothing else. */
  constructor(type: (text: string) => void, inTurn: (action: () => Promise<void>) => Promise<void>) {
    this.#type = type;
    this.#inTurn = inTurn;
    this.#terminal = new Terminal({
      allowProposedApi: true,
      // The cursor does not blink: Chromium would make frames all the time, and after a key it takes no message from the
      // network before the frame under way is done.
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
      fontSize: 14,
      lineHeight: 1.15,
      // A hostile board may print links; nothing here opens one.
      linkHandler: { activate: () => {} },
      minimumContrastRatio: 4.5,
      screenReaderMode: settings.screenReader,
      scrollback: SCROLLBACK_LINES,
      scrollOnUserInput: true,
    });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.unicode.activeVersion = "11";
    this.#terminal.onData((text) => this.#typed(text));
    this.#terminal.attachCustomKeyEventHandler((event) => this.#ownKey(event));

    this.#output = new Output((text, onDrawn) => this.#terminal.write(text, onDrawn));
    this.#search = new SearchBar(this.#terminal);
    this.#pasteBar = h("div", { className: "bar paste", hidden: true },
      this.#pasteText,
      this.#pasteProgress,
      button([texts.paste.stop, texts.paste.stop], () => this.#paste?.stop()),
    );
    this.element = h("div", { className: "console" }, this.#search.element, this.#screen, this.#pasteBar, this.#toast);
    this.#screen.addEventListener("paste", (event) => this.#pasted(event), { capture: true });
    new ResizeObserver(() => this.#resize()).observe(this.#screen);
    watchTheme(() => (this.#terminal.options.theme = isDark() ? dark : light));
  }

  /** Begin to draw; the element must be in the document. */
  open(): void {
    this.#terminal.open(this.#screen);
    this.#resize();
  }

  /** Have the graphics card draw, if there is one. */
  async accelerate(): Promise<void> {
    if (!hasGraphicsCard()) return;
    const { WebglAddon } = await import("@xterm/addon-webgl");
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => webgl.dispose()); // xterm.js goes on with the page's own elements
    this.#terminal.loadAddon(webgl);
  }

  /** Show what the board has printed. */
  write(text: string): void {
    this.#output.write(text);
    this.#paste?.receive(text);
  }

  /** Say something that did not come from the board, on a line of its own. */
  notice(line: string): void {
    const fresh = this.#terminal.buffer.active.cursorX === 0 ? "" : "\r\n";
    this.#terminal.write(`${fresh}\x1b[2;3m[${line.replace(/[\x00-\x1f\x7f-\x9f]/g, " ")}]\x1b[0m\r\n`);
  }

  /** The connection has gone, and a paste under way with it. */
  disconnected(): void {
    this.#paste?.abandon();
  }

  /** Paste as if by keyboard: a block at an empty prompt, plain typing anywhere else. */
  paste(text: string): void {
    if (this.#paste || !text) return;
    const isBlock = /[\r\n]/.test(text.replace(/[\r\n]+$/, ""));
    const prompt = this.#lineToCursor();
    const entered = prompt === PASTE_PROMPT;
    if (!isBlock || (prompt !== PROMPT && !entered)) {
      this.#type(asTyped(text));
      return;
    }
    this.#pasteBar.hidden = false;
    const paste = new BlockPaste(text, entered, this.#type, {
      onProgress: (done, all) => this.#showPaste(done, all),
      onEnd: (done, all, stopped) => {
        this.#paste = undefined;
        this.#pasteBar.hidden = true;
        if (stopped) this.notice(texts.notice.pasteStopped(done, all));
        this.focus();
      },
    });
    this.#paste = paste;
    this.#showPaste(0, paste.lines);
    void (entered ? paste.run() : this.#inTurn(() => paste.run()));
  }

  focus(): void {
    this.#terminal.focus();
  }

  clear(): void {
    this.#terminal.clear();
    this.focus();
  }

  setScreenReader(on: boolean): void {
    this.#terminal.options.screenReaderMode = on;
  }

  openSearch(): void {
    void this.#search.open();
  }

  #typed(text: string): void {
    if (this.#paste) {
      if (text === "\x03") this.#paste.stop(); // other keys would end up inside the block
      return;
    }
    this.#type(text);
  }

  /** Whether xterm.js may have the key; the clipboard, the search and the page come first. */
  #ownKey(event: KeyboardEvent): boolean {
    if (event.key === "F6" || event.key === "F1") {
      if (event.type === "keydown") this.onPageKey(event);
      return false;
    }
    const command = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (!command) return true;
    const key = event.key.toLowerCase();
    if (key === "v") return false; // the browser's paste event follows
    if (key === "c" && (event.shiftKey || event.metaKey || this.#terminal.hasSelection())) {
      if (event.type === "keydown") void this.#copy();
      event.preventDefault(); // Ctrl+Shift+C opens the browser's tools otherwise
      return false;
    }
    if (key === "f" && event.shiftKey) {
      if (event.type === "keydown") this.openSearch();
      event.preventDefault();
      return false;
    }
    return true;
  }

  async #copy(): Promise<void> {
    const selected = this.#terminal.getSelection();
    if (!selected) return;
    if (navigator.clipboard) await navigator.clipboard.writeText(selected);
    else document.execCommand("copy"); // over plain http, from another computer; xterm.js fills the event
    this.#terminal.clearSelection();
    this.#say(texts.terminal.copied);
  }

  #pasted(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    this.paste(event.clipboardData?.getData("text/plain") ?? "");
  }

  #say(text: string): void {
    this.#toast.textContent = text;
    setTimeout(() => (this.#toast.textContent = ""), TOAST_MS);
  }

  #showPaste(done: number, lines: number): void {
    this.#pasteText.textContent = texts.paste.progress(done, lines);
    this.#pasteProgress.max = lines;
    this.#pasteProgress.value = done;
  }

  #lineToCursor(): string | undefined {
    const buffer = this.#terminal.buffer.active;
    return buffer.getLine(buffer.baseY + buffer.cursorY)?.translateToString(false, 0, buffer.cursorX);
  }

  #resize(): void {
    if (this.#screen.clientWidth > 0) this.#fit.fit();
  }
}

/** Whether WebGL would be drawn by a graphics card; without one the page's own elements are twice as fast. */
function hasGraphicsCard(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const renderer = gl ? String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) : "software";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|software|basic render/i.test(renderer);
}
