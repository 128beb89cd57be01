import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Replaces a module by its twin for a build: `messages.ts` by `messages.production.ts`, if there is one.
 *
 * @param kinds names of builds; a twin of the first has precedence
 */
export function twins(...kinds: readonly string[]) {
  return {
    name: 'twins',
    resolveId(id: string, importer: string | undefined) {
      if (!importer || !id.startsWith('.') || !id.endsWith('.ts')) return null
      const files = kinds.map((kind) =>
        fileURLToPath(new URL(id.replace(/ts$/, `${kind}.ts`), `file://${importer}`)),
      )
      return files.find(existsSync) ?? null
    },
  }
}
