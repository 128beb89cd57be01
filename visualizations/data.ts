/** Writes the chart and its layouts as data: for Stately's tools, for inspectors, and for the panel in a running app. */
import type { AnyStateMachine } from 'xstate'
import type { ChartLayout } from '../src/devtools/chart/chart-layout.ts'

/** Writes a layout as compact JSON, with one line per item, so that diffs stay small. */
export function layoutJson(layout: ChartLayout): string {
  const lines = Object.entries(layout).map(([key, value]) => {
    const list = Array.isArray(value) && value.length > 0
    const text = list
      ? `[\n${value.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`
      : JSON.stringify(value)
    return `  ${JSON.stringify(key)}: ${text}`
  })
  return `{\n${lines.join(',\n')}\n}\n`
}

/** Writes the chart for Stately's tools, without implementations. */
export function chartJson(machine: AnyStateMachine): string {
  return `${JSON.stringify(withInheritedTags(machine), null, 2)}\n`
}

/** Writes a module with layouts, for the panel in a running app. */
export function layoutModule(notice: string, layouts: Readonly<Record<string, ChartLayout>>): string {
  const constants = Object.entries(layouts).map(
    ([name, layout]) =>
      `/** ${layout.title}. */\nexport const ${name}: ChartLayout = ${parsed(JSON.stringify(layout))}\n`,
  )
  return [`// ${notice}`, "import type { ChartLayout } from './chart-layout.ts'", '', ...constants].join('\n')
}

/** Writes a module with the chart, for inspectors. */
export function definitionModule(notice: string, machine: AnyStateMachine): string {
  const about = '/** The chart as inspectors show it, with what the built one leaves out. */'
  const chart = JSON.stringify(withInheritedTags(machine))
  return `// ${notice}\n\n${about}\nexport const definition: object = ${parsed(chart)}\n`
}

interface State {
  readonly tags?: string | readonly string[]
  readonly states?: Readonly<Record<string, State>>
}

/**
 * Copies the config of a chart. Each state gets the tags of its ancestors, too, as in the snapshots of a running chart: a
 * tool that shows a single state shows what happens to requests in it.
 */
function withInheritedTags({ config }: AnyStateMachine): State {
  return inherited(JSON.parse(JSON.stringify(config)), [])
}

function inherited({ states, ...state }: State, ancestors: readonly string[]): State {
  const tags = [...ancestors, ...[state.tags ?? []].flat()]
  const children = Object.entries(states ?? {}).map(([key, child]) => [key, inherited(child, tags)])
  return {
    ...state,
    ...(tags.length > 0 && { tags }),
    ...(states && { states: Object.fromEntries(children) }),
  }
}

/** Writes a `JSON.parse` call: smaller and faster to load than a literal. Formatted like biome would format it. */
function parsed(text: string): string {
  const literal = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  return `/* @__PURE__ */ JSON.parse(\n  '${literal}',\n)`
}
