import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { triedHere } from '../support/code-seed.ts'
import { installPackage } from './built.ts'
import { COMPILERS } from './compilers.ts'

/** Entries for servers, which need the types of Node and none of the DOM. */
const SERVER = [
  'server',
  'file',
  'hono',
  'express',
  'fastify',
  'next',
  'sveltekit',
  'nuxt',
  'react-router',
  'redis',
  'postgres',
  'undici',
  'logout-token',
  'mcp',
  'testing',
].map((name) => `./${name}`)
/** Entries whose peers have many types, some of which do not compile with every version. */
const FRAMEWORKS = ['angular', 'connect', 'grpc', 'vue', 'solid', 'svelte', 'react', 'ofetch', 'axios'].map(
  (name) => `./${name}`,
)
const ENTRIES = Object.keys(manifest.exports).filter((entry) => entry !== './package.json')
const OTHERS = ENTRIES.filter((entry) => !SERVER.includes(entry) && !FRAMEWORKS.includes(entry))

const BROWSER_LIB = ['ES2022', 'DOM', 'DOM.Iterable']
const DISPOSABLE = 'ESNext.Disposable'
const RESOLUTIONS = {
  bundler: { module: 'ESNext', moduleResolution: 'bundler' },
  nodenext: { module: 'NodeNext', moduleResolution: 'NodeNext' },
}

const importAll = (entries: readonly string[]) =>
  entries
    .map((entry, index) => `import * as e${index} from 'authchart${entry.slice(1)}'\nexport { e${index} }\n`)
    .join('')

describe('the types of the package, checked with skipLibCheck: false', { timeout: 60_000 }, () => {
  const root = new URL('../../', import.meta.url).pathname
  let folder: string

  beforeAll(async () => {
    // Below the folder of the peers, where the compilers find them.
    mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
    folder = mkdtempSync(join(root, 'node_modules/.cache/consumer-'))
    await installPackage(folder)
    for (const name of ['browser.ts', 'server.ts', 'disposal.ts'])
      cpSync(new URL(`consumer/${name}`, import.meta.url), join(folder, name))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'all-browser.ts'), importAll(OTHERS))
    writeFileSync(join(folder, 'all-server.ts'), importAll(['.', ...SERVER]))
    writeFileSync(join(folder, 'all-frameworks.ts'), importAll(FRAMEWORKS))
  }, 120_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  describe.each(triedHere(COMPILERS, 4))('TypeScript %s', (_, compile) => {
    const check = (files: readonly string[], lib: readonly string[], options: object, withXState = false) =>
      compile({
        folder,
        files,
        withXState,
        compilerOptions: {
          target: 'ES2022',
          lib,
          types: [],
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          ...options,
        },
      })

    it.each(Object.entries(RESOLUTIONS))(
      'a page compiles with the types of a browser alone, by moduleResolution: %s',
      async (resolution, options) => {
        const withXState = resolution === 'bundler'
        const files = ['browser.ts', 'all-browser.ts']
        expect(await check(files, BROWSER_LIB, options, withXState)).toEqual([])
      },
    )

    it.each(Object.entries(RESOLUTIONS))(
      'using and await using compile if the types know Symbol.dispose, by moduleResolution: %s',
      async (_resolution, options) => {
        const files = ['browser.ts', 'disposal.ts']
        expect(await check(files, [...BROWSER_LIB, DISPOSABLE], options)).toEqual([])
      },
    )

    it('a server compiles without the types of a browser', async () => {
      const options = { ...RESOLUTIONS.nodenext, types: ['node'] }
      expect(await check(['server.ts', 'all-server.ts'], ['ES2022'], options)).toEqual([])
    })

    it('the types for frameworks have no error of their own', async () => {
      const errors = await check(['all-frameworks.ts'], BROWSER_LIB, RESOLUTIONS.nodenext)
      expect(errors.filter((error) => !error.startsWith('../'))).toEqual([])
    })

    it('with exactOptionalPropertyTypes, only the types of XState have errors', async () => {
      const options = { ...RESOLUTIONS.bundler, exactOptionalPropertyTypes: true }
      const errors = await check(['browser.ts'], BROWSER_LIB, options, true)
      expect(errors.filter((error) => !error.startsWith('../../xstate/'))).toEqual([])
    })
  })
})
