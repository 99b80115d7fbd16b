/** Editing a board's files: CodeMirror, loaded when the first file is opened. */

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName))], color: "var(--code-name)" },
  { tag: [tags.className, tags.definition(tags.className)], color: "var(--code-name)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--panel)", fontSize: "14px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.4" },
  ".cm-content": { caretColor: "var(--accent)" },
  ".cm-cursor": { borderLeftColor: "var(--accent)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--quiet)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--raised)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection) !important" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)" },
});

/** What the editor's keys do besides editing. */
export interface EditorKeys {
  save(): void;
  run(): void;
  runSelection(): void;
}

/** One open text. The line ends of a file stay as they were, though CodeMirror knows only one kind. */
export class TextEditor {
  readonly view: EditorView;
  #endsWithCr = false;

  constructor(name: string, text: string, keys: EditorKeys, onChange: () => void) {
    const does = (action: () => void) => () => {
      action();
      return true;
    };
    const extensions: Extension[] = [
      lineNumbers(), highlightActiveLineGutter(), highlightActiveLine(), highlightSpecialChars(), drawSelection(), history(),
      indentOnInput(), indentUnit.of("    "), bracketMatching(), closeBrackets(), autocompletion(), search({ top: true }),
      highlightSelectionMatches(), syntaxHighlighting(colours), look,
      keymap.of([
        { key: "Mod-s", preventDefault: true, run: does(() => keys.save()) },
        { key: "F5", preventDefault: true, run: does(() => keys.run()) },
        { key: "Shift-Enter", run: does(() => keys.runSelection()) },
        ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, indentWithTab,
      ]),
      EditorView.contentAttributes.of({ "aria-label": name }),
      EditorView.updateListener.of((update) => update.docChanged && onChange()),
    ];
    if (name.endsWith(".py")) extensions.push(python());
    const doc = this.#taken(text);
    if (doc.includes("\r")) extensions.push(EditorState.lineSeparator.of("\n")); // mixed: they are shown, and kept
    this.view = new EditorView({ state: EditorState.create({ doc, extensions }) });
  }

  get text(): string {
    const text = this.view.state.sliceDoc();
    return this.#endsWithCr ? text.replaceAll("\n", "\r\n") : text;
  }

  /** Another text in its place, as if a person had put it there: it can be undone. */
  set text(text: string) {
    const { doc } = this.view.state;
    const changes = { from: 0, to: doc.length, insert: this.#taken(text) };
    this.view.dispatch({ changes, annotations: isolateHistory.of("full") });
  }

  #taken(text: string): string {
    this.#endsWithCr = text.includes("\r\n") && !/\r(?!\n)|(?<!\r)\n/.test(text);
    return this.#endsWithCr ? text.replaceAll("\r\n", "\n") : text;
  }

  /** The selected lines whole, or else the line of the cursor. */
  get selectedLines(): string {
    const { doc, selection } = this.view.state;
    const from = doc.lineAt(selection.main.from).from;
    return doc.sliceString(from, doc.lineAt(selection.main.to).to);
  }
}
