import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Replaces a module by its twin: `messages.ts` by `messages.production.ts`, if there is one. */
export function productionTwins() {
  return {
    name: 'production-twins',
    resolveId(id: string, importer: string | undefined) {
      if (!importer || !id.startsWith('.') || !id.endsWith('.ts')) return null
      const twin = fileURLToPath(new URL(id.replace(/\.ts$/, '.production.ts'), `file://${importer}`))
      return existsSync(twin) ? twin : null
    },
  }
}
