import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import vm from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { triedHere } from '../support/code-seed.ts'
import { type App, createApp } from './bundle.ts'

/** What `phone/app.js` reports. */
interface Results {
  readonly [scenario: string]: unknown
}

const FOLDERS: Partial<Record<string, string>> = {
  linux: 'linux64-bin',
  darwin: 'osx-bin',
  win32: 'win64-bin',
}
const hermes = join(
  dirname(createRequire(import.meta.url).resolve('hermes-engine-cli/package.json')),
  FOLDERS[process.platform] ?? '',
  process.platform === 'win32' ? 'hermes.exe' : 'hermes',
)
const hasHermes = process.arch === 'x64' && existsSync(hermes)
if (!hasHermes)
  console.warn('NOT TESTED: a session in Hermes, because hermes-engine-cli has no program for this machine.')

/** What the program of Hermes lacks, and the engine in an app has. */
const IN_HERMES = `
var hostTimeout = setTimeout
var console = { log: print, warn: print, error: function (e) { print((e && e.stack) || e) }, assert: function () {} }
Array.prototype.at = function (index) { return this[index < 0 ? this.length + index : index] }
`

let app: App
let bundle: string
beforeAll(async () => {
  app = await createApp()
  bundle = await app.bundle('app.js', 'ios')
}, 300_000)
afterAll(() => app.close())

/** A context of V8 without any global of Node or the web, except those that React Native does not make itself. */
function inContext(): Promise<Results> {
  const silent = { log() {}, warn() {}, error: console.error, assert: console.assert }
  const context = vm.createContext({ console: silent, atob, btoa })
  vm.runInContext(bundle, context, { filename: 'app.js' })
  return new Promise((resolve) =>
    context.startApp(
      (step: () => void) => setImmediate(step),
      (text: string) => resolve(JSON.parse(text)),
    ),
  )
}

/** The engine of React Native. */
async function inHermes(): Promise<Results> {
  const file = join(app.folder, 'hermes.js')
  const start =
    'startApp(function (step) { hostTimeout(step, 0) }, function (text) { print("RESULT" + text) })'
  writeFileSync(file, `${IN_HERMES}${bundle}\n;${start}\n`)
  const output = execFileSync(hermes, ['-w', file], { encoding: 'utf8', timeout: 80_000 })
  return JSON.parse(output.split('RESULT')[1] ?? `"${output}"`)
}

describe.each(
  [
    { engine: 'a context without globals of the web', run: inContext, exists: true },
    { engine: 'Hermes', run: inHermes, exists: hasHermes },
  ].filter(({ exists }) => exists),
)('a session that Metro bundled for React Native, in $engine', ({ run }) => {
  let results: Results
  beforeAll(async () => {
    results = await run()
  }, 90_000)

  it('a user signs in, and a request carries the token', () => {
    expect(results.signIn).toEqual({ state: 'authenticated', body: { path: '/me' }, token: 'at-1' })
  })

  it('requests of each kind of body are replayed after one refresh, with the same body', () => {
    const { statuses, refreshes, log } = results.replay as {
      statuses: number[]
      refreshes: number
      log: { method: string; path: string; token: string; body?: string }[]
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200])
    expect(refreshes).toBe(1)
    const sent = (token: string) =>
      log
        .filter((one) => one.token === token)
        .map(({ method, path, body }) => `${method} ${path} ${body}`)
        .sort()
    expect(sent('at-1')).toEqual([
      'GET /get undefined',
      'POST /form name=Ada',
      'POST /query a=1+%26&b=2',
      'POST /request {"a":1}',
      'POST /text text',
    ])
    expect(sent('at-2')).toEqual(sent('at-1'))
  })

  it('the token goes to no other origin, although URL of React Native parses little', () => {
    expect(results.otherOrigin).toEqual({ tokens: Array(8).fill('none'), refreshes: 0 })
  })

  it('requests are held while the user signs in again, and an aborted one rejects with an AbortError', () => {
    expect(results.hold).toEqual({
      state: 'expired',
      error: 'AbortError',
      status: 200,
      events: [
        'signedIn',
        'refreshFailed:invalid_grant',
        'expired:invalid_grant',
        'requestRejected:aborted',
        'signedIn',
        'requestReplayed',
      ],
    })
  })

  it('a session ends for the reason in the body of a response without streams', () => {
    expect(results.ended).toEqual({
      error: 'SessionExpiredError',
      isSessionError: true,
      reason: 'invalid_grant',
      refreshes: 1,
    })
  })

  it('a refusal inside an answer of GraphQL is recognised without streams', () => {
    expect(results.graphql).toEqual({ body: { path: '/graphql' }, refreshes: 1 })
  })

  it('a session that was suspended in the background refreshes when the app is active again', () => {
    expect(results.background).toEqual({ state: 'authenticated', refreshes: 1 })
  })

  it('a request waits while NetInfo reports no connection, and is sent when it is back', () => {
    expect(results.offline).toEqual({
      status: 200,
      events: ['signedIn', 'refreshFailed:offline', 'refreshed'],
    })
  })

  it('a session is restored from AsyncStorage and from SecureStore, and signOut leaves nothing there', () => {
    expect(results.restore).toEqual({ states: ['authenticated', 'authenticated'], left: 0 })
  })
})

/** Entries that Metro does not bundle, and why no phone needs them. */
const NOT_ON_PHONES: Readonly<Record<string, string>> = {
  './file': 'There are no such files on a phone: its stores are in `authchart/react-native`.',
  './grpc': 'It is for `@grpc/grpc-js`, which needs Node.',
  './testing': 'Its token server listens by the HTTP of Node. Tests of an app run in Node.',
}
const ENTRIES = Object.keys(manifest.exports).filter((entry) => entry !== './package.json')
const ON_PHONES = ENTRIES.filter((entry) => !(entry in NOT_ON_PHONES))

const importOf = (entry: string, index = 0) =>
  `import * as entry${index} from 'authchart${entry.slice(1)}'\nglobalThis.entry${index} = entry${index}\n`

describe('the entries of the package under Metro', { timeout: 300_000 }, () => {
  it.each(triedHere(['android', 'ios'] as const, 2))(
    'all but those for Node are bundled for %s, without modules of Node',
    async (platform) => {
      // Metro fails at a module of Node that is imported, and at an import whose name is made at run time.
      const bundle = await app.bundle(ON_PHONES.map(importOf).join(''), platform)
      expect(bundle).not.toMatch(/["'`]node:|getBuiltinModule/)
    },
  )

  it.each(Object.keys(NOT_ON_PHONES))('%s is one that Metro cannot bundle', async (entry) => {
    await expect(app.bundle(importOf(entry), 'ios')).rejects.toThrow(/Invalid call|could not be found/)
  })

  it('the entries for an app import no package that needs a page', async () => {
    const bundle = await app.bundle(
      ['.', './fetch', './react', './react-native', './guard'].map(importOf).join(''),
      'android',
    )
    expect(bundle).toContain('useSyncExternalStore')
    expect(bundle).not.toMatch(/react-dom/)
  })
})
