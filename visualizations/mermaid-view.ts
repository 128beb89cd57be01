import { anyId, edgeLines, escaped, id, mermaidLines, quoted, reactionLine } from './names.ts'
import type { End, View } from './views.ts'

export interface MermaidOptions {
  /** The direction in which the drawing grows. Default: down. */
  readonly direction?: 'LR' | 'TB'
}

/**
 * Writes a part of a chart as a Mermaid state diagram.
 *
 * @returns The text of a `stateDiagram-v2`, ending in a newline.
 */
export function viewToMermaid(view: View, { direction }: MermaidOptions = {}): string {
  const { ends, arrows, reactions, initial, guards } = view
  const lines = [
    ...(direction ? [`direction ${direction}`] : []),
    ...initial.map((node) => `[*] --> ${id(node)}`),
    ...ends.map((end) => `state ${quoted(end.name)} as ${key(end)}`),
    ...reactions.map(({ at, transition }) => `${key(at)} : ${escaped(reactionLine(transition))}`),
    ...arrows.map(({ from, to, transitions }) => {
      const text = mermaidLines(edgeLines(transitions, guards))
      return `${key(from)} --> ${key(to)}${text === '' ? '' : ` : ${text}`}`
    }),
  ]
  return ['stateDiagram-v2', ...lines.map((line) => `  ${line}`), ''].join('\n')
}

function key({ node, any }: End): string {
  return any ? anyId(node) : id(node)
}
