/** Aliases for Vite: the package name, which examples and tests import, leads to the source. */
import { fileURLToPath } from 'node:url'
import build from '../tsdown.config.ts'

export const sources = Object.entries(build.entry).map(([name, source]) => ({
  find: new RegExp(`^authchart${name === 'index' ? '' : `/${name}`}$`),
  replacement: fileURLToPath(new URL(`../${source}`, import.meta.url)),
}))
