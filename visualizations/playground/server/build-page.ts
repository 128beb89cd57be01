import { fileURLToPath } from 'node:url'
import { build, type Rolldown } from 'vite'
import { sources } from '../../../scripts/sources.ts'
import { twins } from '../../../scripts/twins.ts'

/** A served file of the page. */
export interface PageFile {
  readonly type: string
  readonly body: string | Uint8Array
}

/** The files of the page, by path: `/`, `/assets/…`. */
export type PageFiles = ReadonlyMap<string, PageFile>

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

const typeOf = (path: string) => TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream'

/**
 * Builds the page for production. A development server adds inline scripts, which the strict policy blocks.
 *
 * @param where `browser`: its server runs in the browser, and it may be in any folder of a site
 */
export async function buildPage(where: 'server' | 'browser' = 'server'): Promise<PageFiles> {
  const plugins = () => (where === 'browser' ? [{ ...twins('browser'), enforce: 'pre' as const }] : [])
  const built = await build({
    root: fileURLToPath(new URL('../page', import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    base: where === 'browser' ? './' : '/',
    plugins: plugins(),
    worker: { format: 'es', plugins },
    resolve: { alias: sources },
    build: { write: false, target: 'es2022', modulePreload: false, assetsInlineLimit: 0 },
  })
  const [output] = [built].flat() as [Rolldown.RolldownOutput]
  return new Map(
    output.output.map((file) => [
      file.fileName === 'index.html' ? '/' : `/${file.fileName}`,
      { type: typeOf(file.fileName), body: file.type === 'chunk' ? file.code : file.source },
    ]),
  )
}
