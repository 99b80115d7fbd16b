/** The page: which board is shown, and what belongs to all of them. */

import { askWhether, note } from "./ask";
import { Board, type View } from "./board";
import { BoardList, details } from "./boardlist";
import { HelpDialog, LoginDialog } from "./dialogs";
import { button, h } from "./dom";
import { isDark, settings, watchTheme } from "./settings";
import "./style.css";
import { texts } from "./texts";

const boards = new Map<string, Board>();
let shown: Board | undefined;

const status = h("span", { className: "state", role: "status" });
const about = h("span", { className: "about" });
const title = h("h1", {}, texts.brand);
const list = new BoardList((name) => (location.hash = `#${encodeURIComponent(name)}`), showWhatIsAsked);
const side = h("div", { className: "side" }, list.element);
const main = h("main", {}, side);
const login = new LoginDialog(logIn);
// Who has given the password in one tab has given it in all of them.
const tabs = new BroadcastChannel("password");
tabs.onmessage = ({ data: password }: MessageEvent<string | null>) => {
  if (password === null && list.password !== undefined) tabs.postMessage(list.password);
  else if (password !== null && login.isOpen) logIn(password);
};
const views = (["files", "editor", "plot", "terminal"] as const).map((view) =>
  h("button", { type: "button", data: { view }, onclick: () => choose(view) }, texts.views[view]));
const help = new HelpDialog((on) => boards.forEach((board) => board.terminal.setScreenReader(on)));
document.body.append(
  h("header", {}, h("span", { className: "mark", aria: { hidden: "true" } }, ">_"), title, status, about,
    button([texts.help.open, `${texts.help.title} (F1)`], () => help.open())),
  main,
  h("nav", { className: "views", aria: { label: texts.views.label } }, ...views),
);
onView("terminal");

function logIn(password: string): void {
  settings.password = password;
  list.password = undefined;
  for (const board of boards.values()) board.connection.logIn(password);
}

/** Show the board that the address names, or else the default one, or else the first. */
function showWhatIsAsked(): void {
  const names = list.boards.map((board) => board.name);
  for (const [name, board] of boards) if (!names.includes(name)) forget(board);
  const asked = decodeURIComponent(location.hash.slice(1));
  showDetails();
  const name = [asked, list.default, ...names].find((each) => each && names.includes(each));
  if (name !== undefined && name !== shown?.name) show(name);
}

/** What the bridge says of the board that is shown; its files, if reading them disturbs no program. */
function showDetails(): void {
  const known = shown && list.find(shown.name);
  about.textContent = about.title = known ? [details(known), known.on].filter(Boolean).join(" · ") : "";
  if (shown?.connection.state === "open" && known?.mode === "prompt") shown.side.readOnce();
}

async function onHardReset(board: Board): Promise<void> {
  const { hardReset, hardResetTitle, hardResetText } = texts.terminal;
  if (!(await askWhether(hardResetTitle, hardResetText, hardReset[0]))) return;
  const problem = await list.act(board.name, "hard-reset");
  if (problem) note(texts.files.failed(board.name, problem), true);
  board.terminal.focus();
}

function show(name: string): void {
  const known = boards.get(name);
  const board = known ?? new Board(name, { onState, onPassword, onPageKey, onView, onHardReset });
  shown?.element.remove();
  shown?.side.element.remove();
  shown = board;
  side.append(board.side.element);
  main.append(board.element);
  if (!known) {
    boards.set(name, board);
    board.terminal.open();
  }
  title.textContent = name;
  document.title = texts.title(name);
  list.mark(name);
  showDetails();
  onState(board);
}

/** The bridge no longer has this board. */
function forget(board: Board): void {
  board.close();
  boards.delete(board.name);
  if (board === shown) shown = undefined;
}

function onPassword(_: Board, denied: boolean): void {
  list.password = undefined;
  login.ask(denied);
  if (!denied) tabs.postMessage(null);
}

function onState(board: Board): void {
  const { state } = board.connection;
  if (state === "open") {
    if (login.isOpen) tabs.postMessage(settings.password);
    login.close();
    list.password = settings.password;
    void list.refresh();
  }
  if (board !== shown) return;
  status.textContent = texts.state[state];
  status.dataset["state"] = state;
  if (state === "open") board.terminal.focus();
}

/** On a narrow screen: someone wants to see a part, which may have to be opened. */
function choose(view: View): void {
  if (view === "plot") void shown?.openPlot();
  else onView(view === "editor" && shown?.editors.element.hidden ? "files" : view);
}

/** On a narrow screen: which part is shown. */
function onView(view: View): void {
  main.dataset["view"] = view;
  for (const each of views) each.setAttribute("aria-pressed", String(each.dataset["view"] === view));
}

function onPageKey(event: KeyboardEvent): void {
  event.preventDefault();
  if (event.key === "F1") help.open();
  else focusNextPart(event.shiftKey ? -1 : 1);
}

/** F6: from part to part, so that the terminal, which needs Tab for itself, can be left by keyboard. */
function focusNextPart(direction: 1 | -1): void {
  const parts = [...document.querySelectorAll<HTMLElement>("header, .boards, .files, .tools, .text, .console")].filter(
    (part) => part.checkVisibility());
  const at = parts.findIndex((part) => part.contains(document.activeElement));
  const next = parts[(at + direction + parts.length) % parts.length];
  if (next && next === shown?.terminal.element) shown.terminal.focus();
  else next?.querySelector<HTMLElement>("button, input, [contenteditable]")?.focus();
}

function connectAll(): void {
  for (const board of boards.values()) board.connection.connect();
}

document.addEventListener("keydown", (event) => {
  if ((event.key === "F6" || event.key === "F1") && !event.defaultPrevented) onPageKey(event);
});
addEventListener("hashchange", showWhatIsAsked);
addEventListener("online", connectAll);
document.addEventListener("visibilitychange", () => document.hidden || connectAll());
watchTheme(() => (document.documentElement.dataset["theme"] = isDark() ? "dark" : "light"));
void list.refresh();
