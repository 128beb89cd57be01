/** An element of a drawing. It can be written as text or created in a page. */
export interface SvgNode {
  readonly tag: string
  readonly attributes: Readonly<Record<string, string | number>>
  readonly children: readonly (SvgNode | string)[]
}

/** Creates an element. Attributes and children that are undefined are left out. */
export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...children: readonly (SvgNode | string | undefined)[]
): SvgNode {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined)
  return {
    tag,
    attributes: Object.fromEntries(given) as SvgNode['attributes'],
    children: children.filter((child) => child !== undefined),
  }
}

/** Writes a drawing as text. `between` is put between the outermost parts, for example a line break. */
export function svgText({ tag, attributes, children }: SvgNode, between = ''): string {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
  if (children.length === 0) return `<${tag}${written.join('')}/>`
  const inner = children.map((child) => (typeof child === 'string' ? escaped(child) : svgText(child)))
  return [`<${tag}${written.join('')}>`, ...inner, `</${tag}>`, ''].join(between)
}

/** Creates a drawing as an element. It parses no markup, so it works under any content security policy. */
export function svgElement({ tag, attributes, children }: SvgNode): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes))
    if (name !== 'xmlns') element.setAttribute(name, String(value))
  element.append(...children.map((child) => (typeof child === 'string' ? child : svgElement(child))))
  return element
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
