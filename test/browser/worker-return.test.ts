import { describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import type { Tab } from '../support/browsers/tab.ts'
import { goBackTo, notRestored } from '../support/browsers/until.ts'
import { until, workerSuite } from './worker-suite.ts'

describe.skipIf(!hasBrowser)('a page in the back/forward cache, whose session is in a worker', () => {
  const { serve, connected } = workerSuite({ plain: true })

  const leave = (opened: Tab) => opened.goto(new URL('/elsewhere', opened.url()).href)

  /** Goes back, and checks that the page was restored from the cache instead of loaded again. */
  async function comeBack(opened: Tab) {
    await goBackTo(opened, () => 'page' in globalThis)
    expect(await opened.evaluate(notRestored), 'why it is another page').toBe(null)
  }

  it('returns to the current state, and receives the events it missed', async () => {
    const { url } = await serve()
    const away = await connected()
    const stays = await connected({ signIn: false })
    await stays.evaluate(() => auth.ready())
    await away.evaluate(() => {
      const events: string[] = []
      auth.on('*', ({ type }) => type !== 'transition' && events.push(`${type} in ${auth.state}`))
      auth.actor.subscribe(() => events.push(auth.state))
      page.keep(events)
    })
    await leave(away)
    await stays.evaluate(async () => {
      await auth.refresh()
      await auth.signOut()
      await auth.signIn({ username: 'bob' })
    })
    await comeBack(away)
    await until(away, () => auth.session?.subject === 'bob')
    expect(await away.evaluate(() => page.kept() as string[])).toEqual([
      'refreshed in authenticated',
      'signedOut in authenticated',
      'signedIn in authenticated',
      'authenticated',
    ])
    expect(await away.evaluate((url) => api(`${url}/api/back`).then(({ status }) => status), url)).toBe(200)
    // It receives further events, as before.
    await stays.evaluate(() => auth.signOut())
    await until(away, () => auth.state === 'loggedOut')
  })

  it('receives the responses to requests that it made before it was cached', async () => {
    const { url, server } = await serve()
    const away = await connected()
    const held = server.holdApiNext(({ path }) => path === '/api/slow-one')
    await away.evaluate((url) => page.keep(api(`${url}/api/slow-one`).then((answer) => answer.json())), url)
    await held.arrived
    await leave(away)
    held.answer()
    await comeBack(away)
    expect(await away.evaluate(() => page.kept() as Promise<{ path: string }>)).toMatchObject({
      path: '/api/slow-one',
    })
  })
})
