/** The tree of a board's files: what is shown of it, by mouse and by keyboard. */

import { h } from "./dom";
import type { Entry } from "./records";
import { texts } from "./texts";
import { dropped, type Chosen } from "./transfers";
import { folderOf, isIn, join, shown, size } from "./units";

/** What can be done with a file or a folder. */
export interface Does {
  open(path: string): void;
  toggle(path: string): void;
  rename(path: string): void;
  remove(path: string, isDirectory: boolean): void;
  move(path: string, folder: string): void;
  upload(folder: string, chosen: Promise<Chosen[]>): void;
  /** The texts and actions of its menu. */
  menu(path: string, entry: Entry): (readonly [readonly [string, string], () => void])[];
}

export class Tree {
  readonly element = h("ul", { className: "tree" });

  readonly #does: Does;
  #dragged: string | undefined;
  #drawLater: (() => void) | undefined;

  /** `area`: where something may be dropped; beside the folders in it that means the root. */
  constructor(area: HTMLElement, does: Does) {
    this.#does = does;
    area.addEventListener("dragover", (event) => this.#dragOver(event));
    area.addEventListener("dragleave", () => this.#mark(undefined));
    area.addEventListener("drop", (event) => this.#drop(event));
    this.element.addEventListener("dragstart", (event) => {
      this.#dragged = pathOf(event.target);
      event.dataTransfer?.setData("text/plain", this.#dragged ?? "");
      if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
    });
    this.element.addEventListener("dragend", () => {
      this.#dragged = undefined;
      this.#mark(undefined);
      this.#drawNow();
    });
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Show what is known of the folders; those in `open` unfolded. */
  draw(known: Map<string, Entry[]>, open: Set<string>): void {
    if (this.#dragged !== undefined || this.element.querySelector(".menu")) {
      this.#drawLater = () => this.draw(known, open); // what someone has in hand must not vanish
      return;
    }
    const focused = document.activeElement && this.element.contains(document.activeElement) ? pathOf(document.activeElement) : undefined;
    const rows = (folder: string): HTMLElement[] => {
      const entries = known.get(folder);
      if (!entries) return [h("li", { className: "quiet" }, texts.files.reading)];
      if (!entries.length) return [h("li", { className: "quiet" }, texts.files.empty)];
      return entries.map((entry) => {
        const path = join(folder, entry.name);
        const row = this.#row(path, entry, open.has(path));
        if (open.has(path)) row.append(h("ul", {}, ...rows(path)));
        return row;
      });
    };
    this.element.replaceChildren(...rows("/"));
    if (focused) this.element.querySelector<HTMLElement>(`.item[data-path="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(path: string, entry: Entry, isOpen: boolean): HTMLElement {
    const { name, isDirectory, sizeBytes } = entry;
    const more = h("button", { type: "button", className: "more", aria: { label: texts.files.actions(shown(name)) } }, "⋯");
    more.onclick = () => openMenu(more, this.#does.menu(path, entry), () => this.#drawNow());
    const item = h("button", {
      type: "button",
      className: isDirectory ? "item folder" : "item",
      data: { path },
      aria: isDirectory ? { expanded: String(isOpen) } : {},
      onclick: () => (isDirectory ? this.#does.toggle(path) : this.#does.open(path)),
    }, h("span", { className: "name" }, shown(name)), h("small", {}, isDirectory ? "" : size(sizeBytes)));
    return h("li", { data: { folder: isDirectory ? path : folderOf(path) } },
      h("div", { className: "row", draggable: true, data: { path } }, item, more));
  }

  #drawNow(): void {
    const draw = this.#drawLater;
    this.#drawLater = undefined;
    draw?.();
  }

  #key(event: KeyboardEvent): void {
    const item = (event.target as HTMLElement).closest<HTMLElement>(".item");
    const path = pathOf(item);
    if (!item || path === undefined) return;
    const items = [...this.element.querySelectorAll<HTMLElement>(".item")];
    const isOpen = item.getAttribute("aria-expanded"); // null of a file
    switch (event.key) {
      case "F2": this.#does.rename(path); break;
      case "Delete": this.#does.remove(path, isOpen !== null); break;
      case "ArrowDown": items[items.indexOf(item) + 1]?.focus(); break;
      case "ArrowUp": items[items.indexOf(item) - 1]?.focus(); break;
      case "ArrowRight": if (isOpen === "false") this.#does.toggle(path); break;
      case "ArrowLeft": if (isOpen === "true") this.#does.toggle(path); break;
      default: return;
    }
    event.preventDefault();
  }

  /** Whether what is dragged could be dropped into `folder`; files from the desktop can be, anywhere. */
  #takes(folder: string): boolean {
    return this.#dragged === undefined || (folder !== folderOf(this.#dragged) && !isIn(folder, this.#dragged));
  }

  #dragOver(event: DragEvent): void {
    const folder = folderAt(event);
    if (!this.#takes(folder)) {
      this.#mark(undefined);
      return;
    }
    event.preventDefault();
    this.#mark(folder);
  }

  #drop(event: DragEvent): void {
    event.preventDefault();
    this.#mark(undefined);
    const folder = folderAt(event);
    if (this.#dragged !== undefined) {
      if (this.#takes(folder)) this.#does.move(this.#dragged, folder);
    } else if (event.dataTransfer) {
      this.#does.upload(folder, dropped(event.dataTransfer));
    }
  }

  #mark(folder: string | undefined): void {
    const target = folder === "/" ? this.element : this.element.querySelector(`li[data-folder="${CSS.escape(folder ?? "")}"]:has(> .row > .folder)`);
    for (const marked of [this.element, ...this.element.querySelectorAll(".target")]) if (marked !== target) marked.classList.remove("target");
    target?.classList.add("target");
  }
}

function folderAt(event: DragEvent): string {
  return (event.target as HTMLElement).closest<HTMLElement>("[data-folder]")?.dataset["folder"] ?? "/";
}

function pathOf(target: EventTarget | null): string | undefined {
  return (target as HTMLElement | null)?.closest<HTMLElement>(".row")?.dataset["path"];
}

/** Show a menu at a button, until something is chosen from it or something else is done. */
function openMenu(at: HTMLElement, items: ReturnType<Does["menu"]>, onClosed: () => void): void {
  const menu = h("div", { className: "menu", popover: "auto" });
  for (const [[label, title], action] of items) {
    menu.append(h("button", { type: "button", title, onclick: () => {
      menu.hidePopover();
      action();
    } }, label));
  }
  menu.addEventListener("toggle", (event) => {
    if ((event as ToggleEvent).newState !== "closed") return;
    menu.remove();
    onClosed();
  });
  at.after(menu);
  menu.showPopover();
  const { right, bottom } = at.getBoundingClientRect();
  menu.style.left = `${Math.max(0, right - menu.offsetWidth)}px`;
  menu.style.top = `${Math.max(0, Math.min(bottom, innerHeight - menu.offsetHeight))}px`;
  menu.querySelector("button")?.focus();
}
