/** Questions to the person, and short notes. */

import { button, h } from "./dom";
import { LostError, RefusedError } from "./records";
import { texts } from "./texts";

const NOTE_MS = 6000;
const notes = h("div", { className: "notes", role: "status", aria: { live: "polite" } });

/** Say something for a moment. */
export function note(text: string, isError = false): void {
  if (!notes.isConnected) document.body.append(notes);
  const line = h("div", { className: isError ? "note bad" : "note" }, text);
  line.onclick = () => line.remove();
  notes.append(line);
  setTimeout(() => line.remove(), NOTE_MS);
}

/** What went wrong, in words. */
export function explain(error: unknown): string {
  if (error instanceof RefusedError) return texts.errors.codes[error.code] ?? texts.errors.code(error.code);
  if (error instanceof LostError) return texts.errors.lost;
  throw error;
}

/** Ask for a text; undefined if the person would rather not. */
export function askText(title: string, label: string, value = ""): Promise<string | undefined> {
  const input = h("input", { type: "text", value, required: true, autocomplete: "off", spellcheck: false });
  const answer = ask(title, h("label", {}, label, input), texts.files.ok, () => input.value.trim() || undefined);
  input.setSelectionRange(value.lastIndexOf("/") + 1, value.length);
  return answer;
}

/** Ask whether to go on. */
export async function askWhether(title: string, text: string, yes: string): Promise<boolean> {
  return (await ask(title, h("p", {}, text), yes, () => "yes")) !== undefined;
}

function ask(title: string, content: HTMLElement, yes: string, read: () => string | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer: string | undefined;
    const heading = h("h2", { id: "ask-title" }, title);
    const form = h("form", {
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        answer = read();
        dialog.close();
      },
    }, heading, content, h("div", { className: "buttons" },
      button([texts.files.cancel, texts.files.cancel], () => dialog.close()),
      h("button", { type: "submit", className: "primary" }, yes)));
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
