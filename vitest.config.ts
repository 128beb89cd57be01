import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'
import { sources } from './scripts/sources.ts'
import { triedHere } from './test/support/code-seed.ts'

const inFolders = (...names: string[]) => names.map((name) => `test/${name}/**/*.test.ts`)

/** Their tests run on virtual time and replace no globals, so their files share processes. */
const UNIT = inFolders('core', 'machines')
/** Each file has a process of its own. */
const PORTS = [
  ...inFolders('transports', 'conformance', 'inspect', 'storage', 'environment', 'coordination', 'server'),
  'test/bindings/angular*.test.ts',
]

/** The test files of a folder whose names begin so. */
const filesIn = (folder: string, begin = '') =>
  readdirSync(new URL(`test/${folder}`, import.meta.url))
    .filter((name) => name.startsWith(begin) && name.endsWith('.test.ts'))
    .map((name) => `test/${folder}/${name}`)
    .sort()

/** Most of what runs in a browser. CI tries every fourteenth file, and other ones for other code. */
const PAGES = [
  ...filesIn('bindings').filter((file) => !file.includes('/angular')),
  ...filesIn('browser'),
  ...filesIn('devtools'),
  ...filesIn('visualizations', 'playground-page'),
]
/** Long suites that share most of their code with others. CI tries every sixth one, and other ones for other code. */
const SIBLINGS = [
  'test/bindings/angular.test.ts',
  'test/conformance/angular-dpop.test.ts',
  'test/conformance/angular-worker.test.ts',
  'test/conformance/angular.test.ts',
  'test/conformance/axios-fetch.test.ts',
  'test/conformance/axios-http.test.ts',
  'test/conformance/ofetch.test.ts',
  'test/conformance/other-runner.test.ts',
  'test/examples/demo.test.ts',
  'test/examples/oauth.test.ts',
  'test/examples/server.test.ts',
  'test/examples/testing.test.ts',
  'test/fleet/pglite.test.ts',
  'test/fleet/postgres-failover.test.ts',
  'test/fleet/redis-failover.test.ts',
  'test/inspect/inspect-requests-conformance.test.ts',
  'test/model/angular.test.ts',
  'test/model/axios-fetch.test.ts',
  'test/model/axios-http.test.ts',
  'test/model/ofetch.test.ts',
  'test/oauth2/branch-tabs.test.ts',
  'test/oauth2/popup.test.ts',
  'test/oauth2/redirect.test.ts',
  'test/package/site-page.test.ts',
  'test/worker/conformance.test.ts',
  'test/worker/dpop.test.ts',
]
/** Other platforms take as long as a minute each. CI tries one of them. */
const PLATFORMS = ['test/matrix/other-engines.test.ts', 'test/native/react-native.test.ts']
const tried = [...triedHere(PAGES, 14), ...triedHere(SIBLINGS, 6), ...triedHere(PLATFORMS, 2)]
const skipped = [...PAGES, ...SIBLINGS, ...PLATFORMS].filter((file) => !tried.includes(file))

export default defineConfig({
  resolve: { alias: sources },
  test: {
    // CI measures the coverage of `unit` and `ports`. It would double the time of the searches and browser suites in `system`.
    projects: [
      { extends: true, test: { name: 'unit', include: UNIT, isolate: false, restoreMocks: true } },
      { extends: true, test: { name: 'ports', include: PORTS } },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts', 'examples/**/*.test.tsx'],
          exclude: [...UNIT, ...PORTS],
        },
      },
    ],
    exclude: [...configDefaults.exclude, ...skipped],
    environment: 'node',
    pool: 'forks',
    // More than there are cores: much of what a test does is to wait for a browser or a server.
    maxWorkers: availableParallelism() + 2,
    // For busy machines. What hangs still fails.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    retry: 0,
    dangerouslyIgnoreUnhandledErrors: false,
    coverage: {
      provider: 'v8',
      include: [
        'machines/**/*.ts',
        'src/core/**/*.ts',
        'src/transports/**/*.ts',
        'src/storage/**/*.ts',
        'src/environment/**/*.ts',
      ],
      reporter: ['text', 'json-summary'],
      thresholds: {
        'machines/**/*.ts': { lines: 95 },
        'src/core/**/*.ts': { lines: 95 },
        'src/transports/**/*.ts': { lines: 95 },
      },
    },
  },
})
