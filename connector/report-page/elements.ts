import domino from 'domino';

/** As much of a DOM element as the page needs. */
export interface Element {
  appendChild(child: unknown): void;
  setAttribute(name: string, value: string): void;
  readonly outerHTML: string;
}

export type Child = Element | string | null | readonly Child[];

/** What Plot draws with, and elements are made by. */
export const document = domino.createDocument();

/**
 * An element with these attributes (null: left out) and children. Text is only ever text: whatever it holds, none of it becomes an element.
 */
export function h(name: string, attributes: Readonly<Record<string, string | null>>, ...children: Child[]): Element {
  const element: Element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(key, value);
  append(element, children);
  return element;
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null) continue;
    if (Array.isArray(child)) append(element, child);
    else element.appendChild(typeof child === 'string' ? document.createTextNode(child) : child);
  }
}

/** A table that is wider than a phone scrolls by itself, by keyboard too, and the page does not. */
export function scrollingTable(label: string, kind: string | null, ...children: Child[]): Element {
  const region = { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': label };
  return h('div', region, h('table', { class: kind }, children));
}

/** A name that may go on in the next line behind each underscore. */
export function breakable(name: string): Child {
  return name.split(/(?<=_)/).map((part, at) => (at === 0 ? part : [h('wbr', {}), part]));
}
