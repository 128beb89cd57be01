import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Auth, createAuth, type TokenResponse } from '../../src/index.ts'
import { connectAuth, serveAuth } from '../../src/worker/index.ts'
import { connected } from './in-process.ts'

const ORIGINS = { origins: ['https://api.example.com'] }

function start(options: Partial<Parameters<typeof createAuth>[0]> = {}) {
  let count = 0
  const tokens = (): TokenResponse => ({
    access_token: `at-${++count}`,
    refresh_token: 'rt',
    expires_in: 3_600,
    subject: 'ada',
  })
  const auth = createAuth({ signIn: tokens, refresh: tokens, ...options })
  onTestFinished(() => auth.dispose())
  return { auth, page: connected(auth, ORIGINS) }
}

const reached = (page: Auth, done: () => boolean) =>
  new Promise<void>((resolve) => {
    if (done()) return resolve()
    const { unsubscribe } = page.actor.subscribe(() => {
      if (!done()) return
      unsubscribe()
      resolve()
    })
  })

describe('the actor of a page', () => {
  it('has the snapshots of the worker’s', async () => {
    const { auth, page } = start()
    expect(page.actor.getSnapshot().matches('restoring')).toBe(true)
    expect(page.actor.getSnapshot().hasTag('busy')).toBe(true)
    await page.signIn('ada')
    const theirs = auth.actor.getSnapshot()
    const mine = page.actor.getSnapshot()
    expect(mine.value).toEqual(theirs.value)
    expect(mine.context).toEqual(theirs.context)
    expect([...mine.tags].sort()).toEqual([...theirs.tags].sort())
    expect(mine.matches({ authenticated: 'renewable' })).toBe(true)
    expect(mine.can({ type: 'session.refresh' })).toBe(true)
    expect(mine.can({ type: 'session.check' })).toBe(false)
    expect(JSON.stringify(page.actor.getPersistedSnapshot())).toContain('renewable')
    const { context } = mine
    for (const type of ['environment.woke', 'environment.online', 'session.signOut'] as const)
      expect(typeof page.actor.getSnapshot().can({ type }), type).toBe('boolean')
    expect(context.generation).toBe(1)
  })

  it('tells in the order of the real one: the state, what listens for events, then subscribers', async () => {
    const { auth, page } = start()
    await page.ready()
    const orders = [auth, page].map((one) => {
      const order: string[] = []
      one.actor.subscribe(() => order.push(`subscriber in ${one.state}`))
      one.on('*', (event) => {
        order.push(
          `${event.type}${'to' in event ? ` ${event.to}` : ''} in ${one.state}, ${one.session?.generation}`,
        )
      })
      return order
    })
    await page.signIn('ada')
    await page.refresh()
    await page.signOut()
    const [theirs, mine] = orders.map((order) => order.filter((entry, index) => entry !== order[index - 1]))
    // An event that changes nothing is told to subscribers there, and not here.
    expect(mine).toEqual(theirs)
    expect(mine).toContain('signedIn in authenticated, 1')
    expect(page.history).toEqual(auth.history)
  })

  it('passes on what it is sent, and does nothing itself', async () => {
    const { auth, page } = start()
    await page.signIn('ada')
    page.actor.send({ type: 'session.signOut' })
    expect(page.state).toBe('authenticated')
    await reached(page, () => page.state === 'loggedOut')
    expect(auth.state).toBe('loggedOut')
    // What claims something about tokens stays where it is.
    page.actor.send({
      type: 'session.adopt',
      works: true,
      renewal: false,
      facts: { epoch: 9, generation: 9, expiresAt: undefined, renewAt: undefined, renewable: true },
    })
    await page.signIn('ada')
    expect(auth.session?.generation).toBe(2)
  })

  it('is not harmed by listeners that throw, or that call the library again', async () => {
    const reportError = vi.fn()
    vi.stubGlobal('reportError', reportError)
    onTestFinished(() => void vi.unstubAllGlobals())
    const { page } = start()
    const boom = new Error('a listener fails')
    const fail = () => {
      throw boom
    }
    page.on('signedIn', fail)
    page.actor.on('signedIn', fail)
    page.actor.subscribe(fail)
    page.actor.system.inspect(fail)
    let refreshed: Promise<unknown> | undefined
    page.on('signedIn', () => {
      refreshed = page.refresh()
    })
    await page.signIn('ada')
    await refreshed
    expect(page.session?.generation).toBe(2)
    expect(reportError.mock.calls.length).toBeGreaterThan(3)
    expect(new Set(reportError.mock.calls.flat())).toEqual(new Set([boom]))
  })

  it('shows inspectors the events of the worker’s', async () => {
    const { page } = start()
    await page.ready()
    const types: string[] = []
    page.actor.system.inspect((inspected) => {
      if (inspected.type === '@xstate.snapshot') types.push(inspected.event.type)
    })
    await page.signIn('ada')
    expect(types).toContain('session.signIn')
  })
})

describe('a page that connects', () => {
  it('has the history of the time before, and is told of what comes', async () => {
    const { auth } = start()
    await auth.signIn('ada')
    const page = connected(auth, ORIGINS)
    const heard: string[] = []
    page.on('*', ({ type }) => heard.push(type))
    await page.ready()
    expect(page.history).toEqual(auth.history)
    expect(page.session).toEqual(auth.session)
    expect(heard).toEqual([])
    const { session } = page
    await page.ready()
    expect(page.session).toBe(session)
    await page.refresh()
    expect(heard).toContain('refreshed')
    expect(page.session).not.toBe(session)
    expect(Object.isFrozen(page.session)).toBe(true)
  })

  it('keeps as much history as it is told to', async () => {
    const { auth } = start()
    await auth.signIn('ada')
    const { port1, port2 } = new MessageChannel()
    const stop = serveAuth(auth, { ...ORIGINS, port: port2 })
    const page = connectAuth(port1, { historyLimit: 2 })
    onTestFinished(() => {
      page.dispose()
      stop()
      port1.close()
    })
    await page.refresh()
    expect(page.history).toEqual(auth.history.slice(-2))
  })

  it('knows when the session ends, and asks when it may have changed', async () => {
    const { auth, page } = start({ limits: { idle: 600_000 } })
    expect(page.endsAt).toBeUndefined()
    await page.signIn('ada')
    expect(page.endsAt).toBe(auth.endsAt)
    // A use that the chart says nothing of.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    onTestFinished(() => void vi.useRealTimers())
    await auth.getAccessToken()
    await expect.poll(() => page.endsAt).toBe(auth.endsAt)
    expect(page.endsAt).toBeGreaterThan(Date.now() + 590_000)
  })
})
