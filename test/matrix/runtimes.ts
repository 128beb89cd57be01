/** The runtimes of the matrix: how each one starts, and what is different there. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BuildOptions } from 'esbuild'
import type { Starter } from './portable/bundle.ts'
import type { Group } from './portable/files.ts'

/** Tests that cannot pass in a runtime, because of the runtime. They run, and must fail: a difference that is gone is reported. */
export interface Difference {
  /** Matches titles of tests, including the name of the file. */
  readonly tests: RegExp
  /** What is different, for the documentation. */
  readonly reason: string
  /** The behaviour of the runtime. */
  readonly link?: string
}

export interface Runtime {
  readonly name: string
  /** The path of its binary. */
  readonly binary: string
  /** What starts it. Default: its binary. */
  readonly launcher: string
  /** The arguments that run a script. */
  readonly run: (script: string) => readonly string[]
  readonly version: () => string
  readonly differences: readonly Difference[]
  /** Files that cannot run there, by name. */
  readonly without: RegExp
  readonly groups: readonly Group[]
  /** How scripts start there. */
  readonly starter: Starter
  readonly bundling: BuildOptions
}

const ALL: readonly Group[] = ['session', 'transports', 'clients', 'stores', 'processes', 'servers']
const NOTHING = /^$/

const WORKERD_MAIN = fileURLToPath(new URL('./workerd/main.ts', import.meta.url))

const binaryOf = (path: string) => fileURLToPath(new URL(`./node_modules/${path}`, import.meta.url))

export const versionOf = (binary: string, ...args: string[]) =>
  /\d[\d.-]+/.exec(execFileSync(binary, args.length > 0 ? args : ['--version'], { encoding: 'utf8' }))?.[0] ??
  'unknown'

function runtime(name: string, path: string, more: Partial<Runtime> = {}): Runtime {
  const binary = binaryOf(path)
  return {
    name,
    binary,
    launcher: binary,
    run: (script) => [script],
    version: () => versionOf(binary),
    differences: [],
    without: NOTHING,
    groups: ALL,
    starter: { start: 'start.ts' },
    bundling: {},
    ...more,
  }
}

const PARSED_FORMS: Difference = {
  tests: /a form with (a file|awkward names)/,
  reason: 'It does not decode `%22` in the names of a form that it reads. The form that is sent is correct.',
  link: 'https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data',
}

const NODE = [20, 22, 24, 26].map((major) =>
  runtime(
    `Node ${major}`,
    process.platform === 'win32' ? `node-${major}/bin/node.exe` : `node-${major}/bin/node`,
  ),
)

const BUN = runtime('Bun', 'bun/bin/bun.exe', {
  // It has an undici of its own, and its `node:http` server does not always show a client that an answer has broken off.
  without: /conformance\/undici|server\/adapters/,
  differences: [
    { ...PARSED_FORMS, link: 'https://github.com/oven-sh/bun/pull/31526' },
    {
      tests: /a given fetch that keeps the token .* is followed by a P(OS|U)T, and replayed/,
      reason:
        'Its `Request` has no `Content-Type` for a body that is text. If you give the transport a `fetch`, set the header yourself for requests that are redirected.',
      link: 'https://github.com/oven-sh/bun/issues/17085',
    },
    {
      tests: /a Request that was sent is used up/,
      reason: 'A `Request` can be sent twice.',
      link: 'https://fetch.spec.whatwg.org/#dom-global-fetch',
    },
  ],
})

const DENO = runtime('Deno', process.platform === 'win32' ? 'deno/deno.exe' : 'deno/deno', {
  run: (script) => ['run', '--allow-all', script],
  // Its `node:http` server, which these tests need, does not report a closed connection while it waits for `drain`.
  without: /transports\/responses/,
  differences: [
    PARSED_FORMS,
    {
      tests: /bodies that can be read once|a stream of strings/,
      reason:
        'A stream that is the body of a `fetch` must consist of bytes, as the standard says. Node takes strings, too.',
      link: 'https://fetch.spec.whatwg.org/#incrementally-read-a-body',
    },
    {
      tests: /a Request with a JSON body is replayed/,
      reason: 'It sends a `Request` with a body in chunks, without `Content-Length`.',
    },
    {
      tests: /a POST that is redirected to .* arrives where the bare client does/,
      reason:
        'Its own `fetch` reads a `Location` that is not ASCII as Latin-1, as the standard says. Through the session it is read as UTF-8, as in Node and in browsers.',
      link: 'https://fetch.spec.whatwg.org/#concept-response-location-url',
    },
    {
      tests: /axios itself, not the session, rejects a relative URL/,
      reason: 'The `TypeError` of an invalid URL has no `code`.',
    },
  ],
})

/** Started by Node, which listens on its behalf. Like Wrangler, the bundle contains all packages in their form for workers. */
const WORKERD = runtime('workerd', 'workerd/bin/workerd', {
  launcher: process.execPath,
  run: (script) => ['--import', 'tsx', WORKERD_MAIN, binaryOf('workerd/bin/workerd'), script],
  starter: { start: '../workerd/start.ts', exports: 'default, Suite' },
  // The others need servers of `node:http` or processes.
  groups: ['session', 'transports', 'stores'],
  // They need sockets, files, or the adapter of axios for `node:http`.
  without: /conformance\/(undici|axios-http)|storage\/(unstorage|encrypted)/,
  differences: [
    {
      tests: /a signal that aborts in flight rejects the call/,
      reason: 'An aborted `fetch` rejects with an `AbortError` if the reason of the abort is not an object.',
      link: 'https://fetch.spec.whatwg.org/#deserialize-a-serialized-abort-reason',
    },
  ],
  bundling: {
    packages: 'bundle',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    alias: { undici: fileURLToPath(new URL('./portable/no-undici.ts', import.meta.url)) },
  },
})

export const NEWEST_NODE = NODE.at(-1)!

export const RUNTIMES: readonly Runtime[] = [...NODE, BUN, DENO, WORKERD]

/** Whether the runtimes are installed. */
export const isInstalled = ({ binary }: Runtime) => existsSync(binary)
