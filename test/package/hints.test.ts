import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build as buildByEsbuild } from 'esbuild'
import { build as buildPackage } from 'tsdown'
import { build as buildByVite } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import webpack from 'webpack'
import productionBuilds from '../../tsdown.production.config.ts'
import { installInto, newFolder } from '../devtools/bundles.ts'

/** Words of every explanation. */
const WORDS = [
  'sent without a token',
  'its origin is not listed',
  'goes over plain http',
  'Authorization header of its own',
  'option exclude names it',
  'No lifetime was found',
  'must be a number of seconds',
  'auth must be what',
  'origins must be a list',
  'had no refresh token to send',
  'no listener for storageFailed',
  'threw a TypeError of its own',
  ' has no option ',
  'knows no event',
  'Return that field',
]
const APP = `
  import { createAuth } from 'authchart'
  import { createAuthFetch } from 'authchart/fetch'
  import { attachAuth } from 'authchart/axios'
  import { webStorage } from 'authchart/storage'
  const auth = createAuth({ refresh: async () => ({ access_token: 'one' }), storage: webStorage() })
  auth.on('expired', () => {})
  document.title = 'the app is here'
  export const api = createAuthFetch(auth)
  export const attach = (instance) => attachAuth(instance, auth)
`

describe('the explanations of mistakes', () => {
  let place: Awaited<ReturnType<typeof newFolder>>
  let app: string
  const { NODE_ENV } = process.env

  beforeAll(async () => {
    // Vite reads it, and the test runner has set it to "test".
    process.env.NODE_ENV = 'production'
    place = await newFolder()
    app = place.folder
    const installed = await installInto(app)
    for (const build of productionBuilds)
      await buildPackage({
        ...build,
        config: false,
        outDir: join(installed, String(build.outDir)),
        sourcemap: false,
        report: false,
        logLevel: 'warn',
      })
    await writeFile(join(app, 'main.js'), APP)
    await writeFile(join(app, 'index.html'), '<script type="module" src="./main.js"></script>')
  }, 120_000)
  afterAll(async () => {
    process.env.NODE_ENV = NODE_ENV
    await place?.remove()
  })

  async function byVite(): Promise<string> {
    await buildByVite({
      configFile: false,
      root: app,
      logLevel: 'warn',
      build: { target: 'es2022', rolldownOptions: { external: 'axios' } },
    })
    const files = await readdir(join(app, 'dist/assets'))
    return (await Promise.all(files.map((file) => readFile(join(app, 'dist/assets', file), 'utf8')))).join()
  }

  async function byEsbuild(...conditions: string[]): Promise<string> {
    const { outputFiles } = await buildByEsbuild({
      stdin: { contents: APP, resolveDir: app },
      bundle: true,
      external: ['axios'],
      minify: true,
      write: false,
      format: 'esm',
      target: 'es2022',
      conditions: ['module', ...conditions],
    })
    return outputFiles[0]?.text ?? ''
  }

  function byWebpack(mode: 'production' | 'development'): Promise<string> {
    const compiler = webpack({
      mode,
      // Or else the words would be within strings of source code.
      devtool: false,
      context: app,
      entry: './main.js',
      externals: ['axios'],
      output: { path: join(app, 'webpack'), filename: `${mode}.js` },
    })
    return new Promise((resolve, reject) => {
      compiler.run((error, stats) => {
        if (error || stats?.hasErrors()) return reject(error ?? new Error(stats?.toString()))
        readFile(join(app, 'webpack', `${mode}.js`), 'utf8').then(resolve, reject)
      })
    })
  }

  const explained = (output: string) => WORDS.filter((words) => output.includes(words))

  it.each([
    ['Vite', byVite],
    ['webpack', () => byWebpack('production')],
    ['esbuild, for browsers', () => byEsbuild('production', 'browser')],
    ['esbuild, for servers', () => byEsbuild('production')],
  ])('are missing in a production build by %s', async (_, build) => {
    const output = await build()
    expect(output).toContain('the app is here')
    expect(explained(output)).toEqual([])
    expect(output).not.toMatch(/explain/i)
  })

  it.each([
    ['esbuild', () => byEsbuild()],
    ['webpack', () => byWebpack('development')],
  ])('are all there in a build for development by %s', async (_, build) => {
    expect(explained(await build())).toEqual(WORDS)
  })
})
