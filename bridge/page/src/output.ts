/**
 * What the board has printed, on its way to the screen.
 *
 * A board may print faster than a browser draws, and a tab in the background draws hardly at all. What waits is bounded:
 * the oldest of it, which would scroll out of the scrollback unseen, is left out.
 */

/** What the scrollback holds, of lines that are full. */
const WAITING_CHARS_MAX = 20_000 * 200;
/** Enough for xterm.js to be busy until the next message comes. */
const UNDER_WAY_CHARS_MAX = 256_000;
const PIECE_CHARS = 16_000;

export class Output {
  #waiting: string[] = [];
  #waitingChars = 0;
  #underWayChars = 0;

  readonly #draw: (text: string, onDrawn: () => void) => void;

  /** `draw` takes a text, and says when it is done with it. */
  constructor(draw: (text: string, onDrawn: () => void) => void) {
    this.#draw = draw;
  }

  write(text: string): void {
    for (let at = 0; at < text.length; at += PIECE_CHARS) this.#waiting.push(text.slice(at, at + PIECE_CHARS));
    this.#waitingChars += text.length;
    while (this.#waitingChars > WAITING_CHARS_MAX) this.#take();
    this.#drawMore();
  }

  #drawMore(): void {
    while (this.#waiting.length && this.#underWayChars < UNDER_WAY_CHARS_MAX) {
      const text = this.#take();
      this.#underWayChars += text.length;
      this.#draw(text, () => {
        this.#underWayChars -= text.length;
        this.#drawMore();
      });
    }
  }

  #take(): string {
    const text = this.#waiting.shift() ?? "";
    this.#waitingChars -= text.length;
    return text;
  }
}
