/** The chart and its layouts as data: for Stately's tools, for inspectors, for a panel in a running app. */
import type { AnyStateMachine } from 'xstate'
import type { ChartLayout } from '../src/devtools/chart/chart-layout.ts'

/** As small as JSON gets, with a line for each thing that changes by itself. */
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

/** The chart as Stately's tools take it, without what runs. */
export function chartJson({ config }: AnyStateMachine): string {
  return `${JSON.stringify(config, null, 2)}\n`
}

/** A module with layouts, for what draws them in a running app. */
export function layoutModule(notice: string, layouts: Readonly<Record<string, ChartLayout>>): string {
  const constants = Object.entries(layouts).map(
    ([name, layout]) =>
      `/** ${layout.title}. */\nexport const ${name}: ChartLayout = ${parsed(JSON.stringify(layout))}\n`,
  )
  return [`// ${notice}`, "import type { ChartLayout } from './chart-layout.ts'", '', ...constants].join('\n')
}

/** A module with the chart as an inspector shows it. */
export function definitionModule(notice: string, { config }: AnyStateMachine): string {
  const about = '/** The chart as inspectors show it, with what the built one leaves out. */'
  const chart = JSON.stringify(inspected(JSON.parse(JSON.stringify(config))))
  return `// ${notice}\n\n${about}\nexport const definition: object = ${parsed(chart)}\n`
}

/** Actions by their names, and none of those that only write the log. */
function inspected(chart: unknown): unknown {
  if (Array.isArray(chart)) return chart.map(inspected).filter((part) => part !== undefined)
  if (typeof chart !== 'object' || chart === null) return chart
  if ('params' in chart && 'type' in chart) return chart.type === 'enter' ? undefined : chart.type
  return Object.fromEntries(Object.entries(chart).map(([key, part]) => [key, inspected(part)]))
}

/** JSON in a module, the way that is the smallest and the fastest to read, and as the formatter would have it. */
function parsed(text: string): string {
  const literal = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  return `/* @__PURE__ */ JSON.parse(\n  '${literal}',\n)`
}
