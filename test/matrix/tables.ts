/** The tables of the documentation, generated from the results of the matrix. */
import { readFileSync, writeFileSync } from 'node:fs'
import { GROUPS } from './portable/files.ts'
import type { Result, Results } from './results.ts'

const ROOT = new URL('../../', import.meta.url)

const row = (cells: readonly unknown[]) => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly unknown[])[], alignment: string) =>
  [row(head), row(head.map((_, index) => (index === 0 ? '---' : alignment))), ...rows.map(row)].join('\n')

const total = ({ passed }: Result) => Object.values(passed).reduce((sum, count) => sum + count, 0)
const verdict = (result: Result) =>
  result.failed.length > 0 ? `${result.failed.length} failed` : `${total(result)}`

/** One row with all runtimes and browsers. */
const shortTable = ({ results }: Results): string =>
  table(
    ['tests', ...results.map(({ name, version }) => `${name.split(' ')[0]} ${short(version)}`)],
    [['tests passed', ...results.map(verdict)]],
    '--:',
  )

const short = (version: string) => version.split('.').slice(0, 2).join('.')

/** One row for each runtime or browser, with the number of passed tests in each group. */
function longTable({ date, version, results }: Results): string {
  const groups = [
    ...new Set([...Object.keys(GROUPS), ...results.flatMap(({ passed }) => Object.keys(passed))]),
  ]
  const rows = results.map((result) => [
    `${result.name} (${result.version})`,
    ...groups.map((group) => result.passed[group] ?? ''),
    result.failed.length,
  ])
  return `Passed tests of version ${version} on ${date}:\n\n${table(['runtime', ...groups, 'failed'], rows, '--:')}`
}

/** What is different in which runtime. */
const differences = ({ results }: Results): string =>
  table(
    ['where', 'what is different', 'tests'],
    results.flatMap(({ name, differences }) =>
      differences.map(({ reason, link, tests }) => [
        name,
        link ? `${reason} [Details](${link})` : reason,
        tests,
      ]),
    ),
    '---',
  )

/** The generated parts of the documentation: the file, the name of its markers, and the content. */
const PARTS = [
  ['README.md', 'matrix', shortTable],
  ['docs/reference/support.md', 'matrix', longTable],
  ['docs/reference/support.md', 'differences', differences],
] as const

const withPart = (text: string, name: string, content: string) =>
  text.replace(
    new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
    (_, begin: string, end: string) => `${begin}\n${content}\n\n${end}`,
  )

/** The files that have generated parts, with those parts as they should be. */
export function withTables(
  results: Results,
): ReadonlyMap<string, { readonly is: string; readonly be: string }> {
  const files = new Map<string, { is: string; be: string }>()
  for (const [file, name, render] of PARTS) {
    const is = files.get(file)?.is ?? readFileSync(new URL(file, ROOT), 'utf8')
    if (!is.includes(`<!-- ${name} -->`)) throw new Error(`${file} has no place for the table "${name}".`)
    files.set(file, { is, be: withPart(files.get(file)?.be ?? is, name, render(results)) })
  }
  return files
}

export function writeTables(results: Results): void {
  for (const [file, { is, be }] of withTables(results)) if (is !== be) writeFileSync(new URL(file, ROOT), be)
}
