/** The browser engine that the suites for all engines use, and what its driver can do. */
import { existsSync } from 'node:fs'
import { hasChromium } from '../chromium.ts'

/** The programs that drive the engines other than Chromium, and the Debian packages that contain them. */
const PROGRAMS = {
  firefox: { path: '/usr/bin/firefox-esr', packages: 'firefox-esr' },
  webkit: { path: '/usr/bin/WebKitWebDriver', packages: 'webkit2gtk-driver xvfb' },
} as const

export type OtherEngine = keyof typeof PROGRAMS
export type Engine = 'chromium' | OtherEngine

const isEngine = (name: string): name is Engine => name === 'chromium' || name in PROGRAMS

const { AUTHCHART_ENGINE: chosen = 'chromium', CI } = process.env
if (!isEngine(chosen))
  throw new TypeError(`AUTHCHART_ENGINE must be chromium, firefox or webkit, not ${chosen}.`)

/** The engine of this run, from `AUTHCHART_ENGINE`. Default: `chromium`. */
export const ENGINE: Engine = chosen

/** Throws if the program that drives an engine is not installed. Returns its path. */
export function programOf(engine: OtherEngine): string {
  const { path, packages } = PROGRAMS[engine]
  if (existsSync(path)) return path
  throw new Error(`${path} was not found. Install it with \`apt-get install ${packages}\`.`)
}

/**
 * Whether suites can run in an engine. Without it they are skipped with a warning. In CI this is always true, so that a
 * missing browser fails the suites instead of skipping them unnoticed.
 */
export function hasEngine(engine: Engine): boolean {
  if (engine === 'chromium') return hasChromium
  const { path, packages } = PROGRAMS[engine]
  if (existsSync(path) || CI === 'true') return true
  console.warn(
    `SKIPPED: suites in ${engine}, because ${path} was not found. Install it with \`apt-get install ${packages}\`.`,
  )
  return false
}

/** Whether suites can run in the engine of this run. */
export const hasBrowser = hasEngine(ENGINE)

/** Whether tests that need Chromium's DevTools protocol can run. */
export const hasDevtools = ENGINE === 'chromium'

/** Whether the driver survives the crash of a tab. That of WebKit ends the whole session. */
export const survivesCrash = ENGINE !== 'webkit'

/** Whether a server on this machine can set `Secure` cookies over plain http. */
export const setsSecureCookies = ENGINE !== 'webkit'

/** Whether the driver can disconnect tabs from the network. */
export const canGoOffline = ENGINE !== 'webkit'
