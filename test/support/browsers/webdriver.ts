/** Tabs of a browser that a WebDriver server drives: https://www.w3.org/TR/webdriver2 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Cookie } from 'playwright-core'
import { Mutex } from '../../../src/core/platform/mutex.ts'
import type { Profile, Tab } from './tab.ts'

/** Milliseconds between two looks at a result that is not there yet. */
const INTERVAL = 15

type Outcome = { readonly id: number } | { readonly value: unknown } | { readonly error: string }

/** Runs in the page. Starts a function, and keeps its result if it is a promise. JSON has no `undefined`, so it is marked. */
function begin(start: (argument: unknown) => unknown, [argument]: readonly unknown[]): string {
  const mark = (value: unknown) =>
    JSON.stringify(value, (_, each) => (each === undefined ? { $undefined: true } : each))
  const describe = (error: unknown) => {
    const { name, message } = Object(error) as Error
    return { error: message === undefined ? String(error) : `${name}: ${message}` }
  }
  const page = globalThis as { outcomes?: (string | undefined)[] }
  const unmark = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if ('$undefined' in value) return undefined
    if (Array.isArray(value)) return value.map(unmark)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unmark(each)]))
  }
  try {
    const value = start(unmark(argument))
    if (typeof (value as PromiseLike<unknown> | undefined)?.then !== 'function') return mark({ value })
    if (!page.outcomes) Object.defineProperty(page, 'outcomes', { value: [] })
    const outcomes = page.outcomes ?? []
    const id = outcomes.push(undefined) - 1
    void Promise.resolve(value).then(
      (value) => {
        outcomes[id] = mark({ value })
      },
      (error) => {
        outcomes[id] = mark(describe(error))
      },
    )
    return mark({ id })
  } catch (error) {
    return mark(describe(error))
  }
}

const mark = (value: unknown) =>
  JSON.parse(JSON.stringify([value], (_, each) => (each === undefined ? { $undefined: true } : each)))[0]

function unmark(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$undefined' in value) return undefined
  if (Array.isArray(value)) return value.map(unmark)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unmark(each)]))
}

/** An answer of the server that reports a failure. */
class WebDriverError extends Error {
  override readonly name = 'WebDriverError'
}

type Method = 'GET' | 'POST' | 'DELETE'

/** Sends a command. */
export async function command(url: string, method: Method, body: object = {}) {
  const answer = await fetch(url, { method, ...(method === 'POST' && { body: JSON.stringify(body) }) })
  const { value } = (await answer.json()) as { value: { error?: string; message?: string } }
  if (!answer.ok) throw new WebDriverError(`${value.error}: ${value.message}`)
  return value as unknown
}

type Send = (path: string, body?: object, method?: Method) => Promise<unknown>

/** The tabs of one session, which has one current window. So commands for different tabs take turns. */
export class WebDriverProfile implements Profile {
  readonly #session: string
  /** A window that stays open, because commands need one. */
  readonly #first: string
  readonly #onClose: () => Promise<void>
  readonly #turns = new Mutex()
  readonly #tabs = new Set<WebDriverTab>()
  #current: string | undefined

  /**
   * @param session the URL of the session
   * @param first the handle of its first window
   */
  constructor(session: string, first: string, onClose: () => Promise<void>) {
    this.#session = session
    this.#first = first
    this.#onClose = onClose
  }

  /** Runs commands for a window. */
  inWindow<T>(handle: string, run: (send: Send) => Promise<T>) {
    return this.#turns.run(async () => {
      if (this.#current !== handle) await command(`${this.#session}/window`, 'POST', { handle })
      this.#current = handle
      return run((path, body, method = 'POST') => command(this.#session + path, method, body))
    })
  }

  newPage = (): Promise<Tab> =>
    this.inWindow(this.#first, async (send) => {
      const { handle } = (await send('/window/new', { type: 'window' })) as { handle: string }
      const tab = new WebDriverTab(this, handle)
      this.#tabs.add(tab)
      return tab
    })

  pages = () => [...this.#tabs]

  async cookies(url: string) {
    const tab = (await this.newPage()) as WebDriverTab
    await tab.goto(url)
    const found = await tab.cookies()
    await tab.close()
    return found
  }

  setOffline(): Promise<void> {
    throw new Error('WebDriver has no command for this.')
  }

  closeWindow = (tab: WebDriverTab, handle: string) => {
    this.#tabs.delete(tab)
    return this.inWindow(handle, (send) => {
      this.#current = undefined
      return send('/window', {}, 'DELETE')
    })
  }

  async close() {
    await this.#turns.run(() => command(this.#session, 'DELETE')).catch(() => {})
    await this.#onClose()
  }
}

class WebDriverTab implements Tab {
  readonly #profile: WebDriverProfile
  readonly #handle: string
  #url = 'about:blank'

  constructor(profile: WebDriverProfile, handle: string) {
    this.#profile = profile
    this.#handle = handle
  }

  readonly #run = (path: string, body?: object) =>
    this.#profile.inWindow(this.#handle, (send) => send(path, body))

  readonly #execute = async (script: string, ...args: unknown[]) =>
    JSON.parse((await this.#run('/execute/sync', { script, args })) as string) as Outcome | null

  url = () => this.#url
  context = () => this.#profile

  cookies = () =>
    this.#profile.inWindow(this.#handle, (send) => send('/cookie', {}, 'GET')) as Promise<Cookie[]>

  async goto(url: string) {
    await this.#run('/url', { url })
    this.#url = url
  }

  reload = () => this.#run('/refresh')
  goBack = () => this.#run('/back')
  close = async () => void (await this.#profile.closeWindow(this, this.#handle))

  evaluate = (async (start: unknown, argument?: unknown): Promise<unknown> => {
    let outcome = await this.#execute(`return (${begin})(${start}, arguments)`, mark(argument))
    while (outcome && 'id' in outcome) {
      const { id } = outcome
      await pause(INTERVAL)
      const next = await this.#execute(
        `return globalThis.outcomes ? outcomes[${id}] ?? '{"id":${id}}' : 'null'`,
      )
      outcome = next
    }
    if (!outcome) throw new Error('The page went away before the function returned.')
    if ('error' in outcome) throw new Error(outcome.error)
    return unmark(outcome.value)
  }) as Tab['evaluate']
}
