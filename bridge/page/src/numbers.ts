/** Numbers in what a program prints: `21.5`, `1 2 3`, `temperature:21.5 humidity=40`, `(1, 2)`. */

const ESCAPE = /\x1b\[[0-9;?]*[A-Za-z]/g;
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const NAMED = /^([^\d\s:=][^:=]*)[:=](.+)$/;

/** The numbers in a line, by their names or else their places; null if there is anything else in it. */
export function numbersIn(line: string): Map<string, number> | null {
  const tokens = line.replace(ESCAPE, "").replace(/[()[\]]/g, " ").replace(/([:=])\s+/g, "$1").split(/[\s,;]+/).filter(Boolean);
  const numbers = new Map<string, number>();
  for (const [place, token] of tokens.entries()) {
    const named = NAMED.exec(token);
    const value = named ? named[2] : token;
    if (value === undefined || !NUMBER.test(value)) return null;
    numbers.set(named?.[1] ?? String(place + 1), Number(value));
  }
  return numbers.size ? numbers : null;
}

/** Cuts what is printed into lines. */
export class Lines {
  #rest = "";

  /** The lines that end in `text`, which goes on where the last one stopped. */
  next(text: string): string[] {
    const lines = (this.#rest + text).split(/\r?\n|\r/);
    this.#rest = (lines.pop() ?? "").slice(-1000);
    return lines;
  }
}
