/** What the page remembers: settings and unsaved texts for ever, the password until the browser's tab is closed. */

export type Theme = "auto" | "light" | "dark";

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
  /** The unsaved text of a file; null if there is none. */
  draft(file: string): string | null {
    return read(localStorage, `draft ${file}`);
  },
  setDraft(file: string, text: string | null): void {
    write(localStorage, `draft ${file}`, text);
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

function write(storage: Storage, name: string, value: string | null): void {
  try {
    if (value === null) storage.removeItem(name);
    else storage.setItem(name, value);
  } catch {
    // full, or switched off: then it is not remembered
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
