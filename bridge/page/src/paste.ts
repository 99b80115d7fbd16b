/**
 * Pasting into a REPL.
 *
 * Several lines at an empty prompt go through MicroPython's paste mode, because its auto-indentation would spoil
 * them otherwise. Paste mode shows `=== ` for each line that it has taken: that is the progress, and the flow control. Who has entered paste
 * mode already pastes into it likewise, and ends it.
 */

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const CTRL_E = "\x05";
const LINE_TAKEN = "\n=== ";
const LINES_AHEAD = 24;

/** The line breaks of a keyboard. */
export function asTyped(text: string): string {
  return text.replace(/\r?\n/g, "\r");
}

export interface PasteEvents {
  onProgress(done: number, lines: number): void;
  onEnd(done: number, lines: number, stopped: boolean): void;
}

/** One block on its way through paste mode. */
export class BlockPaste {
  #sent = 0;
  #taken = 0;
  #tail = "";
  #ended = false;
  #settle: (() => void) | undefined;

  readonly #entered: boolean;
  readonly #lines: string[];
  readonly #type: (text: string) => void;
  readonly #events: PasteEvents;

  /** `entered`: the board is in paste mode already, at the beginning of a line. */
  constructor(text: string, entered: boolean, type: (text: string) => void, events: PasteEvents) {
    const typed = asTyped(text);
    this.#entered = entered;
    this.#lines = (entered ? typed : typed.replace(/\r+$/, "")).split("\r");
    this.#type = type;
    this.#events = events;
  }

  get lines(): number {
    return this.#lines.length;
  }

  /** Paste, until all is there or the paste is stopped. */
  async run(): Promise<void> {
    if (this.#ended) return;
    const settled = new Promise<void>((resolve) => (this.#settle = resolve));
    if (this.#entered) {
      this.#taken = 1;
      this.#send();
    } else this.#type(CTRL_E);
    await settled;
  }

  /** Look at what the board has printed. */
  receive(text: string): void {
    if (this.#ended || !this.#settle) return;
    const seen = this.#tail + text;
    this.#taken += seen.split(LINE_TAKEN).length - 1;
    this.#tail = seen.slice(-(LINE_TAKEN.length - 1));
    this.#send();
  }

  /** Give up: the board forgets what it has taken, and runs none of it. */
  stop(): void {
    if (this.#ended) return;
    if (this.#settle) this.#type(CTRL_C);
    this.#end(true);
  }

  /** The connection has gone: there is no one to tell. */
  abandon(): void {
    if (!this.#ended) this.#end(true);
  }

  get #done(): number {
    return Math.max(0, this.#taken - 1); // the first `=== ` is there before any line
  }

  #send(): void {
    if (this.#taken === 0) return;
    const last = this.#lines.length;
    const next = Math.min(last, this.#done + LINES_AHEAD);
    if (next > this.#sent) {
      const part = this.#lines.slice(this.#sent, next).join("\r");
      this.#type(part + (next < last ? "\r" : this.#entered ? "" : CTRL_D));
      this.#sent = next;
    }
    if (this.#done >= last - 1) this.#end(false);
    else this.#events.onProgress(this.#done, last);
  }

  #end(stopped: boolean): void {
    this.#ended = true;
    this.#events.onEnd(stopped ? this.#done : this.#lines.length, this.#lines.length, stopped);
    this.#settle?.();
  }
}
