/** Files on their way in and out, and what a person drops. */

import { saveAs } from "./dom";
import type { Job } from "./jobs";
import type { Entry, Files } from "./records";
import { texts } from "./texts";
import { folderOf, join, nameOf, shown } from "./units";

/** What a person has chosen: a file, or else an empty folder; and the path below the folder where it is to be. */
export interface Chosen {
  path: string;
  file?: File;
}

/** What was dropped, folders with all that is in them. */
export async function dropped(data: DataTransfer): Promise<Chosen[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry: FileSystemEntry): Promise<Chosen[]> {
  const path = entry.fullPath.slice(1);
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Chosen[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return found.length ? found : [{ path }]; // browsers give a hundred at a time
    for (const each of batch) found.push(...(await filesIn(each)));
  }
}

/** Which of the chosen files would replace one that is on the board. */
export async function replaced(files: Files, folder: string, chosen: Chosen[]): Promise<Set<Chosen>> {
  const known = new Map<string, Entry[]>();
  const entriesIn = async (path: string): Promise<Entry[]> => {
    let entries = known.get(path);
    if (!entries) {
      const isThere = path === "/" || (await entriesIn(folderOf(path))).some((each) => each.isDirectory && alike(each.name, nameOf(path)));
      entries = isThere ? await files.list(path) : [];
      known.set(path, entries);
    }
    return entries;
  };
  const found = new Set<Chosen>();
  for (const each of chosen) {
    if (!each.file) continue;
    const path = join(folder, each.path);
    const there = (await entriesIn(folderOf(path))).filter((entry) => !entry.isDirectory && alike(entry.name, nameOf(path)));
    // To some file systems, FAT for one, names that differ in capitals are the same: only the board knows.
    if (there.some((entry) => entry.name === nameOf(path)) || (there.length && (await files.stat(path)))) found.add(each);
  }
  return found;
}

function alike(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Send files into `folder`, making the folders that they need; `onFile` is told each path, and how many were sent before. */
export async function upload(
  files: Files, folder: string, chosen: Chosen[], job: Job, onFile: (path: string, sent: number) => void,
): Promise<void> {
  const made = new Set([folder]);
  job.expect(chosen.reduce((sum, { file }) => sum + (file?.size ?? 0), 0));
  for (const [sent, { path, file }] of chosen.entries()) {
    const to = join(folder, path);
    onFile(to, sent);
    job.throwIfStopped();
    const above = file ? folderOf(to) : to;
    if (!made.has(above)) {
      await files.makeDirectory(above);
      made.add(above);
    }
    if (!file) continue;
    const watch = job.watch(texts.files.sending(shown(path), sent + 1, chosen.length), file.size);
    await files.put(to, file, watch);
    watch.onProgress?.(file.size);
  }
}

/** Fetch a file. */
export async function download(files: Files, path: string, sizeBytes: number, job: Job): Promise<void> {
  job.expect(sizeBytes);
  const content = await files.get(path, job.watch(texts.files.fetching(shown(path), 1, 1), sizeBytes));
  saveAs(nameOf(path), blobOf(content));
}

/** Fetch a folder as a zip file. */
export async function downloadFolder(files: Files, path: string, name: string, job: Job): Promise<void> {
  const entries = await files.list(path, { deep: true });
  const contents = entries.filter((entry) => !entry.isDirectory);
  job.expect(contents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const zipped: Record<string, Uint8Array> = {};
  for (const entry of entries) if (entry.isDirectory) zipped[`${name}/${harmless(entry.name)}/`] = new Uint8Array();
  for (const [at, entry] of contents.entries()) {
    const watch = job.watch(texts.files.fetching(shown(entry.name), at + 1, contents.length), entry.sizeBytes);
    zipped[`${name}/${harmless(entry.name)}`] = await files.get(join(path, entry.name), watch);
    watch.onProgress?.(entry.sizeBytes);
  }
  const { zipSync } = await import("fflate");
  saveAs(`${name}.zip`, blobOf(zipSync(zipped)));
}

/** What the browser can save and send. */
export function blobOf(content: Uint8Array): Blob {
  return new Blob([content as Uint8Array<ArrayBuffer>]);
}

/** A board may give its files any names: in a zip file none must lead out of the folder where it is unpacked. */
function harmless(path: string): string {
  return path.split("/").map((part) => (/^\.*$/.test(part) ? "_" : part.replaceAll("\\", "_"))).join("/");
}
