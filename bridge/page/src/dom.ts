/** Making elements without a framework. Text goes in as text, never as HTML: names come from boards. */

type Child = Node | string;
type Properties<T> = Partial<Omit<T, "style" | "dataset">> & { aria?: Record<string, string>; data?: Record<string, string> };

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties<HTMLElementTagNameMap[K]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const { aria = {}, data = {}, ...rest } = properties;
  Object.assign(element, rest);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

/** A button from a pair of texts: what it says, and what it does in a sentence. */
export function button([label, title]: readonly [string, string], onclick: () => void, className = ""): HTMLButtonElement {
  return h("button", { type: "button", className, title, onclick }, label);
}

/** Have the browser save something. */
export function saveAs(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  h("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
