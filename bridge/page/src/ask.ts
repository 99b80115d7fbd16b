/** Questions to the person, and short notes. */

import { button, h } from "./dom";
import { LostError, RefusedError, StoppedError } from "./records";
import { texts } from "./texts";

const NOTE_MS = 6000;
const notes = h("div", { className: "notes", role: "status", aria: { live: "polite" } });

/** Say something for a moment. */
export function note(text: string, isError = false): void {
  if (!notes.isConnected) document.body.append(notes);
  for (const same of [...notes.children]) if (same.textContent === text) same.remove();
  const line = h("div", { className: isError ? "note bad" : "note" }, text);
  line.onclick = () => line.remove();
  line.onmousedown = (event) => event.preventDefault(); // who types goes on typing
  notes.append(line);
  setTimeout(() => line.remove(), NOTE_MS);
}

/** What went wrong, in words. */
export function explain(error: unknown): string {
  if (error instanceof RefusedError) return texts.errors.codes[error.code] ?? texts.errors.code(error.code);
  if (error instanceof LostError) return texts.errors.lost;
  if (error instanceof StoppedError) return texts.errors.stopped;
  if (error instanceof DOMException) return texts.errors.unreadable; // a file that was chosen, and has gone or is locked
  throw error;
}

/** Ask for a text; undefined if the person would rather not. */
export function askText(title: string, label: string, value = ""): Promise<string | undefined> {
  const input = h("input", { type: "text", value, required: true, autocomplete: "off", spellcheck: false });
  const answer = ask(title, [h("label", {}, label, input)], { ok: texts.files.ok }, () => (input.value.trim() ? input.value : undefined));
  input.setSelectionRange(value.lastIndexOf("/") + 1, value.length);
  return answer;
}

/** Ask whether to go on. */
export async function askWhether(title: string, text: string, yes: string): Promise<boolean> {
  return (await askWhich(title, [text], { yes })) !== undefined;
}

/** Ask which of several things to do; the last of `answers` is what most will want, and nothing is undefined. */
export function askWhich<T extends string>(title: string, lines: string[], answers: Partial<Record<T, string>>): Promise<T | undefined> {
  return ask(title, lines.map((line) => h("p", {}, line)), answers, (answer) => answer as T);
}

function ask<T extends string>(
  title: string, content: HTMLElement[], answers: Partial<Record<string, string>>, read: (answer: string) => T | undefined,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    let answer: T | undefined;
    const last = Object.keys(answers).at(-1);
    const heading = h("h2", { id: "ask-title" }, title);
    const form = h("form", {
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        answer = read((event.submitter as HTMLButtonElement).value);
        dialog.close();
      },
    }, heading, ...content, h("div", { className: "buttons" },
      button([texts.files.cancel, texts.files.cancel], () => dialog.close()),
      ...Object.entries(answers).map(([value, label]) =>
        h("button", { type: "submit", value, className: value === last ? "primary" : "" }, label ?? ""))));
    const dialog = h("dialog", {
      aria: { labelledby: "ask-title" },
      onclose: () => {
        dialog.remove();
        resolve(answer);
      },
    }, form);
    document.body.append(dialog);
    dialog.showModal();
    form.querySelector<HTMLElement>("input, .primary")?.focus();
  });
}
