/** What is tested in each framework: two processes of an app share the sessions, and a browser has several tabs. */
import { strict as assert } from 'node:assert'
import type { Browser, Page } from 'playwright-core'
import type { TokenServer } from '../../src/testing/index.ts'

/** What the page shows: the server rendered it, and asked the API for it. */
const shown = (page: Page) => page.locator('h1').innerText()

const send = (page: Page, path: string, method: string, body?: object) =>
  page.evaluate(
    async ([path, method, body]) => {
      const headers = { 'x-csrf': '1', 'content-type': 'application/json' }
      const answer = await fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
      return answer.status
    },
    [path, method, body] as const,
  )

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
  origins: readonly [string, string],
  server: TokenServer,
  redeploy: () => Promise<void>,
): Promise<void> {
  const context = await browser.newContext()
  const tabs = await Promise.all(Array.from({ length: 5 }, () => context.newPage()))
  const [first, second] = tabs as [Page, Page]
  const open = () => Promise.all(tabs.map((tab, index) => tab.goto(`${origins[index % 2]}/`)))
  const all = () => Promise.all(tabs.map(shown))
  try {
    await open()
    assert.deepEqual(await all(), Array(5).fill('nobody'))
    assert.equal(await send(first, '/api/notes', 'GET'), 401)
    const wrong = { username: 'ada', password: 'wrong' }
    assert.equal(await send(first, '/auth/sign-in', 'POST', wrong), 401)
    const signedIn = await send(first, '/auth/sign-in', 'POST', { ...wrong, password: 'correct' })
    assert.ok(signedIn < 300, `sign-in: ${signedIn}`)

    await open()
    assert.deepEqual(await all(), Array(5).fill('ada 200'))

    // Five tabs are restored at once, after the token has expired.
    server.expireAccessTokens()
    assert.equal(await refreshesOf(server, open), 1)
    assert.deepEqual(await all(), Array(5).fill('ada 200'))

    // Pages and calls of scripts at once.
    server.expireAccessTokens()
    const calls = () =>
      Promise.all([
        ...tabs.map((tab, index) => send(tab, `/api/notes/${index}`, 'POST', { index })),
        ...tabs.map(() => context.request.get(`${origins[1]}/`).then((answer) => answer.status())),
      ])
    assert.equal(
      await refreshesOf(server, async () => assert.deepEqual(await calls(), Array(10).fill(200))),
      1,
    )

    // One process is killed and started again while the other one refreshes.
    server.expireAccessTokens()
    const refreshes = await refreshesOf(server, async () => {
      const asked = send(second, '/api/notes', 'GET')
      await redeploy()
      assert.equal(await asked, 200)
      await open()
    })
    assert.equal(refreshes, 1)
    assert.deepEqual(await all(), Array(5).fill('ada 200'))

    // What another site sends is refused; a sign-out ends the session in both processes.
    const foreign = await context.request.post(`${origins[0]}/auth/sign-out`, {
      headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    })
    assert.equal(foreign.status(), 403)
    assert.equal(await send(second, '/api/notes', 'GET'), 200)
    const signedOut = await send(first, '/auth/sign-out', 'POST')
    assert.ok(signedOut < 300, `sign-out: ${signedOut}`)
    assert.equal(await send(second, '/api/notes', 'GET'), 401)
    await open()
    assert.deepEqual(await all(), Array(5).fill('nobody'))
  } finally {
    await context.close()
  }
}
