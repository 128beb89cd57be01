/** Builds the package and the scripts of pages for browsers. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { build as buildPackage } from 'tsdown'
import packageConfig from '../../tsdown.config.ts'

/** Bundles a script of this folder with its imports. The package is bundled from source. */
export async function bundleScript(name: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, name)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    ...options,
  })
  return outputFiles?.[0]?.text ?? ''
}

/** Builds the package into a folder like for npm, but without types and source maps. */
export const buildInto = (folder: string) =>
  buildPackage({
    ...packageConfig,
    config: false,
    outDir: folder,
    clean: false,
    dts: false,
    sourcemap: false,
    report: false,
    logLevel: 'warn',
  })

/** Creates a temporary folder, and a function that removes it. */
export async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'authchart-app-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
