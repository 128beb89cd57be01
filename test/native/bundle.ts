/** Bundles the built package with Metro, as an app in React Native does. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackage } from '../package/built.ts'

const root = new URL('../../', import.meta.url).pathname
const require = createRequire(import.meta.url)
const Metro: typeof import('metro') = require('metro')
const { FileStore }: typeof import('metro-cache') = require('metro-cache')
const { getDefaultConfig, mergeConfig }: typeof import('@react-native/metro-config') =
  require('@react-native/metro-config')

/** Packages that no app in React Native has: they draw into a page, or need Node. */
const ELSEWHERE = /^(?:@angular\/|rxjs|solid-js|svelte|vue|undici)/
const PHONE = join(root, 'test/native/phone')
/** What the transformer made of each file stays here for the next run. */
const CACHE = join(tmpdir(), 'authchart-metro')

export interface App {
  readonly folder: string
  /**
   * Bundles a module.
   *
   * @param code the text of the module, or the name of a file in `phone/`
   * @returns the bundle
   */
  bundle(code: string, platform: 'android' | 'ios'): Promise<string>
  close(): void
}

/** Creates an app in a folder of its own, with the built package in its `node_modules`. */
export async function createApp(): Promise<App> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'authchart-native-')))
  await installPackage(folder)
  writeFileSync(join(folder, 'package.json'), '{ "name": "app" }')
  mkdirSync(CACHE, { recursive: true })
  const config = mergeConfig(getDefaultConfig(folder), {
    projectRoot: folder,
    watchFolders: [folder, PHONE, join(root, 'node_modules')],
    resolver: {
      nodeModulesPaths: [join(folder, 'node_modules'), join(root, 'node_modules')],
      unstable_enablePackageExports: true,
      unstable_conditionNames: ['react-native'],
      resolveRequest(context, name, platform) {
        if (ELSEWHERE.test(name)) return { type: 'empty' }
        // Most of React Native are components.
        if (name === 'react-native') return { type: 'sourceFile', filePath: join(PHONE, 'react-native.js') }
        return context.resolveRequest(context, name, platform)
      },
    },
    cacheStores: [new FileStore({ root: CACHE })],
    fileMapCacheDirectory: CACHE,
    maxWorkers: 1,
    reporter: { update() {} },
  })
  let count = 0
  return {
    folder,
    async bundle(code, platform) {
      const isFile = code.endsWith('.js')
      const entry = isFile ? join(PHONE, code) : join(folder, `entry-${++count}.js`)
      if (!isFile) writeFileSync(entry, code)
      const out = join(folder, 'bundle.js')
      const { code: bundled } = await Metro.runBuild(config, {
        entry,
        platform,
        dev: false,
        minify: false,
        out,
      })
      return bundled
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
