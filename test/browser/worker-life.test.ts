import { describe, expect, it } from 'vitest'
import { crash } from '../support/browsers/crash.ts'
import { ENGINE, hasBrowser, survivesCrash } from '../support/browsers/engine.ts'
import type { Tab } from '../support/browsers/tab.ts'
import { until, workerSuite } from './worker-suite.ts'

const failed = (reason: string) => ({
  error: expect.objectContaining({ name: 'WorkerError', code: 'worker_failed', reason, own: true }),
})

describe.skipIf(!hasBrowser)('a page whose session is in a worker', () => {
  const { serve, connected, blank, harness } = workerSuite()

  const FATES: [string, (page: Tab) => Promise<unknown>][] = [
    ['is closed', (page) => page.close()],
    ['is reloaded', (page) => page.reload()],
  ]
  if (survivesCrash) FATES.push(['crashes', crash])

  it.each(FATES)('leaves no request behind if it %s in the middle of one', async (_, end) => {
    const { url, server, nextStream } = await serve()
    const stays = await connected()
    const leaves = await connected({ signIn: false })
    await leaves.evaluate(() => auth.ready())
    await leaves.evaluate((url) => page.keep(api(`${url}/stream`).then((answer) => answer.text())), url)
    const stream = await nextStream()
    stream.write('one')
    server.expireAccessTokens()
    const renewal = server.holdNext()
    await leaves.evaluate((url) => page.keep(api(`${url}/api/held`)), url)
    await renewal.arrived
    await stays.evaluate((url) => page.keep(api(`${url}/api/stays`).then(({ status }) => status)), url)
    await until(stays, () => auth.actor.getSnapshot().context.held === 2)
    await end(leaves)
    await stream.gone
    await until(stays, () => auth.actor.getSnapshot().context.held === 1)
    renewal.answer()
    expect(await stays.evaluate(() => page.kept() as Promise<number>)).toBe(200)
    expect(server.log.filter(({ path, status }) => path === '/api/held' && status === 200)).toEqual([])
    expect(server.reuseDetections).toBe(0)
  })

  it('sends goodbye when it is closed, also without Web Locks', async () => {
    const { url, nextStream } = await serve({}, () => {
      Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })
    })
    const stays = await connected()
    const leaves = await connected({ signIn: false })
    await leaves.evaluate((url) => page.keep(api(`${url}/stream`)), url)
    const stream = await nextStream()
    await leaves.reload()
    await stream.gone
    expect(await stays.evaluate((url) => api(`${url}/api/stays`).then(({ status }) => status), url)).toBe(200)
  })

  it('leaves no request or lock behind after dispose(), and the session to other pages', async () => {
    const { url, nextStream } = await serve()
    const first = await connected()
    const second = await connected({ signIn: false })
    await second.evaluate(() => auth.ready())
    await second.evaluate((url) => {
      page.keep([
        page.outcome(api(`${url}/stream`)),
        page.outcome(api(`${url}/stream`).then((answer) => answer.text())),
      ])
    }, url)
    const streams = [await nextStream(), await nextStream()]
    streams[1]?.write('one')
    const outcomes = await second.evaluate(async (url) => {
      const calls = [page.outcome(auth.refresh()), page.outcome(auth.ready())]
      auth.dispose()
      auth.dispose()
      const after = [
        auth.refresh(),
        auth.ready(),
        api(`${url}/api/after`),
        auth.getAccessToken(),
        auth.signOut(),
      ]
      return [
        ...(await Promise.all(calls)),
        ...(await Promise.all(after.map((one) => page.outcome<unknown>(one)))),
      ]
    }, url)
    const disposed = { error: expect.objectContaining({ name: 'DisposedError' }) }
    expect(outcomes).toEqual([...Array(6).fill(disposed), {}])
    await Promise.all(streams.map((stream) => stream.gone))
    const pending = await second.evaluate(() => Promise.all(page.kept() as Promise<unknown>[]))
    expect(pending).toEqual([expect.anything(), disposed])
    expect(await first.evaluate((url) => api(`${url}/api/goes-on`).then(({ status }) => status), url)).toBe(
      200,
    )
    // The locks of the remaining page and of the worker.
    await until(first, async () => (await navigator.locks.query()).held?.length === 2)
    expect(
      await second.evaluate(
        async ([settings, url]) => {
          page.connect(settings)
          await auth.ready()
          return [auth.state, (await api(`${url}/api/again`)).status]
        },
        [{ api: url }, url] as const,
      ),
    ).toEqual(['authenticated', 200])
  })

  it('restores the session after a reload in cookie mode', async () => {
    const { url, server } = await serve()
    const opened = await connected({ worker: { cookie: true } })
    expect(await opened.evaluate(() => document.cookie)).toBe('')
    await opened.reload()
    const found = await opened.evaluate(
      async ([settings, url]) => {
        page.connect(settings)
        const early = api(`${url}/api/early`)
        await auth.ready()
        return [auth.state, (await early).status]
      },
      [{ api: url, cookie: true }, url] as const,
    )
    expect(found).toEqual(['authenticated', 200])
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
  })

  it.each([
    ['/missing.js', 'load_failed'],
    ['/silent.js', 'timeout'],
    ['/throws.js', 'timeout'],
    ['/syntax.js', 'load_failed'],
    ['/future.js', 'version'],
  ])('rejects if the worker script %s cannot be used: %s', async (script, reason) => {
    const { url } = await serve()
    const opened = await blank()
    const outcomes = await opened.evaluate(
      async ([api, script]) => {
        page.connect({ api }, { script, timeout: script === '/missing.js' ? 60_000 : 200 })
        const pending = [
          auth.ready(),
          auth.signIn({ username: 'ada' }),
          globalThis.api(`${api}/api/one`),
          ofetch(`${api}/api/two`),
          http.get(`${api}/api/three`),
          auth.signOut(),
        ]
        const outcomes = await Promise.all(pending.map((one) => page.outcome<unknown>(one)))
        return { outcomes, after: await page.outcome(auth.refresh()), state: auth.state }
      },
      [url, script] as const,
    )
    expect(outcomes).toEqual({
      outcomes: [...Array(5).fill(failed(reason)), {}],
      after: failed(reason),
      state: 'restoring',
    })
  })

  it.each([
    ['/missing.js', 'load_failed', []],
    ['/throws.js', 'timeout', ['broken on purpose']],
  ])('rejects if a dedicated worker cannot be used: %s', async (script, reason, thrown) => {
    const { url } = await serve()
    const opened = await blank()
    const outcome = await opened.evaluate(
      async ([api, script]) => {
        page.connect({ api }, { script, dedicated: true, timeout: 300 })
        return page.outcome(auth.ready())
      },
      [url, script] as const,
    )
    expect(outcome).toEqual(failed(reason))
    expect(harness().problems.splice(0)).toEqual(thrown.map((text) => expect.stringContaining(text)))
  })

  it('continues once a slow worker has responded', async () => {
    const { url } = await serve()
    const opened = await blank()
    const outcome = await opened.evaluate(async (api) => {
      page.connect({ api }, { timeout: 1, script: '/slow-worker.js' })
      return page.outcome(auth.ready())
    }, url)
    expect(outcome).toEqual(failed('timeout'))
    await until(opened, () => auth.state === 'anonymous')
    await opened.evaluate(() => auth.signIn({ username: 'ada' }).then(() => {}))
    expect(await opened.evaluate((url) => api(`${url}/api/now`).then(({ status }) => status), url)).toBe(200)
  })

  it.each([false, true])('rejects pending calls when its worker ends (dedicated: %s)', async (dedicated) => {
    const { url, nextStream } = await serve()
    const opened = await connected({ dedicated })
    await opened.evaluate(
      (url) => page.keep(page.outcome(api(`${url}/stream`).then((answer) => answer.text()))),
      url,
    )
    const stream = await nextStream()
    stream.write('one')
    await opened.evaluate(() => page.say('close'))
    expect(await opened.evaluate(() => page.kept() as Promise<unknown>)).toEqual(failed('gone'))
    expect(await opened.evaluate(() => page.outcome(auth.refresh()))).toEqual(failed('gone'))
    expect(await opened.evaluate(() => auth.state)).toBe('authenticated')
  })

  it('continues with a new worker if it can create one', async () => {
    const { url, server } = await serve()
    const opened = await connected({ worker: { cookie: true }, again: true })
    await opened.evaluate(() => page.say('close'))
    await until(opened, () => page.made() === 2)
    const found = await opened.evaluate(async (url) => {
      await auth.ready()
      return [
        auth.state,
        (await api(`${url}/api/again`)).status,
        auth.history.some(({ type }) => type === 'signedIn'),
      ]
    }, url)
    expect(found).toEqual(['authenticated', 200, true])
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
  })

  it('rejects pending calls when the worker stops serving', async () => {
    await serve()
    const opened = await connected()
    await opened.evaluate(() => page.say('stop'))
    await until(opened, () => page.outcome(auth.refresh()).then((outcome) => 'error' in outcome))
    expect(await opened.evaluate(() => page.outcome(auth.refresh()))).toEqual(failed('closed'))
    const late = await connected({ signIn: false, timeout: 100 })
    expect(await late.evaluate(() => page.outcome(auth.ready()))).toEqual(failed('timeout'))
  })
})

describe.skipIf(!hasBrowser)('a lock that another script steals', () => {
  const { serve, connected, blank } = workerSuite()

  /** Steals every lock whose name begins like this, as any script of the origin can. */
  const steal = (thief: Tab, kind: string) =>
    thief.evaluate(async (kind) => {
      for (const { name = '' } of (await navigator.locks.query()).held ?? [])
        if (name.startsWith(kind)) await navigator.locks.request(name, { steal: true }, () => {})
    }, kind)

  it.each([
    ['of the page', 'authchart page'],
    ['of the worker', 'authchart worker'],
  ])('loses no request, and is replaced: %s', async (_, kind) => {
    const { url, nextStream } = await serve()
    const opened = await connected({ again: true })
    const thief = await blank()
    await opened.evaluate((url) => page.keep(api(`${url}/stream`).then((answer) => answer.text())), url)
    const stream = await nextStream()
    for (let time = 0; time < 3; time++) {
      await steal(thief, kind)
      const status = await opened.evaluate((url) => api(`${url}/api/next`).then(({ status }) => status), url)
      expect(status).toBe(200)
    }
    // Longer than the worker waits for a new lock, and than the page waits for an answer.
    await opened.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_500)))
    stream.write('all')
    stream.end()
    expect(await opened.evaluate(() => page.kept() as Promise<string>)).toBe('all')
    expect(await opened.evaluate(() => page.made())).toBe(1)
    const held = await thief.evaluate(async () =>
      ((await navigator.locks.query()).held ?? []).map(({ name = '' }) =>
        name.split(' ').slice(0, 2).join(' '),
      ),
    )
    expect(held.sort()).toEqual(['authchart page', 'authchart worker'])
  })
})

describe.skipIf(!hasBrowser)('tabs with a worker each', () => {
  const { serve, connected } = workerSuite()

  it('share the session, and refresh it once', async () => {
    const { url, server } = await serve()
    const worker = { shared: true }
    const first = await connected({ dedicated: true, worker })
    const second = await connected({ dedicated: true, worker, signIn: false })
    await until(second, () => auth.session?.subject === 'ada' && auth.state === 'authenticated')
    server.expireAccessTokens()
    const ask = (url: string) =>
      Promise.all(
        Array.from({ length: 10 }, (_, index) => api(`${url}/api/${index}`).then(({ status }) => status)),
      )
    const statuses = await Promise.all([first, second].map((opened) => opened.evaluate(ask, url)))
    expect(statuses.flat()).toEqual(Array(20).fill(200))
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
    await first.reload()
    const found = await first.evaluate(
      async (settings) => {
        page.connect(settings, { dedicated: true })
        await auth.ready()
        return [auth.state, auth.session?.subject]
      },
      { api: url, ...worker },
    )
    expect(found).toEqual(['authenticated', 'ada'])
    await second.evaluate(() => auth.signOut())
    await until(first, () => auth.state === 'loggedOut')
    expect(server.reuseDetections).toBe(0)
  })
})

describe.runIf(hasBrowser && ENGINE === 'chromium')('the network state of a session in a worker', () => {
  const { serve, connected } = workerSuite()

  it('is observed by the worker, which waits after a failed attempt until it is online', async () => {
    const { url, server } = await serve()
    const opened = await connected()
    server.expireAccessTokens()
    server.dropNext()
    await opened.evaluate((url) => page.keep(api(`${url}/api/waits`).then(({ status }) => status)), url)
    expect(await opened.evaluate(() => page.kept() as Promise<number>)).toBe(200)
    await opened.context().setOffline(true)
    // The emulation sets the worker's `navigator.onLine`, but does not cut its connections.
    const attempt = server.holdNext()
    await opened.evaluate(() => page.keep(page.outcome(auth.refresh())))
    await attempt.arrived
    attempt.drop()
    await until(opened, () => auth.actor.getSnapshot().matches({ refreshing: { attempt: 'offline' } }))
    const { tokenRequests } = server
    await opened.context().setOffline(false)
    await until(opened, () => auth.state === 'authenticated')
    expect(server.tokenRequests).toBe(tokenRequests + 1)
  })
})
