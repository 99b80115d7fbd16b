/** The open files of a board: opening, saving without losing anything, running. */

import { askWhether, explain, note } from "./ask";
import { button, h } from "./dom";
import type { TextEditor } from "./editor";
import { LostError, RefusedError, type Files } from "./records";
import { settings } from "./settings";
import { texts } from "./texts";
import { nameOf, size } from "./units";

const EDIT_BYTES_MAX = 1_000_000;

interface Open {
  path: string;
  editor: TextEditor;
  tab: HTMLElement;
  /** The file's CRC-32 on the board when it was opened or saved; 0 if there was none. */
  crc: number;
  savedText: string;
}

/** What running needs of the board. */
export interface Runner {
  /** Run a file that is on the board. */
  runFile(path: string): void;
  /** Run a piece of code. */
  runCode(code: string): void;
}

export class Editors {
  readonly element: HTMLElement;

  readonly #board: string;
  readonly #files: Files;
  readonly #runner: Runner;
  readonly #onSaved: () => void;
  readonly #tabs = h("div", { className: "tabs" });
  readonly #place = h("div", { className: "text" });
  #open: Open[] = [];
  #shown: Open | undefined;

  constructor(board: string, files: Files, runner: Runner, onSaved: () => void) {
    this.#board = board;
    this.#files = files;
    this.#runner = runner;
    this.#onSaved = onSaved;
    this.element = h("section", { className: "panel editor", hidden: true, aria: { label: texts.editor.label } },
      h("div", { className: "tools", role: "toolbar", aria: { label: texts.editor.label } },
        this.#tabs,
        button(texts.editor.save, () => void this.#save()),
        button(texts.editor.run, () => void this.#run()),
        button(texts.editor.runSelection, () => this.#runSelection())),
      this.#place);
  }

  /** Open a file, or show it if it is open. */
  async open(path: string): Promise<void> {
    const known = this.#open.find((each) => each.path === path);
    if (known) {
      this.#show(known);
      return;
    }
    try {
      const there = await this.#files.stat(path);
      if (there && there.sizeBytes > EDIT_BYTES_MAX) {
        note(texts.editor.tooLarge(path, size(there.sizeBytes)), true);
        return;
      }
      const text = textOf(there ? await this.#files.get(path) : new Uint8Array());
      if (text === undefined) note(texts.editor.notText(path), true);
      else await this.#add(path, text, there?.crc ?? 0);
    } catch (error) {
      note(texts.files.failed(path, explain(error)), true);
    }
  }

  async #add(path: string, text: string, crc: number): Promise<void> {
    const { TextEditor } = await import("./editor");
    const draft = settings.draft(this.#draftKey(path));
    const keys = { save: () => void this.#save(), run: () => void this.#run(), runSelection: () => this.#runSelection() };
    const editor = new TextEditor(nameOf(path), draft ?? text, keys, () => this.#changed(open));
    const open: Open = { path, editor, crc, savedText: text, tab: h("div", { className: "tab" }) };
    open.tab.append(
      h("button", { type: "button", title: path, onclick: () => this.#show(open) }, nameOf(path)),
      h("button", { type: "button", className: "close", aria: { label: texts.editor.close(nameOf(path)) }, onclick: () => void this.#close(open) }, "✕"));
    this.#open.push(open);
    this.#tabs.append(open.tab);
    this.#place.append(editor.view.dom);
    if (draft !== null && draft !== text) note(texts.editor.restored);
    this.#changed(open);
    this.#show(open);
  }

  #show(open: Open): void {
    this.element.hidden = false;
    this.#shown = open;
    for (const each of this.#open) {
      each.editor.view.dom.hidden = each !== open;
      each.tab.classList.toggle("shown", each === open);
    }
    open.editor.view.focus();
  }

  /** Unsaved text is kept in the browser too, so that no lost connection or closed tab loses it. */
  #changed(open: Open): void {
    const unsaved = open.editor.text !== open.savedText;
    open.tab.classList.toggle("unsaved", unsaved);
    open.tab.firstElementChild?.setAttribute("aria-label", unsaved ? texts.editor.unsaved(nameOf(open.path)) : nameOf(open.path));
    settings.setDraft(this.#draftKey(open.path), unsaved ? open.editor.text : null);
  }

  /** Save the shown file; true if the board has it now. */
  async #save(open = this.#shown): Promise<boolean> {
    if (!open) return false;
    const { text } = open.editor;
    try {
      const there = await this.#files.stat(open.path);
      const changed = (there?.crc ?? 0) !== open.crc;
      if (changed && !(await askWhether(texts.editor.changedTitle(open.path), texts.editor.changed, texts.editor.saveAnyway)))
        return false;
      await this.#files.put(open.path, new TextEncoder().encode(text));
      open.crc = (await this.#files.stat(open.path))?.crc ?? 0;
    } catch (error) {
      if (!(error instanceof RefusedError || error instanceof LostError)) throw error;
      note(texts.files.failed(open.path, explain(error)), true);
      return false;
    }
    open.savedText = text;
    this.#changed(open);
    note(texts.editor.saved(open.path));
    this.#onSaved();
    return true;
  }

  async #run(): Promise<void> {
    const open = this.#shown;
    if (!open) return;
    if (open.editor.text === open.savedText || (await this.#save(open))) this.#runner.runFile(open.path);
  }

  #runSelection(): void {
    if (this.#shown) this.#runner.runCode(dedented(this.#shown.editor.selectedLines));
  }

  async #close(open: Open): Promise<void> {
    const unsaved = open.editor.text !== open.savedText;
    if (unsaved && !(await askWhether(texts.editor.discardTitle(open.path), texts.editor.discard, texts.files.ok))) return;
    settings.setDraft(this.#draftKey(open.path), null);
    open.editor.view.destroy();
    open.tab.remove();
    this.#open = this.#open.filter((each) => each !== open);
    const next = this.#open.at(-1);
    if (next) this.#show(next);
    else {
      this.#shown = undefined;
      this.element.hidden = true;
    }
  }

  #draftKey(path: string): string {
    return `${this.#board} ${path}`;
  }
}

/** The text in a file, or nothing if it is none. */
function textOf(content: Uint8Array): string | undefined {
  if (content.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

function dedented(code: string): string {
  const lines = code.split("\n");
  const indents = lines.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length);
  const least = Math.min(...indents, Infinity);
  return lines.map((line) => line.slice(Number.isFinite(least) ? least : 0)).join("\n");
}
