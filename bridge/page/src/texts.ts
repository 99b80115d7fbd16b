/** Everything that the page says, in one place. */

export const texts = {
  title: (board: string) => `${board} · WebREPL`,
  brand: "WebREPL",

  state: {
    connecting: "connecting …",
    password: "waiting for the password",
    open: "connected",
    lost: "connection lost, trying again …",
  },

  notice: {
    lost: (reason: string) => (reason ? `connection lost: ${reason}` : "connection lost"),
    back: "connected again",
    pasteStopped: (done: number, lines: number) =>
      `paste stopped after ${done.toLocaleString()} of ${lines.toLocaleString()} lines`,
  },

  boards: {
    label: "Boards",
    there: "there",
    gone: "not there",
    clients: (count: number) => (count === 1 ? "1 client" : `${count} clients`),
  },

  login: {
    title: "Log in",
    explain: "The bridge asks for its password. It was printed when the bridge started, unless you chose one.",
    password: "Password",
    wrong: "That is not the password.",
    submit: "Log in",
  },

  terminal: {
    label: "Terminal",
    tools: "Terminal tools",
    interrupt: ["Interrupt", "Stop the running program (Ctrl+C)"],
    softReset: ["Soft reset", "Start MicroPython anew and run main.py (Ctrl+C, Ctrl+D)"],
    pasteMode: ["Paste mode", "Take several lines as one block (Ctrl+E); run it with Ctrl+D"],
    search: ["Search", "Search the terminal's output (Ctrl+Shift+F)"],
    clear: ["Clear", "Clear the terminal's output; the board does not notice"],
    copied: "Copied.",
  },

  search: {
    label: "Search the terminal",
    placeholder: "Search",
    next: "Next match (Enter)",
    previous: "Previous match (Shift+Enter)",
    close: "Close the search (Esc)",
    count: (at: number, of: number) => (of ? `${at} of ${of}` : "nothing found"),
  },

  paste: {
    progress: (done: number, lines: number) => `Pasting: ${done.toLocaleString()} of ${lines.toLocaleString()} lines`,
    stop: "Stop",
  },

  theme: { label: "Colours", auto: "as the system", light: "light", dark: "dark" },
  reader: { label: "Screen reader", explain: "Have a screen reader read what the terminal prints" },

  help: {
    open: "Help",
    title: "Keys",
    close: "Close",
    keys: [
      ["Ctrl+C", "interrupt the program; copies instead if something is selected"],
      ["Ctrl+D", "on an empty line: soft reset"],
      ["Ctrl+E", "paste mode"],
      ["Ctrl+A, Ctrl+B", "raw REPL, and back"],
      ["Tab", "complete a name"],
      ["↑ ↓", "lines typed before"],
      ["Ctrl+V, Ctrl+Shift+V", "paste; several lines at an empty prompt are taken as one block"],
      ["Ctrl+Shift+C", "copy"],
      ["Ctrl+Shift+F", "search the output"],
      ["Shift+PageUp, Shift+PageDown", "scroll"],
      ["F6, Shift+F6", "to the next part of the page, and back: the way out of the terminal by keyboard"],
      ["F1", "these keys"],
    ],
  },
} as const;
