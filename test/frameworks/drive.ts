/** What is tested in each framework: two processes of an app share the sessions, and two users have several tabs each. */
import { strict as assert } from 'node:assert'
import type { Browser, BrowserContext, ElementHandle, Locator, Page } from 'playwright-core'
import type { TokenServer } from '../../src/testing/index.ts'

type Origins = readonly [string, string]

/** The browser of a user, with five tabs that use both processes in turn. */
class User {
  readonly name: string
  readonly context: BrowserContext
  readonly tabs: readonly Page[]
  readonly #origins: Origins

  private constructor(name: string, context: BrowserContext, tabs: readonly Page[], origins: Origins) {
    this.name = name
    this.context = context
    this.tabs = tabs
    this.#origins = origins
  }

  static async at(browser: Browser, name: string, origins: Origins): Promise<User> {
    const context = await browser.newContext()
    await context.addInitScript(recordListeners)
    const tabs = await Promise.all(Array.from({ length: 5 }, () => context.newPage()))
    return new User(name, context, tabs, origins)
  }

  get first(): Page {
    return this.tabs[0] as Page
  }

  /** Loads a page in all tabs at once. */
  open(path: string): Promise<unknown> {
    return Promise.all(this.tabs.map((tab, index) => tab.goto(this.#origins[index % 2] + path)))
  }

  /** All tabs show the user, and what the API answered to the server that rendered the page. */
  async seesNotes(): Promise<void> {
    for (const tab of this.tabs) {
      assert.match(await tab.locator('form').first().innerText(), new RegExp(`Signed in as ${this.name}`))
      assert.match(await tab.locator('pre').innerText(), new RegExp(`"subject":"${this.name}"`))
    }
  }

  async seesSignIn(returnTo: string): Promise<void> {
    for (const tab of this.tabs) await isAtSignIn(tab, returnTo)
  }

  /** The page from the second process as a client without scripts gets it. */
  getNotes() {
    // A connection that stays open may be closed by the server at the moment in which it is used again.
    return this.context.request.get(`${this.#origins[1]}/notes`, { headers: { connection: 'close' } })
  }

  async addNote(): Promise<void> {
    const button = this.first.getByRole('button', { name: 'Add a note' })
    await isReady(button, 'click')
    await button.click()
  }

  async signIn(password: string): Promise<void> {
    const { first } = this
    await isReady(first.locator('form', { has: first.getByLabel('Name') }), 'submit')
    await first.getByLabel('Name').fill(this.name)
    await first.getByLabel('Password').fill(password)
    await first.getByRole('button', { name: 'Sign in' }).click()
  }
}

async function isAtSignIn(tab: Page, returnTo: string): Promise<void> {
  await tab.waitForURL(({ pathname }) => pathname === '/login')
  assert.equal(new URL(tab.url()).searchParams.get('returnTo'), returnTo)
  await tab.getByLabel('Name').waitFor()
}

/** Records, in each page, which elements listen to which events. */
function recordListeners(): void {
  const listeners = new WeakMap<EventTarget, Set<string>>()
  const { addEventListener } = EventTarget.prototype
  EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, ...rest: [never]) {
    listeners.set(this, (listeners.get(this) ?? new Set()).add(type))
    addEventListener.call(this, type, ...rest)
  }
  Object.assign(globalThis, { listeners })
}

/** A page that a server rendered works as soon as its scripts listen: on the element, or on one that contains it. */
async function isReady(element: Locator, type: 'click' | 'submit'): Promise<void> {
  await element.page().waitForFunction(
    ([start, type]) => {
      const { listeners } = globalThis as unknown as { listeners: WeakMap<EventTarget, Set<string>> }
      for (let node: Node | null = start; node; node = node.parentNode)
        if (listeners.get(node)?.has(type)) return true
      return false
    },
    [(await element.elementHandle()) as ElementHandle<Node>, type] as const,
  )
}

const send = (
  page: Page,
  path: string,
  method: string,
  headers: Record<string, string> = { 'x-csrf': '1' },
) =>
  page.evaluate(async ([path, method, headers]) => (await fetch(path, { method, headers })).status, [
    path,
    method,
    headers,
  ] as const)

/** Refreshes that a step caused. None may present a refresh token that was used before. */
async function refreshesOf(server: TokenServer, step: () => Promise<unknown>): Promise<number> {
  const { refreshes } = server
  await step()
  assert.equal(server.reuseDetections, 0, 'reuse detections')
  return server.refreshes - refreshes
}

/**
 * @param origins the addresses of two processes of the app
 * @param redeploy ends the first process, and starts it again
 */
export async function drive(
  browser: Browser,
  origins: Origins,
  server: TokenServer,
  redeploy: () => Promise<void>,
): Promise<void> {
  const ada = await User.at(browser, 'ada', origins)
  const bob = await User.at(browser, 'bob', origins)
  const refreshes = (step: () => Promise<unknown>) => refreshesOf(server, step)
  try {
    // The guard leads to the sign-in, and the sign-in back.
    for (const user of [ada, bob]) {
      await user.open('/notes')
      await user.seesSignIn('/notes')
      assert.equal(await send(user.first, '/api/notes', 'GET'), 401)
      await user.signIn('wrong')
      await user.first.getByRole('alert').filter({ hasText: 'do not fit' }).waitFor()
      await user.signIn('correct')
      await user.first.waitForURL(({ pathname }) => pathname === '/notes')
      await user.open('/notes')
      await user.seesNotes()
    }

    // The first paint has the user and the data, without a script, and no token.
    const html = await (await ada.getNotes()).text()
    assert.match(html.replace(/<!--.*?-->/g, ''), /Signed in as ada[\s\S]*subject[\s\S]*ada/)
    assert.doesNotMatch(html, /eyJ|refresh_token|access_token/)

    // The tabs of both users are restored at once, after their tokens have expired.
    server.expireAccessTokens()
    assert.equal(await refreshes(() => Promise.all([ada.open('/notes'), bob.open('/notes')])), 2)
    await ada.seesNotes()
    await bob.seesNotes()

    // Pages and calls of scripts at once.
    server.expireAccessTokens()
    const calls = () =>
      Promise.all([
        ...ada.tabs.map((tab, index) => send(tab, `/api/notes/${index}`, 'POST')),
        ...ada.tabs.map(async () => (await ada.getNotes()).status()),
      ])
    assert.equal(await refreshes(async () => assert.deepEqual(await calls(), Array(10).fill(200))), 1)

    // A script of the page changes something, and the page shows what is new.
    const isAdded = ada.first.waitForResponse(
      (response) =>
        new URL(response.url()).pathname === '/api/notes' && response.request().method() === 'POST',
    )
    await ada.addNote()
    assert.equal((await isAdded).status(), 200)

    // One process is killed and started again while the other one refreshes.
    server.expireAccessTokens()
    assert.equal(
      await refreshes(async () => {
        const asked = send(ada.tabs[1] as Page, '/api/notes', 'GET')
        await redeploy()
        assert.equal(await asked, 200)
        await ada.open('/notes')
      }),
      1,
    )
    await ada.seesNotes()

    // What another site sends is refused, and so is a call without the header.
    const foreign = await ada.context.request.post(`${origins[0]}/auth/sign-out`, {
      headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    })
    assert.equal(foreign.status(), 403)
    assert.equal(await send(ada.first, '/api/notes', 'GET', {}), 403)

    // A sign-out ends the session in both processes, and only that one.
    await ada.first.getByRole('button', { name: 'Sign out' }).click()
    await ada.first.waitForURL(({ pathname }) => pathname === '/')
    await ada.first.getByRole('link', { name: 'Sign in' }).waitFor()
    assert.equal(await send(ada.tabs[1] as Page, '/api/notes', 'GET'), 401)
    await ada.open('/notes')
    await ada.seesSignIn('/notes')
    await bob.open('/notes')
    await bob.seesNotes()

    // The server refuses the refresh token: a script and a page lead to the sign-in.
    server.killRefreshTokens()
    server.expireAccessTokens()
    await bob.addNote()
    await isAtSignIn(bob.first, '/notes')
    await bob.open('/notes')
    await bob.seesSignIn('/notes')
    await bob.signIn('correct')
    await bob.first.waitForURL(({ pathname }) => pathname === '/notes')
    server.killRefreshTokens()
    server.expireAccessTokens()
    await bob.open('/notes')
    await bob.seesSignIn('/notes')
  } finally {
    await Promise.all([ada.context.close(), bob.context.close()])
  }
}
