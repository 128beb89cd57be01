/** The browsers of the matrix: which suites run in them, and what is different there. */
import { type Engine, programOf } from '../support/browsers/engine.ts'
import { chromiumPath } from '../support/chromium.ts'
import { type Difference, versionOf } from './runtimes.ts'

export interface MatrixBrowser {
  readonly name: string
  readonly engine: Engine
  readonly version: () => string
  readonly differences: readonly Difference[]
}

const inFolder = (folder: string, names: string) =>
  names.split(/\s+/).map((name) => `test/${folder}/${name}.test.ts`)

/** The suites that run in every browser, in tabs on a real site. */
export const BROWSER_SUITES = [
  ...inFolder(
    'browser',
    `back-forward-cache cookie-mode cookie-races encrypted-storage idle-tabs offline portable storage-faults tabs
    transports worker worker-requests worker-return`,
  ),
  ...inFolder(
    'bindings',
    'angular-page react-page react-routers realtime-page solid-page svelte-page vue-page',
  ),
]

const FIREFOX_CACHE: Difference = {
  tests:
    /completes the refresh if the response arrives|a page in the back\/forward cache, whose session is in a worker/,
  reason:
    'It does not keep a page with a request in flight, or with a `SharedWorker`, in the back/forward cache. The page is loaded again, and restores its session.',
}

const FIREFOX_COPY: Difference = {
  tests: /uses the tokens in sessionStorage that the next page of its tab refreshed/,
  reason:
    'A page that returns from the back/forward cache finds its `sessionStorage` as it left it. If the page after it has refreshed the session, it presents the previous refresh token.',
}

const WEBKIT_KEYS: Difference = {
  tests: /encryptedStorage in a browser works in a SharedWorker/,
  reason:
    'A `SharedWorker` cannot store a `CryptoKey`. A session there with `encryptedStorage` lives in memory, and reports `storageFailed`. Use dedicated workers, or a cookie.',
  link: 'https://github.com/WebKit/WebKit/pull/25342',
}

const WEBKIT_COOKIES: Difference = {
  tests: /can be in a Secure cookie of a server on this machine, over plain http/,
  reason: 'A server on this machine cannot set a `Secure` cookie over plain http. Leave `Secure` out there.',
  link: 'https://bugs.webkit.org/show_bug.cgi?id=281149',
}

const WEBKIT_BODIES: Difference = {
  tests: /fails like fetch if the response body breaks off/,
  reason: 'A response body that breaks off ends without an error, as in its own `fetch`.',
}

export const BROWSERS: readonly MatrixBrowser[] = [
  { name: 'Chromium', engine: 'chromium', version: () => versionOf(chromiumPath()), differences: [] },
  {
    name: 'Firefox',
    engine: 'firefox',
    version: () => versionOf(programOf('firefox')),
    differences: [FIREFOX_CACHE, FIREFOX_COPY],
  },
  {
    name: 'WebKitGTK',
    engine: 'webkit',
    // The driver does not print its version, and the browser only on a display.
    version: () => versionOf('dpkg-query', '--show', 'webkit2gtk-driver'),
    differences: [WEBKIT_KEYS, WEBKIT_COOKIES, WEBKIT_BODIES],
  },
]
