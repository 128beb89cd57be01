import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build as buildByEsbuild } from 'esbuild'
import { build as buildByVite } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import reactExample from '../../examples/react/vite.config.ts'
import { installInto, newFolder } from './bundles.ts'

/** Strings in any bundle that contains the panel: the names of its element and of its file format. */
const TRACES = ['authchart-devtools', 'authchart-recording']

const SESSION = `
  import { createAuth } from 'authchart'
  export const auth = createAuth({ refresh: async () => ({ access_token: 'one' }) })
  document.title = 'the app is here'
`

/** Ways to add the panel to an app. */
const STATIC = `
  import { showDevtools } from 'authchart/devtools'
  import { auth } from './session.js'
  if (import.meta.env.DEV) showDevtools(auth)
`
const DYNAMIC = `
  import { auth } from './session.js'
  if (import.meta.env.DEV) {
    const { showDevtools } = await import('authchart/devtools')
    showDevtools(auth)
  }
`
const UNGUARDED = STATIC.replace('if (import.meta.env.DEV)', '')

describe('a production build of an app', () => {
  let place: Awaited<ReturnType<typeof newFolder>>
  let app: string
  const { NODE_ENV } = process.env

  beforeAll(async () => {
    // Vite reads it, and the test runner has set it to "test".
    process.env.NODE_ENV = 'production'
    place = await newFolder()
    app = place.folder
    await installInto(app)
    await writeFile(join(app, 'session.js'), SESSION)
  }, 180_000)
  afterAll(async () => {
    process.env.NODE_ENV = NODE_ENV
    await place?.remove()
  })

  /** The text of all files of an output folder. */
  async function textOf(folder: string): Promise<string> {
    const files = await readdir(folder, { recursive: true, withFileTypes: true })
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), 'utf8'))
    return (await Promise.all(texts)).join('\n')
  }

  const tracesIn = (output: string) => TRACES.filter((trace) => output.includes(trace))

  async function byVite(main: string): Promise<string> {
    await writeFile(join(app, 'main.js'), main)
    await writeFile(join(app, 'index.html'), '<script type="module" src="./main.js"></script>')
    await buildByVite({ configFile: false, root: app, logLevel: 'warn', build: { target: 'es2022' } })
    return textOf(join(app, 'dist'))
  }

  async function byEsbuild(main: string): Promise<string> {
    const outdir = join(app, 'out')
    await rm(outdir, { recursive: true, force: true })
    await buildByEsbuild({
      stdin: { contents: main, resolveDir: app },
      bundle: true,
      splitting: true,
      format: 'esm',
      target: 'es2022',
      outdir,
      define: { 'import.meta.env.DEV': 'false' },
      logLevel: 'warning',
    })
    return textOf(outdir)
  }

  describe.each([
    ['Vite', byVite],
    ['esbuild', byEsbuild],
  ])('by %s', (_, build) => {
    it.each([
      ['dynamically', DYNAMIC],
      ['statically', STATIC],
    ])('contains no code of the panel if it is imported %s', async (_, main) => {
      const output = await build(main)
      expect(output).toContain('the app is here')
      expect(tracesIn(output)).toEqual([])
    })

    it('contains the panel if it is called without a guard', async () => {
      expect(tracesIn(await build(UNGUARDED))).toEqual(TRACES)
    })
  })

  it('contains no code of the panel for the React example', async () => {
    const outDir = join(app, 'react')
    await buildByVite({
      ...reactExample,
      configFile: false,
      logLevel: 'warn',
      build: { outDir, emptyOutDir: true },
    })
    const output = await textOf(outDir)
    expect(output).toContain('Looking for your session')
    expect(tracesIn(output)).toEqual([])
  })
})
