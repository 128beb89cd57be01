import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Auth, createAuth, sessionLimits, type TokenResponse } from '../../src/index.ts'
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

describe('the mirror actor of a page', () => {
  it('has the same snapshots as the actor of the worker', async () => {
    const { auth, page } = start()
    expect(page.actor.getSnapshot().matches('restoring')).toBe(true)
    expect(page.actor.getSnapshot().hasTag('busy')).toBe(true)
    await page.signIn('ada')
    const theirs = auth.actor.getSnapshot()
    const mine = page.actor.getSnapshot()
    expect(mine.value).toEqual(theirs.value)
    expect(mine.context).toEqual(theirs.context)
    expect([...mine.tags].sort()).toEqual([...theirs.tags].sort())
    expect(mine.matches({ authenticated: 'refreshable' })).toBe(true)
    expect(mine.can({ type: 'session.refresh' })).toBe(true)
    expect(mine.can({ type: 'clock.check' })).toBe(false)
    expect(JSON.stringify(page.actor.getPersistedSnapshot())).toContain('refreshable')
    const { context } = mine
    for (const type of ['environment.resumed', 'environment.online', 'session.signOut'] as const)
      expect(typeof page.actor.getSnapshot().can({ type }), type).toBe('boolean')
    expect(context.generation).toBe(1)
  })

  it('evaluates the guards of the chart by the clock of the page', async () => {
    const { page } = start()
    await page.signIn('ada')
    const can = (type: 'clock.check' | 'environment.resumed') => page.actor.getSnapshot().can({ type })
    const signedInAt = Date.now()
    expect(can('environment.resumed')).toBe(true)
    vi.useFakeTimers({ toFake: ['Date'], now: signedInAt + 3_500_000 })
    onTestFinished(() => void vi.useRealTimers())
    // The token lives for an hour, and its refresh is due a minute before that.
    expect(can('clock.check')).toBe(false)
    vi.setSystemTime(signedInAt + 3_550_000)
    expect(can('clock.check')).toBe(true)
  })

  it('notifies in the order of the real actor: state, then event listeners, then subscribers', async () => {
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
    // The real actor also notifies subscribers of an event that changes nothing; the mirror does not.
    expect(mine).toEqual(theirs)
    expect(mine).toContain('signedIn in authenticated, 1')
    expect(page.history).toEqual(auth.history)
  })

  it('forwards the events it receives, and takes no transition itself', async () => {
    const { auth, page } = start()
    await page.signIn('ada')
    page.actor.send({ type: 'session.signOut' })
    expect(page.state).toBe('authenticated')
    await reached(page, () => page.state === 'loggedOut')
    expect(auth.state).toBe('loggedOut')
    // Events that make statements about tokens are not forwarded.
    page.actor.send({
      type: 'tokens.received',
      refreshed: false,
      facts: { epoch: 9, generation: 9, expiresAt: undefined, refreshAt: undefined, refreshable: true },
    })
    await page.signIn('ada')
    expect(auth.session?.generation).toBe(2)
  })

  it('survives listeners that throw or call the library again', async () => {
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

  it('shows the events of the worker to inspectors', async () => {
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
  it('receives the earlier history and later events', async () => {
    const { auth } = start()
    await auth.signIn('ada')
    const page = connected(auth, ORIGINS)
    const received: string[] = []
    page.on('*', ({ type }) => received.push(type))
    await page.ready()
    expect(page.history).toEqual(auth.history)
    expect(page.session).toEqual(auth.session)
    expect(received).toEqual([])
    const { session } = page
    await page.ready()
    expect(page.session).toBe(session)
    await page.refresh()
    expect(received).toContain('refreshed')
    expect(page.session).not.toBe(session)
    expect(Object.isFrozen(page.session)).toBe(true)
  })

  it('limits its history to historyLimit', async () => {
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

  it('knows when the session ends, and updates that by a ping', async () => {
    const { auth, page } = start({ limits: sessionLimits({ idle: 600_000 }) })
    expect(page.endsAt).toBeUndefined()
    await page.signIn('ada')
    expect(page.endsAt).toBe(auth.endsAt)
    // A use of the session without a chart event.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    onTestFinished(() => void vi.useRealTimers())
    await auth.getAccessToken()
    await expect.poll(() => page.endsAt).toBe(auth.endsAt)
    expect(page.endsAt).toBeGreaterThan(Date.now() + 590_000)
  })
})
