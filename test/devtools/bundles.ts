/** Builds the package and the scripts of pages for browsers. */
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BuildOptions } from 'esbuild'
import { build as buildPackage } from 'tsdown'
import packageConfig from '../../tsdown.config.ts'
import { bundlePage } from '../support/bundle-page.ts'

/** Bundles a script of this folder with its imports. The package is bundled from source. */
export const bundleScript = (name: string, options?: BuildOptions): Promise<string> =>
  bundlePage(new URL(name, import.meta.url), options)

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

/**
 * Builds the package into the `node_modules` of an app, beside its peer.
 *
 * @returns the folder of the package
 */
export async function installInto(app: string): Promise<string> {
  const root = new URL('../../', import.meta.url).pathname
  const installed = join(app, 'node_modules/authchart')
  await mkdir(installed, { recursive: true })
  await copyFile(join(root, 'package.json'), join(installed, 'package.json'))
  await buildInto(join(installed, 'dist'))
  await symlink(join(root, 'node_modules/xstate'), join(app, 'node_modules/xstate'))
  return installed
}

/** Creates a temporary folder, and a function that removes it. */
export async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'authchart-app-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
