type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** Creates an element. `true` sets an attribute without a value; `false` and `undefined` leave it out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value))
  element.append(...children)
  return element
}

/** Writes only changed text, because most of a panel stays the same from one frame to the next. */
export function setText(element: Element, text: string) {
  if (element.textContent !== text) element.textContent = text
}

export function setData(element: HTMLElement | SVGElement, name: string, value: string | undefined) {
  if (value === undefined) delete element.dataset[name]
  else if (element.dataset[name] !== value) element.dataset[name] = value
}

let lastId = 0
/** Creates a card, labelled by its heading. */
export function card(name: string, title: string, ...children: readonly (Node | string)[]) {
  const id = `authchart-${name}-${++lastId}`
  const heading = h('h2', { id }, title)
  const header = h('header', {}, heading)
  return {
    element: h('section', { class: `card ${name}`, 'aria-labelledby': id }, header, ...children),
    header,
  }
}

export function button(label: string, attributes: Attributes, press: () => void): HTMLButtonElement {
  const element = h('button', { type: 'button', ...attributes }, label)
  element.addEventListener('click', press)
  return element
}

/** Creates a button that is on or off. */
export function toggle(label: string, attributes: Attributes, on: boolean, flip: (on: boolean) => void) {
  const element = button(label, { ...attributes, 'aria-pressed': String(on) }, () => {
    const next = element.getAttribute('aria-pressed') !== 'true'
    element.setAttribute('aria-pressed', String(next))
    flip(next)
  })
  return element
}
