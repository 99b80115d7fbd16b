/** What takes longer than a blink: how far it is, how fast, and a way to stop it. */

import { button, h } from "./dom";
import { StoppedError, type Watch } from "./records";
import { texts } from "./texts";
import { size } from "./units";

const BLINK_MS = 300;

/** The jobs of a board that are under way, each in a row of its own. */
export class Jobs {
  readonly element = h("div", { className: "jobs" });

  /** Do something that may be stopped. */
  async run<T>(what: string, action: (job: Job) => Promise<T>): Promise<T> {
    return this.#show(new Job(what, true), action);
  }

  /** Do something that is short on most boards, and cannot be stopped. */
  async wait<T>(what: string, action: () => Promise<T>): Promise<T> {
    return this.#show(new Job(what, false), action);
  }

  async #show<T>(job: Job, action: (job: Job) => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.element.append(job.element), BLINK_MS);
    try {
      return await action(job);
    } finally {
      clearTimeout(timer);
      job.element.remove();
    }
  }
}

/** One of them. */
export class Job {
  readonly element: HTMLElement;

  readonly #abort = new AbortController();
  readonly #text: HTMLElement;
  readonly #bar: HTMLProgressElement;
  readonly #stop = button(texts.files.stop, () => this.#stopped());
  readonly #started_ms = performance.now();
  #what: string;
  #allBytes = 0;
  #doneBytes = 0;

  constructor(what: string, canBeStopped: boolean) {
    this.#what = what;
    this.#text = h("span", {}, what);
    this.#bar = h("progress", { aria: { label: what } });
    this.element = h("div", { className: "job" }, this.#text, this.#bar);
    if (canBeStopped) this.element.append(this.#stop);
  }

  /** How many bytes there are to move in all. */
  expect(allBytes: number): void {
    this.#allBytes = allBytes;
  }

  /** Begin with a file; what its transfer needs to know. */
  watch(what: string, sizeBytes: number): Watch {
    const before = this.#doneBytes;
    this.#what = what;
    this.#draw();
    return {
      signal: this.#abort.signal,
      onProgress: (doneBytes) => {
        this.#doneBytes = before + Math.min(doneBytes, sizeBytes);
        this.#draw();
      },
    };
  }

  /** Throw a StoppedError if the job has been stopped. */
  throwIfStopped(): void {
    this.#abort.signal.throwIfAborted();
  }

  #draw(): void {
    const speed = Math.round((this.#doneBytes / (performance.now() - this.#started_ms)) * 1000);
    const progress = texts.files.speed(size(this.#doneBytes), size(this.#allBytes), size(speed));
    this.#bar.setAttribute("aria-label", this.#what);
    this.#text.textContent = this.#allBytes ? `${this.#what}: ${progress}` : this.#what;
    if (!this.#doneBytes) return;
    this.#bar.max = this.#allBytes;
    this.#bar.value = this.#doneBytes;
  }

  #stopped(): void {
    this.#stop.disabled = true;
    this.#stop.textContent = texts.files.stopping;
    this.#abort.abort(new StoppedError());
  }
}
