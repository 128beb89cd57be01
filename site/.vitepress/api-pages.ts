/** The pages of the API. TypeDoc writes them into a folder that Git ignores: see `site/api.ts`. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import build from '../../tsdown.config.ts'

/** The folder of the pages, from the root of the repository. */
export const API_FOLDER = 'site/api'

export interface ApiPage {
  /** What apps import: `authchart/fetch`. */
  readonly entry: string
  /** The path of its source, from the root of the repository. */
  readonly source: string
  /** The path of its page, from the root of the repository. */
  readonly page: string
  readonly route: string
}

export const API_PAGES: readonly ApiPage[] = Object.entries(build.entry).map(([name, source]) => {
  const entry = name === 'index' ? 'authchart' : `authchart/${name}`
  const route = `/api/${name === 'index' ? 'authchart' : name}`
  return { entry, source, page: `${API_FOLDER}/${entry}.md`, route }
})

/** What the docstring at the top of a source says of the entry. */
export function aboutEntry({ source }: ApiPage): string {
  const file = fileURLToPath(new URL(`../../${source}`, import.meta.url))
  const [, text = ''] = /\/\*\*((?:(?!\*\/)[\s\S])*?)@module/.exec(readFileSync(file, 'utf8')) ?? []
  const [paragraph = ''] = text
    .replace(/^\s*\* ?/gm, '')
    .trim()
    .split(/\n\s*\n/)
  return paragraph.replace(/\s+/g, ' ')
}
