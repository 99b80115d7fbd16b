/** The open files of a board: opening, saving without losing anything, running. */

import { askWhether, askWhich, explain, note } from "./ask";
import { button, h } from "./dom";
import type { TextEditor } from "./editor";
import type { Jobs } from "./jobs";
import type { Files } from "./records";
import { type Draft, settings } from "./settings";
import { texts } from "./texts";
import { crc32, isIn, nameOf, shown, size } from "./units";

const EDIT_BYTES_MAX = 1_000_000;

interface Open {
  path: string;
  editor: TextEditor;
  tab: HTMLElement;
  /** The file's CRC-32 on the board when it was opened or saved; 0 if there was none. */
  crc: number;
  savedText: string;
  /** Whether the unsaved text, if there is one, is in the browser's storage too. */
  isKept: boolean;
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
  readonly #jobs: Jobs;
  readonly #runner: Runner;
  readonly #onSaved: () => void;
  readonly #tabs = h("div", { className: "tabs" });
  readonly #place = h("div", { className: "text" });
  #open: Open[] = [];
  #shown: Open | undefined;

  constructor(board: string, files: Files, jobs: Jobs, runner: Runner, onSaved: () => void) {
    this.#board = board;
    this.#files = files;
    this.#jobs = jobs;
    this.#runner = runner;
    this.#onSaved = onSaved;
    this.element = h("section", { className: "panel editor", hidden: true, aria: { label: texts.editor.label } },
      h("div", { className: "tools", role: "toolbar", aria: { label: texts.editor.label } },
        this.#tabs,
        button(texts.editor.save, () => void this.#save()),
        button(texts.editor.run, () => void this.#run()),
        button(texts.editor.runSelection, () => this.#runSelection())),
      this.#place);
    addEventListener("beforeunload", (event) => this.#open.every((open) => open.isKept) || event.preventDefault());
  }

  /** Open a file, or show it if it is open, as it is on the board now unless it was edited. */
  async open(path: string): Promise<void> {
    const known = this.#open.find((each) => each.path === path);
    if (known) this.#show(known);
    try {
      if (known) await this.#look(known);
      else {
        const opened = await this.#read(path);
        if (opened) this.#show(opened);
      }
    } catch (error) {
      note(texts.files.failed(shown(path), explain(error)), true);
    }
  }

  /** Open what was edited and not saved when the page was left. */
  async restore(): Promise<void> {
    for (const path of settings.drafts(this.#board)) {
      try {
        const opened = this.#open.some((each) => each.path === path) ? undefined : await this.#read(path);
        if (opened) this.#show(opened, false);
      } catch (error) {
        note(texts.files.failed(shown(path), explain(error)), true);
      }
    }
  }

  /** A file or folder has another name on the board now. */
  moved(path: string, to: string): void {
    for (const open of this.#open) {
      if (!isIn(open.path, path)) continue;
      settings.setDraft(this.#board, open.path, undefined);
      open.path = to + open.path.slice(path.length);
      this.#changed(open);
    }
  }

  /** Read a file and put it into an editor, with what was not saved of it; undefined if it is nothing for an editor. */
  async #read(path: string): Promise<Open | undefined> {
    const draft = settings.draft(this.#board, path);
    const content = await this.#fetch(path);
    const text = content && textOf(content);
    if (content && text === undefined) note(texts.editor.notText(shown(path)), true);
    return text === undefined ? undefined : this.#add(path, text, crc32(content ?? new Uint8Array()), draft);
  }

  /** What is on the board; nothing of a file that is not there, and undefined if it is too large. */
  async #fetch(path: string): Promise<Uint8Array | undefined> {
    const there = await this.#files.stat(path);
    if (!there) return new Uint8Array();
    if (there.sizeBytes > EDIT_BYTES_MAX) {
      note(texts.editor.tooLarge(shown(path), size(there.sizeBytes)), true);
      return undefined;
    }
    const what = texts.files.fetching(shown(path), 1, 1);
    return this.#jobs.run(what, (job) => {
      job.expect(there.sizeBytes);
      return this.#files.get(path, job.watch(what, there.sizeBytes));
    });
  }

  async #add(path: string, text: string, crc: number, kept: Draft | undefined): Promise<Open> {
    const draft = kept?.text === text ? undefined : kept;
    const { TextEditor } = await import("./editor");
    const known = this.#open.find((each) => each.path === path);
    if (known) return known; // opened twice, before it was there
    const keys = { save: () => void this.#save(), run: () => void this.#run(), runSelection: () => this.#runSelection() };
    const editor = new TextEditor(nameOf(path), draft?.text ?? text, keys, () => this.#changed(open));
    // The text is of the file as it was: if that has changed since, saving says so.
    const open: Open = { path, editor, crc: draft?.crc ?? crc, savedText: text, tab: h("div", { className: "tab" }), isKept: true };
    open.tab.append(
      h("button", { type: "button", onclick: () => this.#show(open) }),
      h("button", { type: "button", className: "close", onclick: () => void this.#close(open) }, "✕"));
    this.#open.push(open);
    this.#tabs.append(open.tab);
    this.#place.append(editor.view.dom);
    if (draft) note(texts.editor.restored(shown(path)));
    this.#changed(open);
    return open;
  }

  #show(open: Open, focus = true): void {
    this.element.hidden = false;
    this.#shown = open;
    for (const each of this.#open) {
      each.editor.view.dom.hidden = each !== open;
      each.tab.classList.toggle("shown", each === open);
    }
    if (focus) open.editor.view.focus();
  }

  /** Unsaved text is kept in the browser too, so that no lost connection or closed tab loses it. */
  #changed(open: Open): void {
    const { path, crc } = open;
    const { text } = open.editor;
    const unsaved = text !== open.savedText;
    const name = shown(nameOf(path));
    const [label, close] = open.tab.querySelectorAll("button");
    if (label) label.textContent = name;
    if (label) label.title = shown(path);
    label?.setAttribute("aria-label", unsaved ? texts.editor.unsaved(name) : name);
    close?.setAttribute("aria-label", texts.editor.close(name));
    open.tab.classList.toggle("unsaved", unsaved);
    open.isKept = settings.setDraft(this.#board, path, unsaved ? { text, crc } : undefined);
  }

  /** See whether an open file has changed on the board; one that was not edited is shown as it is there now. */
  async #look(open: Open): Promise<void> {
    const there = await this.#files.stat(open.path, { hashed: true });
    if ((there?.crc ?? 0) === open.crc) return;
    if (there && open.editor.text === open.savedText) await this.#load(open);
    else note(there ? texts.editor.changedTitle(shown(open.path)) : texts.editor.goneTitle(shown(open.path)), true);
  }

  /** Take what is on the board; what was there before comes back by undoing. */
  async #load(open: Open): Promise<void> {
    const content = await this.#fetch(open.path);
    const text = content && textOf(content);
    if (content && text === undefined) note(texts.editor.notText(shown(open.path)), true);
    if (!content || text === undefined) return;
    open.crc = crc32(content);
    open.savedText = text;
    open.editor.text = text;
    this.#changed(open);
  }

  /** Save the shown file; true if the board has it now. */
  async #save(open = this.#shown): Promise<boolean> {
    if (!open) return false;
    try {
      const what = texts.editor.saving(shown(open.path));
      const there = await this.#jobs.wait(what, () => this.#files.stat(open.path, { hashed: true }));
      if ((there?.crc ?? 0) !== open.crc && !(await this.#mayReplace(open, there !== null))) return false;
      const { text } = open.editor;
      const content = new TextEncoder().encode(text);
      await this.#jobs.run(what, (job) => {
        job.expect(content.length);
        return this.#files.put(open.path, new Blob([content]), job.watch(what, content.length));
      });
      open.crc = crc32(content);
      open.savedText = text;
    } catch (error) {
      note(texts.files.failed(shown(open.path), explain(error)), true);
      return false;
    }
    this.#changed(open);
    note(texts.editor.saved(shown(open.path)));
    this.#onSaved();
    return true;
  }

  /** Ask about a file that is not as it was when it was opened. */
  async #mayReplace(open: Open, isThere: boolean): Promise<boolean> {
    const { changedTitle, changed, goneTitle, gone, load, saveAnyway } = texts.editor;
    const path = shown(open.path);
    const answer = isThere
      ? await askWhich(changedTitle(path), [changed], { load, save: saveAnyway })
      : await askWhich(goneTitle(path), [gone], { save: saveAnyway });
    if (answer === "load") await this.#load(open);
    return answer === "save";
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
    const name = shown(nameOf(open.path));
    if (unsaved && !(await askWhether(texts.editor.discardTitle(name), texts.editor.discard, texts.editor.discardYes))) return;
    settings.setDraft(this.#board, open.path, undefined);
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
