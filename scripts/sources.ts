/** The package by its name, as examples and tests import it, is its source here: aliases for Vite. */
import { fileURLToPath } from 'node:url'
import build from '../tsdown.config.ts'

export const sources = Object.entries(build.entry).map(([name, source]) => ({
  find: new RegExp(`^authchart${name === 'index' ? '' : `/${name}`}$`),
  replacement: fileURLToPath(new URL(`../${source}`, import.meta.url)),
}))
