/** The tree of a board's files, and what can be done with them. */

import { askText, askWhether, explain, note } from "./ask";
import { button, h } from "./dom";
import { type Entry, type Files, RefusedError } from "./records";
import { texts } from "./texts";
import { type Chosen, download, dropped, ProgressBar, upload } from "./transfers";
import { folderOf, join, size } from "./units";

const NOT_POSSIBLE = 38;

export class FilePanel {
  readonly element: HTMLElement;

  readonly #files: Files;
  readonly #onOpen: (path: string) => void;
  readonly #tree = h("ul", { className: "tree" });
  readonly #space = h("p", { className: "space" });
  /** Files are not read unasked: on a board without the shim that interrupts its program. */
  readonly #first = h("div", { className: "first" },
    button(texts.files.show, () => void this.refresh(), "primary"), h("p", { className: "space" }, texts.files.showHint));
  readonly #bar = new ProgressBar();
  readonly #chooser = h("input", { type: "file", multiple: true, hidden: true });
  #wasRead = false;
  readonly #open = new Set<string>();
  readonly #known = new Map<string, Entry[]>();

  constructor(files: Files, onOpen: (path: string) => void) {
    this.#files = files;
    this.#onOpen = onOpen;
    this.#chooser.onchange = () => {
      void this.#upload("/", [...(this.#chooser.files ?? [])].map((file) => ({ path: file.name, file })));
      this.#chooser.value = "";
    };
    this.element = h("section", { className: "files", aria: { label: texts.files.label } },
      h("div", { className: "head" },
        h("h2", {}, texts.files.label),
        button(texts.files.newFile, () => void this.#make(false), "small"),
        button(texts.files.newFolder, () => void this.#make(true), "small"),
        button(texts.files.upload, () => this.#chooser.click(), "small"),
        button(texts.files.refresh, () => void this.refresh(), "small")),
      this.#first, this.#tree, this.#bar.element, this.#space, this.#chooser);
    this.element.addEventListener("dragover", (event) => {
      event.preventDefault();
      const row = (event.target as HTMLElement).closest<HTMLElement>("[data-folder]");
      for (const marked of this.element.querySelectorAll(".target")) marked.classList.remove("target");
      (row ?? this.#tree).classList.add("target");
    });
    this.element.addEventListener("dragleave", () => this.#unmark());
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#unmark();
      const folder = (event.target as HTMLElement).closest<HTMLElement>("[data-folder]")?.dataset["folder"] ?? "/";
      if (event.dataTransfer) void dropped(event.dataTransfer).then((chosen) => this.#upload(folder, chosen));
    });
  }

  /** Read the files, if that has not been done. */
  readOnce(): void {
    if (!this.#wasRead) void this.refresh();
  }

  /** Read the open folders anew, and how much space there is. */
  async refresh(): Promise<void> {
    this.#wasRead = true;
    try {
      for (const folder of ["/", ...this.#open]) {
        try {
          this.#known.set(folder, sorted(await this.#files.list(folder)));
        } catch (error) {
          if (folder === "/" || !(error instanceof RefusedError)) throw error;
          this.#open.delete(folder); // it has gone
        }
      }
      this.#first.hidden = true;
      this.#draw();
      const { freeBytes, allBytes } = await this.#files.space();
      this.#space.textContent = texts.files.free(size(freeBytes), size(allBytes));
    } catch (error) {
      if (error instanceof RefusedError && error.code === NOT_POSSIBLE)
        this.#first.replaceChildren(h("p", { className: "space" }, texts.files.cannot));
      else note(texts.files.failed(texts.files.label, explain(error)), true);
    }
  }

  async #toggle(path: string): Promise<void> {
    if (this.#open.delete(path)) this.#draw();
    else {
      this.#open.add(path);
      await this.refresh();
    }
  }

  async #make(folder: boolean): Promise<void> {
    const path = await askText(folder ? texts.files.newFolder[0] : texts.files.newFile[0], texts.files.askPath, "/");
    if (path === undefined || path === "/") return;
    await this.#try(path, async () => {
      if (folderOf(path) !== "/") await this.#files.makeDirectory(folderOf(path));
      if (folder) await this.#files.makeDirectory(path);
      else if (await this.#files.stat(path)) throw new RefusedError(17);
      else await this.#files.put(path, new Uint8Array());
    });
    if (!folder) this.#onOpen(path);
  }

  async #rename(path: string): Promise<void> {
    const to = await askText(texts.files.rename[0], texts.files.askPath, path);
    if (to === undefined || to === path) return;
    await this.#try(path, async () => {
      const there = await this.#files.stat(to);
      if (there && !(await askWhether(texts.files.replaceTitle(to), texts.files.replace, texts.files.ok))) return;
      if (folderOf(to) !== "/") await this.#files.makeDirectory(folderOf(to));
      await this.#files.rename(path, to);
    });
  }

  async #remove(path: string, isDirectory: boolean): Promise<void> {
    const text = isDirectory ? texts.files.removeFolder : texts.files.removeFile;
    if (await askWhether(texts.files.removeTitle(path), text, texts.files.remove[0]))
      await this.#try(path, () => this.#files.remove(path));
  }

  async #upload(folder: string, chosen: Chosen[]): Promise<void> {
    if (folder !== "/") this.#open.add(folder);
    await this.#try(folder, () => upload(this.#files, folder, chosen, this.#bar));
  }

  /** Do something with files, say it if it fails, and show how things are then. */
  async #try(what: string, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      note(texts.files.failed(what, explain(error)), true);
    }
    this.#bar.end();
    await this.refresh();
  }

  #unmark(): void {
    for (const marked of this.element.querySelectorAll(".target")) marked.classList.remove("target");
  }

  #draw(): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset["path"];
    this.#tree.replaceChildren(...this.#rows("/"));
    if (focused) this.#tree.querySelector<HTMLElement>(`[data-path="${CSS.escape(focused)}"]`)?.focus();
  }

  #rows(folder: string): HTMLElement[] {
    const entries = this.#known.get(folder);
    if (!entries) return [h("li", { className: "quiet" }, texts.files.reading)];
    if (!entries.length) return [h("li", { className: "quiet" }, texts.files.empty)];
    return entries.map((entry) => this.#row(join(folder, entry.name), entry));
  }

  #row(path: string, { name, isDirectory, sizeBytes }: Entry): HTMLElement {
    const isOpen = this.#open.has(path);
    const menu = h("div", { className: "menu", popover: "auto" },
      button(texts.files.download, () => this.#choose(menu, () => this.#try(path, () => download(this.#files, path, name, isDirectory, this.#bar)))),
      button(texts.files.rename, () => this.#choose(menu, () => this.#rename(path))),
      button(texts.files.remove, () => this.#choose(menu, () => this.#remove(path, isDirectory))));
    const more = h("button", { type: "button", className: "more", aria: { label: texts.files.actions(name) } }, "⋯");
    more.onclick = () => {
      menu.togglePopover();
      const { right, bottom } = more.getBoundingClientRect();
      menu.style.left = `${Math.max(0, right - menu.offsetWidth)}px`;
      menu.style.top = `${Math.min(bottom, innerHeight - menu.offsetHeight)}px`;
      menu.querySelector("button")?.focus();
    };
    const item = h("button", {
      type: "button",
      className: isDirectory ? "item folder" : "item",
      data: { path },
      aria: isDirectory ? { expanded: String(isOpen) } : {},
      onclick: () => (isDirectory ? void this.#toggle(path) : this.#onOpen(path)),
    }, h("span", { className: "name" }, name), h("small", {}, isDirectory ? "" : size(sizeBytes)));
    const row = h("li", isDirectory ? { data: { folder: path } } : { data: { folder: folderOf(path) } },
      h("div", { className: "row" }, item, more, menu));
    if (isDirectory && isOpen) row.append(h("ul", {}, ...this.#rows(path)));
    return row;
  }

  #choose(menu: HTMLElement, action: () => Promise<void>): void {
    menu.hidePopover();
    void action();
  }
}

function sorted(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => Number(b.isDirectory) - Number(a.isDirectory) || a.name.localeCompare(b.name));
}

