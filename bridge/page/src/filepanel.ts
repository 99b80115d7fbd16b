/** A board's files, and what can be done with them. */

import { askText, askWhether, askWhich, explain, note } from "./ask";
import { button, h } from "./dom";
import { type Job, Jobs } from "./jobs";
import { type Entry, type Files, RefusedError, StoppedError } from "./records";
import { texts } from "./texts";
import { type Chosen, download, downloadFolder, replaced, upload } from "./transfers";
import { Tree } from "./tree";
import { absolute, folderOf, isIn, join, meant, nameOf, shown, size } from "./units";

const EXISTS = 17;
const NOT_POSSIBLE = 38;

/** What happens to files that others want to know. */
export interface FileEvents {
  /** A file is to be edited. */
  onOpen(path: string): void;
  /** A file or a folder has another name now. */
  onMoved(path: string, to: string): void;
  /** The files have been read for the first time. */
  onFirstRead(): void;
}

export class FilePanel {
  readonly element: HTMLElement;

  readonly #board: string;
  readonly #files: Files;
  readonly #jobs: Jobs;
  readonly #events: FileEvents;
  readonly #tree: Tree;
  readonly #space = h("p", { className: "space" });
  /** Files are not read unasked: on a board without the shim that interrupts its program. */
  readonly #first = h("div", { className: "first" },
    button(texts.files.show, () => void this.refresh(), "primary"), h("p", { className: "space" }, texts.files.showHint));
  #chooser = h("input", { type: "file", hidden: true });
  #wasAsked = false;
  #wasRead = false;
  readonly #open = new Set<string>();
  readonly #known = new Map<string, Entry[]>();

  constructor(board: string, files: Files, jobs: Jobs, events: FileEvents) {
    this.#board = board;
    this.#files = files;
    this.#jobs = jobs;
    this.#events = events;
    this.element = h("section", { className: "files", aria: { label: texts.files.label } });
    this.#tree = new Tree(this.element, {
      open: (path) => this.#events.onOpen(path),
      toggle: (path) => void this.#toggle(path),
      rename: (path) => void this.#rename(path),
      remove: (path, isDirectory) => void this.#remove(path, isDirectory),
      move: (path, folder) => void this.#move(path, join(folder, nameOf(path))),
      upload: (folder, chosen) => void this.#upload(folder, chosen),
      menu: (path, entry) => this.#menu(path, entry),
    });
    const tools = [
      [texts.files.newFile, () => void this.#make("/", false)],
      [texts.files.newFolder, () => void this.#make("/", true)],
      [texts.files.upload, () => this.#choose("/", false)],
      [texts.files.uploadFolder, () => this.#choose("/", true)],
      [texts.files.downloadAll, () => void this.#download("/", true)],
      [texts.files.refresh, () => void this.refresh()],
    ] as const;
    this.element.append(
      h("div", { className: "head" }, h("h2", {}, texts.files.label), ...tools.map(([text, action]) => button(text, action, "small"))),
      this.#first, this.#tree.element, jobs.element, this.#space, this.#chooser);
  }

  /** Read the files, if that has not been done. */
  readOnce(): void {
    if (this.#wasAsked) return;
    this.#files.version().catch(() => {}); // when the connection is lost
    void this.refresh();
  }

  /** Read the open folders anew, and how much space there is. */
  async refresh(): Promise<void> {
    this.#wasAsked = true;
    try {
      await this.#jobs.wait(texts.files.reading, () => this.#read());
    } catch (error) {
      if (error instanceof RefusedError && error.code === NOT_POSSIBLE)
        this.#first.replaceChildren(h("p", { className: "space" }, texts.files.cannot));
      else note(texts.files.failed(texts.files.label, explain(error)), true);
    }
  }

  async #read(): Promise<void> {
    for (const folder of ["/", ...this.#open]) {
      try {
        this.#known.set(folder, sorted(await this.#files.list(folder)));
      } catch (error) {
        if (folder === "/" || !(error instanceof RefusedError)) throw error;
        this.#open.delete(folder); // it has gone
      }
    }
    this.#first.hidden = true;
    this.#tree.draw(this.#known, this.#open);
    if (!this.#wasRead) this.#events.onFirstRead();
    this.#wasRead = true;
    const { freeBytes, allBytes } = await this.#files.space();
    this.#space.textContent = texts.files.free(size(freeBytes), size(allBytes));
  }

  #menu(path: string, entry: Entry): (readonly [readonly [string, string], () => void])[] {
    const { isDirectory, sizeBytes } = entry;
    const inside = [
      [texts.files.newFile, () => void this.#make(path, false)],
      [texts.files.newFolder, () => void this.#make(path, true)],
      [texts.files.upload, () => this.#choose(path, false)],
      [texts.files.uploadFolder, () => this.#choose(path, true)],
    ] as const;
    return [
      ...(isDirectory ? inside : []),
      [texts.files.download, () => void this.#download(path, isDirectory, sizeBytes)],
      [texts.files.rename, () => void this.#rename(path)],
      [texts.files.remove, () => void this.#remove(path, isDirectory)],
    ];
  }

  async #toggle(path: string): Promise<void> {
    if (this.#open.delete(path)) this.#tree.draw(this.#known, this.#open);
    else {
      this.#open.add(path);
      await this.refresh();
    }
  }

  async #make(folder: string, isDirectory: boolean): Promise<void> {
    const [title] = isDirectory ? texts.files.newFolder : texts.files.newFile;
    const answer = await askText(title, texts.files.askPath, join(folder, ""));
    const path = absolute(answer?.trim() ?? "");
    if (path === "/" || path === folder) return;
    const made = await this.#try(path, async () => {
      await this.#makeAbove(path);
      if (isDirectory) await this.#files.makeDirectory(path);
      else if (await this.#files.stat(path)) throw new RefusedError(EXISTS);
      else await this.#files.put(path, new Blob());
    });
    if (made && !isDirectory) this.#events.onOpen(path);
  }

  async #rename(path: string): Promise<void> {
    const answer = await askText(texts.files.rename[0], texts.files.askPath, shown(path));
    if (answer === undefined || answer === shown(path)) return;
    await this.#move(path, absolute(shown(path) === path ? answer : meant(answer)));
  }

  async #move(path: string, to: string): Promise<void> {
    await this.#try(path, async () => {
      const there = await this.#files.stat(to);
      if (there?.isDirectory) throw new RefusedError(EXISTS);
      if (there && !(await askWhether(texts.files.replaceTitle(shown(to)), texts.files.replaceMany(1), texts.files.replaceAll(1)))) return;
      await this.#makeAbove(to);
      await this.#jobs.wait(texts.files.moving(shown(path)), () => this.#files.rename(path, to));
      for (const open of [...this.#open].filter((each) => isIn(each, path))) {
        this.#open.delete(open);
        this.#open.add(to + open.slice(path.length));
      }
      this.#events.onMoved(path, to);
    });
  }

  async #remove(path: string, isDirectory: boolean): Promise<void> {
    const text = isDirectory ? texts.files.removeFolder : texts.files.removeFile;
    if (await askWhether(texts.files.removeTitle(shown(path)), text, texts.files.remove[0]))
      await this.#try(path, () => this.#jobs.wait(texts.files.removing(shown(path)), () => this.#files.remove(path)));
  }

  async #makeAbove(path: string): Promise<void> {
    if (folderOf(path) !== "/") await this.#files.makeDirectory(folderOf(path));
  }

  /** Have a person choose files, or a folder, to be sent into `folder`. */
  #choose(folder: string, whole: boolean): void {
    const chooser = h("input", { type: "file", multiple: true, webkitdirectory: whole, hidden: true });
    chooser.onchange = () => {
      const chosen = [...(chooser.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
      void this.#upload(folder, chosen);
    };
    this.#chooser.replaceWith(chooser);
    this.#chooser = chooser;
    chooser.click();
  }

  async #upload(folder: string, choosing: Chosen[] | Promise<Chosen[]>): Promise<void> {
    let at = folder;
    let sent = 0;
    const [title] = texts.files.upload;
    try {
      const chosen = await choosing;
      const there = await this.#jobs.wait(texts.files.reading, () => replaced(this.#files, folder, chosen));
      const wanted = await this.#withoutRegrets(chosen, there);
      if (!wanted.length) return;
      if (folder !== "/") this.#open.add(folder);
      await this.#jobs.run(title, (job) =>
        upload(this.#files, folder, wanted, job, (path, before) => ([at, sent] = [path, before])));
    } catch (error) {
      if (error instanceof StoppedError) note(texts.files.stopped(sent, shown(at)));
      else note(texts.files.failed(shown(at), explain(error)), true);
    }
    await this.refresh();
  }

  /** What of the chosen is to be sent, after a person was asked about what that would replace. */
  async #withoutRegrets(chosen: Chosen[], there: Set<Chosen>): Promise<Chosen[]> {
    if (!there.size) return chosen;
    const paths = [...there].map(({ path }) => shown(path));
    const others = chosen.filter((each) => !there.has(each));
    const title = texts.files.replaceTitle(paths.length === 1 ? paths.join() : texts.files.count(paths.length));
    const lines = [texts.files.replaceMany(paths.length), ...(paths.length === 1 ? [] : texts.files.some(paths))];
    const answers = { ...(others.length ? { skip: texts.files.skip(others.length) } : {}), replace: texts.files.replaceAll(paths.length) };
    const answer = await askWhich(title, lines, answers);
    return answer === "replace" ? chosen : answer === "skip" ? others : [];
  }

  async #download(path: string, isDirectory: boolean, sizeBytes = 0): Promise<void> {
    const fetch = (job: Job) => isDirectory
      ? downloadFolder(this.#files, path, nameOf(path) || this.#board, job)
      : download(this.#files, path, sizeBytes, job);
    await this.#try(path, () => this.#jobs.run(texts.files.download[0], fetch), false);
  }

  /** Do something with files, say it if it fails, and show how things are then; true if it is done. */
  async #try(what: string, action: () => Promise<unknown>, changes = true): Promise<boolean> {
    let done = false;
    try {
      await action();
      done = true;
    } catch (error) {
      if (error instanceof StoppedError) note(texts.files.stoppedFetching(shown(what)));
      else note(texts.files.failed(shown(what), explain(error)), true);
    }
    if (changes || !done) await this.refresh();
    return done;
  }
}

function sorted(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => Number(b.isDirectory) - Number(a.isDirectory) || a.name.localeCompare(b.name));
}
