/** The results of the matrix: kept in `results.json`, from which the tables of the documentation are generated. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** What happened in one runtime or browser. */
export interface Result {
  readonly name: string
  readonly version: string
  /** How many tests passed, by group. */
  readonly passed: Readonly<Record<string, number>>
  /** Titles of failed tests. */
  readonly failed: readonly string[]
  /** What is different there, and how many tests show it. */
  readonly differences: readonly {
    readonly reason: string
    readonly link?: string | undefined
    readonly tests: number
  }[]
}

export interface Results {
  /** The day of the last run, as `2026-11-30`. */
  readonly date: string
  /** The version of the package. */
  readonly version: string
  readonly results: readonly Result[]
}

const FILE = new URL('./results.json', import.meta.url)

export const readResults = (): Results => {
  const none: Results = { date: '', version: '', results: [] }
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Results) : none
}

/**
 * Replaces the result of one runtime or browser, and keeps the others.
 *
 * @param order the names of all runtimes and browsers, in the order of the table
 */
export function writeResults(ran: Result, order: readonly string[], version: string): Results {
  const all = new Map([...readResults().results, ran].map((result) => [result.name, result]))
  const results = order.flatMap((name) => all.get(name) ?? [])
  const next = { date: new Date().toISOString().slice(0, 10), version, results }
  writeFileSync(FILE, `${JSON.stringify(next, null, 2)}\n`)
  return next
}
