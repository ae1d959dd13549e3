// DOM builders; all values become text, never HTML.

/** Child of an element: nodes and text; null and false leave nothing. */
export type Child = Node | string | number | null | false | readonly Child[];

type Attribute = string | number | boolean | null | ((event: Event) => void);

/**
 * Makes an element. Functions are listeners, and their names begin with `on` (`onclick`); true is
 * an attribute without a value, false and null are none. Strings become text, never HTML.
 */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, Attribute>> | null = null,
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null) element.setAttribute(name, String(value));
  }
  element.append(...nodesOf(children));
  return element;
}

/** Replaces the children of an element. */
export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren(...nodesOf(children));
}

/** Flattens children to arguments of `append`. */
function nodesOf(children: readonly Child[]): (Node | string)[] {
  return children.flatMap((child): (Node | string)[] => {
    if (child === null || child === false) return [];
    if (child instanceof Node) return [child];
    return typeof child === 'object' ? nodesOf(child) : [String(child)];
  });
}

let made = 0;

/** Returns an id that no other element of the page has. */
export function freshId(): string {
  return `made-${++made}`;
}

/** Button with a listener; `variant`: classes like `primary` or `quiet small`. */
export function button(text: Child, variant: string, press: () => void): HTMLButtonElement {
  return make('button', { type: 'button', class: variant, onclick: () => press() }, text);
}
