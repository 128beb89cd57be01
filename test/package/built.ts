/** The built package, for tests that use it as an app does. */
import { cpSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'tsdown'
import development from '../../tsdown.config.ts'
import productionBuilds from '../../tsdown.production.config.ts'

const root = new URL('../../', import.meta.url).pathname
const SOURCES = [
  'src',
  'machines',
  'scripts',
  'package.json',
  'tsdown.config.ts',
  'tsdown.production.config.ts',
]

/** When the newest of some files and folders was changed. */
function changedAt(path: string): number {
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: 0 }
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return mtimeMs
  return Math.max(...readdirSync(path).map((name) => changedAt(join(path, name))))
}

/**
 * Puts the package into the `node_modules` of an app. It copies `dist/` if that is newer than the sources, as in CI. Otherwise it
 * builds, which takes half a minute.
 *
 * @returns the folder of the package
 */
export async function installPackage(app: string): Promise<string> {
  const installed = join(app, 'node_modules/authchart')
  mkdirSync(installed, { recursive: true })
  cpSync(join(root, 'package.json'), join(installed, 'package.json'))
  const builtAt = statSync(join(root, 'dist/browser/index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (builtAt > Math.max(...SOURCES.map((name) => changedAt(join(root, name))))) {
    cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true })
    return installed
  }
  for (const { outDir = 'dist', ...config } of [
    development,
    ...productionBuilds,
  ] as (typeof productionBuilds)[number][])
    await build({
      ...config,
      config: false,
      cwd: root,
      outDir: join(installed, outDir),
      sourcemap: false,
      report: false,
      logLevel: 'warn',
    })
  return installed
}
