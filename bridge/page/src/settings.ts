/** What the page remembers: settings and unsaved texts for ever, the password until the browser's tab is closed. */

export type Theme = "auto" | "light" | "dark";

/** An unsaved text, and the CRC-32 of the file from which it was made; 0: there was none. */
export interface Draft {
  text: string;
  crc: number;
}

export const settings = {
  get theme(): Theme {
    const theme = read(localStorage, "theme");
    return theme === "light" || theme === "dark" ? theme : "auto";
  },
  set theme(theme: Theme) {
    write(localStorage, "theme", theme);
  },
  get screenReader(): boolean {
    return read(localStorage, "screenReader") === "yes";
  },
  set screenReader(on: boolean) {
    write(localStorage, "screenReader", on ? "yes" : "no");
  },
  /** The unsaved text of a board's file; undefined if there is none. */
  draft(board: string, path: string): Draft | undefined {
    try {
      const { text, crc } = JSON.parse(read(localStorage, `draft ${board} ${path}`) ?? "null") as Draft;
      return { text: String(text), crc: Number(crc) };
    } catch {
      return undefined;
    }
  },
  /** Keep an unsaved text; false if it cannot be kept. */
  setDraft(board: string, path: string, draft: Draft | undefined): boolean {
    return write(localStorage, `draft ${board} ${path}`, draft ? JSON.stringify(draft) : null);
  },
  /** The files of a board that have an unsaved text. */
  drafts(board: string): string[] {
    try {
      const above = `draft ${board} /`;
      return Object.keys(localStorage).filter((key) => key.startsWith(above)).map((key) => key.slice(above.length - 1));
    } catch {
      return []; // switched off
    }
  },
  get password(): string | undefined {
    return read(sessionStorage, "password") ?? undefined;
  },
  set password(password: string | undefined) {
    write(sessionStorage, "password", password ?? null);
  },
};

function read(storage: Storage, name: string): string | null {
  try {
    return storage.getItem(name);
  } catch {
    return null; // switched off
  }
}

/** Returns whether it is remembered: storage may be full, or switched off. */
function write(storage: Storage, name: string, value: string | null): boolean {
  try {
    if (value === null) storage.removeItem(name);
    else storage.setItem(name, value);
    return true;
  } catch {
    return value === null;
  }
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark now. */
export function isDark(): boolean {
  return settings.theme === "dark" || (settings.theme === "auto" && dark.matches);
}

/** Call `listener` now, and whenever the page turns dark or light. */
export function watchTheme(listener: () => void): void {
  dark.addEventListener("change", listener);
  themeListeners.push(listener);
  listener();
}

const themeListeners: (() => void)[] = [];

/** Choose the page's colours. */
export function setTheme(theme: Theme): void {
  settings.theme = theme;
  for (const listener of themeListeners) listener();
}
