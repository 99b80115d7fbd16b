/** Files on their way in and out, with progress; and what a person drops. */

import { button, h } from "./dom";
import type { Files } from "./records";
import { texts } from "./texts";
import { join, size } from "./units";

const BLINK_MS = 300;

/** Shows how far a transfer is, if it takes longer than a blink. */
export class ProgressBar {
  readonly element = h("div", { className: "progress" });
  stopped = false;

  readonly #text = h("span");
  readonly #bar = h("progress", { aria: { label: texts.files.label } });
  #started_ms = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.element.append(this.#text, this.#bar, button(texts.files.stop, () => (this.stopped = true)));
    this.element.hidden = true;
  }

  start(what: string): (doneBytes: number, allBytes: number) => void {
    this.#started_ms = performance.now();
    this.#timer ??= setTimeout(() => (this.element.hidden = false), BLINK_MS);
    this.#bar.removeAttribute("value");
    this.#text.textContent = what;
    return (doneBytes, allBytes) => {
      if (doneBytes >= allBytes) {
        this.#bar.removeAttribute("value"); // the network holds what the board has not taken: no telling how much
        this.#text.textContent = `${what}: ${texts.files.onItsWay(size(allBytes))}`;
        return;
      }
      const speed = (doneBytes / (performance.now() - this.#started_ms)) * 1000;
      this.#bar.max = allBytes;
      this.#bar.value = doneBytes;
      this.#text.textContent = `${what}: ${texts.files.speed(size(doneBytes), size(allBytes), size(Math.round(speed)))}`;
    };
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.element.hidden = true;
    this.stopped = false;
  }
}

/** A file that a person has chosen, and the path below the folder where it is to be. */
export interface Chosen {
  path: string;
  file: File;
}

/** What was dropped, folders with all that is in them. */
export async function dropped(data: DataTransfer): Promise<Chosen[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry: FileSystemEntry): Promise<Chosen[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path: entry.fullPath.slice(1), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Chosen[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return found; // browsers give a hundred at a time
    for (const each of batch) found.push(...(await filesIn(each)));
  }
}

/** Send files into `folder`, making the folders that they need. */
export async function upload(files: Files, folder: string, chosen: Chosen[], bar: ProgressBar): Promise<void> {
  const made = new Set([""]);
  for (const { path, file } of chosen) {
    if (bar.stopped) return;
    const above = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (!made.has(above)) {
      await files.makeDirectory(join(folder, above));
      made.add(above);
    }
    const content = new Uint8Array(await file.arrayBuffer());
    await files.put(join(folder, path), content, bar.start(texts.files.sending(path)));
  }
}

/** Fetch a file, or a folder as a zip file. */
export async function download(files: Files, path: string, name: string, isDirectory: boolean, bar: ProgressBar): Promise<void> {
  if (!isDirectory) {
    save(name, await fetchOne(files, path, bar));
    return;
  }
  const zipped: Record<string, Uint8Array> = {};
  const collect = async (folder: string, below: string): Promise<void> => {
    for (const entry of await files.list(folder)) {
      if (bar.stopped) return;
      const inner = join(folder, entry.name);
      if (entry.isDirectory) await collect(inner, `${below}${entry.name}/`);
      else zipped[`${below}${entry.name}`] = await fetchOne(files, inner, bar, entry.sizeBytes);
    }
  };
  await collect(path, `${name}/`);
  const { zipSync } = await import("fflate");
  if (!bar.stopped) save(`${name}.zip`, zipSync(zipped));
}

async function fetchOne(files: Files, path: string, bar: ProgressBar, sizeBytes?: number): Promise<Uint8Array> {
  const all = sizeBytes ?? (await files.stat(path))?.sizeBytes ?? 0;
  const progress = bar.start(texts.files.fetching(path));
  return files.get(path, (done) => progress(done, all));
}

function save(name: string, content: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([content as Uint8Array<ArrayBuffer>]));
  h("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
