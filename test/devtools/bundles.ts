/** The package and the scripts of pages, as a browser is given them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { build as buildPackage } from 'tsdown'
import packageConfig from '../../tsdown.config.ts'

/** A script of this folder, with all that it imports; the package is its source. */
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

/** Builds the package into a folder as it is for npm, but for types and maps. */
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

/** A folder of its own, and the way to remove it. */
export async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'authchart-app-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
