/** Draws the sequence diagrams of the pages, which GitHub draws by itself: participants, messages and notes. */
import type { MarkdownRenderer } from 'vitepress'

const WIDTH = 760
/** Space for half the name of the first and of the last participant. */
const MARGIN = 70
const HEAD = 44
const ROW = 30

const PARTICIPANT = /^participant (\w+) as (.+)$/
const MESSAGE = /^(\w+)(-->>|->>|-x|-\))(\w+): (.+)$/
const NOTE = /^Note over (\w+)(?:,(\w+))?: (.+)$/

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const words = (x: number, y: number, text: string) => `<text x="${x}" y="${y}">${escaped(text)}</text>`

/** @throws Error for a line that this does not know */
function drawingOf(source: string): string {
  const lines = source.split('\n').map((line) => line.trim())
  const names = new Map<string, string>()
  for (const line of lines) {
    const [, id, name] = PARTICIPANT.exec(line) ?? []
    if (id && name) names.set(id, name)
  }
  const ids = [...names.keys()]
  const xOf = (id = '') => MARGIN + (ids.indexOf(id) * (WIDTH - 2 * MARGIN)) / Math.max(1, ids.length - 1)

  const steps = lines.filter((line) => line && !/^(%%|sequenceDiagram$|participant )/.test(line))
  const drawn = steps.map((line, index) => {
    const y = HEAD + ROW * (index + 1)
    const [, from, arrow, to, said] = MESSAGE.exec(line) ?? []
    if (from && to && said) {
      const [start, end] = [xOf(from), xOf(to)]
      const dashes = arrow === '-->>' ? ' class="answer"' : ''
      const tip = end - Math.sign(end - start) * 7
      return `<path${dashes} d="M${start} ${y}H${tip}"/><path class="tip" d="M${end} ${y}L${tip} ${y - 4}v8z"/>${words((start + end) / 2, y - 6, said)}`
    }
    const [, first, last = first, noted] = NOTE.exec(line) ?? []
    if (!first || !noted) throw new Error(`A sequence diagram has the line: ${line}`)
    const middle = (xOf(first) + xOf(last)) / 2
    const width = Math.max(Math.abs(xOf(last) - xOf(first)) + 60, noted.length * 6.6 + 16)
    return `<rect class="note" x="${middle - width / 2}" y="${y - 19}" width="${width}" height="24" rx="6"/>${words(middle, y - 3, noted)}`
  })
  const height = HEAD + ROW * (steps.length + 1)
  const heads = ids.map(
    (id) =>
      `<path class="life" d="M${xOf(id)} ${HEAD - 8}V${height}"/><rect x="${xOf(id) - 62}" y="6" width="124" height="30" rx="6"/>${words(xOf(id), 25, names.get(id) ?? '')}`,
  )
  const label = `Sequence diagram: ${[...names.values()].join(', ')}`
  return `<div class="table-box" tabindex="0"><svg class="sequence" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(label)}">${heads.join('')}${drawn.join('')}</svg></div>\n`
}

export function sequences({ renderer }: MarkdownRenderer): void {
  const { fence } = renderer.rules
  renderer.rules.fence = (tokens, index, ...rest) => {
    const { info = '', content = '' } = tokens[index] ?? {}
    if (info === 'mermaid' && content.includes('sequenceDiagram')) return drawingOf(content)
    return fence?.(tokens, index, ...rest) ?? ''
  }
}
