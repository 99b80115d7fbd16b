/** The page: the connection to a board, and what is on the screen. */

import { HelpDialog, LoginDialog } from "./dialogs";
import { button, h } from "./dom";
import { isDark, settings, watchTheme } from "./settings";
import "./style.css";
import { BoardTerminal } from "./terminal";
import { texts } from "./texts";
import { type State, WebRepl } from "./webrepl";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const CTRL_E = "\x05";

const scheme = location.protocol === "https:" ? "wss:" : "ws:";
const status = h("span", { className: "state", role: "status" });
const boardName = h("h1", {}, texts.brand);

const login = new LoginDialog((password) => board.logIn(password));
const help = new HelpDialog((on) => terminal.setScreenReader(on));
const terminal = new BoardTerminal((text) => board.type(text));
terminal.onPageKey = pageKey;

const tool = (text: readonly [string, string], action: () => void) =>
  button(text, () => {
    action();
    terminal.focus();
  });
const tools = h("div", { className: "tools", role: "toolbar", aria: { label: texts.terminal.tools } },
  tool(texts.terminal.interrupt, () => board.type(CTRL_C)),
  tool(texts.terminal.softReset, () => board.type(CTRL_C + CTRL_D)),
  tool(texts.terminal.pasteMode, () => board.type(CTRL_E)),
  button(texts.terminal.search, () => terminal.openSearch()),
  button(texts.terminal.clear, () => terminal.clear()),
);
document.body.append(
  h("header", {}, h("span", { className: "mark", aria: { hidden: "true" } }, ">_"), boardName, status,
    button([texts.help.open, `${texts.help.title} (F1)`], () => help.open())),
  h("main", {}, h("section", { className: "panel", aria: { label: texts.terminal.label } }, tools, terminal.element)),
);
terminal.open();

let everOpen = false;
const board = new WebRepl(`${scheme}//${location.host}/`, { onState, onText: (text) => terminal.write(text) }, settings.password);

function onState(state: State, { denied = false, reason = "" }: { denied?: boolean; reason?: string }): void {
  status.textContent = texts.state[state];
  status.dataset["state"] = state;
  switch (state) {
    case "password":
      if (board.password === undefined) login.ask(denied);
      break;
    case "open":
      settings.password = board.password;
      login.close();
      if (everOpen) terminal.notice(texts.notice.back);
      everOpen = true;
      terminal.focus();
      break;
    case "lost":
      terminal.disconnected();
      if (everOpen) terminal.notice(texts.notice.lost(reason));
  }
}

function pageKey(event: KeyboardEvent): void {
  event.preventDefault();
  if (event.key === "F1") help.open();
  else focusNextPart(event.shiftKey ? -1 : 1);
}

/** F6: from part to part, so that the terminal, which needs Tab for itself, can be left by keyboard. */
function focusNextPart(direction: 1 | -1): void {
  const parts = [...document.querySelectorAll<HTMLElement>("header, .tools, .console")];
  const at = parts.findIndex((part) => part.contains(document.activeElement));
  const next = parts[(at + direction + parts.length) % parts.length];
  if (next === terminal.element) terminal.focus();
  else next?.querySelector<HTMLElement>("button, input")?.focus();
}

document.addEventListener("keydown", (event) => {
  if ((event.key === "F6" || event.key === "F1") && !event.defaultPrevented) pageKey(event);
});
addEventListener("online", () => board.connect());
document.addEventListener("visibilitychange", () => document.hidden || board.connect());
watchTheme(() => (document.documentElement.dataset["theme"] = isDark() ? "dark" : "light"));

const list = await fetch("/boards").then((answer) => answer.json() as Promise<{ default: string }>);
boardName.textContent = list.default;
document.title = texts.title(list.default);
