import { describe, expect, it, vi } from 'vitest'
import { type InspectionFrame, inspectAuth } from '../../src/inspect/index.ts'
import { rig, tokens } from '../core/auth-setup.ts'
import { connected } from '../worker/in-process.ts'

const texts = (frames: readonly InspectionFrame[]) =>
  frames.map((frame) => {
    switch (frame.type) {
      case 'begin':
        return `begin ${JSON.stringify(frame.snapshot.value)}`
      case 'actor':
        return `actor ${frame.src}`
      case 'event':
        return `event ${frame.event.type.replace(/actor\..*/, 'actor')}`
      case 'emitted':
        return `emitted ${frame.event.type}`
      case 'snapshot':
        return `snapshot ${JSON.stringify(frame.snapshot.value)}`
      case 'progress':
        return `progress ${frame.status}`
      default:
        return frame.type
    }
  })

function recorded(auth: Parameters<typeof inspectAuth>[0], options?: Parameters<typeof inspectAuth>[2]) {
  const frames: InspectionFrame[] = []
  const stop = inspectAuth(auth, (frame) => frames.push(frame), options)
  return { frames, stop, told: () => texts(frames) }
}

describe('inspectAuth', () => {
  it('begins at any time, and tells what comes after, in order', async () => {
    const { auth, clock, refresh } = rig()
    await clock.advance(0)
    const { told } = recorded(auth)
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    const refreshing = JSON.stringify({
      refreshing: { exchange: 'requesting', gate: 'open', limits: 'watched' },
    })
    expect(told().filter((text) => !text.startsWith('emitted transition'))).toEqual([
      'begin {"authenticated":"renewable"}',
      'event session.check',
      'snapshot {"authenticated":"renewable"}',
      'event session.refresh',
      'actor exchangeTokens',
      'event xstate.init',
      'progress active',
      `snapshot ${refreshing}`,
      'event xstate.promise.resolve',
      'event xstate.done.actor',
      'emitted refreshed',
      'snapshot {"authenticated":"renewable"}',
      'progress done',
    ])
  })

  it('shows what was begun before anybody looked', async () => {
    const { auth, clock } = rig()
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    const { told } = recorded(auth)
    expect(told().slice(0, 2)).toEqual([expect.stringMatching(/^begin .*requesting/), 'actor exchangeTokens'])
  })

  it('tells facts of the session, and the time it is given', async () => {
    const { auth, clock } = rig()
    const { frames } = recorded(auth, { name: 'mine', now: () => clock.now() })
    expect(frames[0]).toMatchObject({
      type: 'begin',
      at: clock.now(),
      name: 'mine',
      snapshot: {
        status: 'active',
        value: { authenticated: 'renewable' },
        tags: ['session', 'settled'],
        context: { standing: 'session', generation: 1, epoch: 1, held: 0, policy: { attempts: 5 } },
      },
    })
  })

  it('tells nothing more once it is stopped, and ends once', async () => {
    const { auth, clock } = rig()
    const { told, stop } = recorded(auth)
    stop()
    stop()
    const before = told()
    await auth.signOut()
    await clock.advance(0)
    expect(told()).toEqual(before)
    expect(before.at(-1)).toBe('end')
    expect(before.filter((text) => text === 'end')).toHaveLength(1)
  })

  it('leaves nothing behind with the actor', () => {
    const { auth } = rig()
    const actor = auth.actor as unknown as {
      observers: Set<unknown>
      eventListeners: Map<string, Set<unknown>>
    }
    const listening = () => [actor.observers.size, actor.eventListeners.get('*')?.size]
    const before = listening()
    recorded(auth).stop()
    expect(listening()).toEqual(before)
  })

  it('ends with the session', () => {
    const { auth } = rig()
    const { told } = recorded(auth)
    auth.dispose()
    expect(told().at(-1)).toBe('end')
    expect(recorded(auth).told().at(-1)).toBe('end')
  })

  it('begins before it ends, also where the observer ends the session, or its chart has failed', async () => {
    const { auth } = rig()
    const frames: InspectionFrame[] = []
    inspectAuth(auth, (frame) => {
      frames.push(frame)
      if (frame.type === 'begin') auth.dispose()
    })
    expect(texts(frames).at(-1)).toBe('end')

    // What XState does for an actor that has failed: it tells whoever subscribes, at once.
    const snapshot = { ...rig().auth.actor.getSnapshot(), status: 'error' }
    const subscribe = (observer: { error(): void }) => {
      observer.error()
      return { unsubscribe() {} }
    }
    const inspect = () => ({ unsubscribe() {} })
    const actor = { sessionId: 'x:0', getSnapshot: () => snapshot, subscribe, system: { inspect } }
    const failed = { actor, on: () => () => {} } as unknown as Parameters<typeof inspectAuth>[0]
    expect(recorded(failed).told()).toEqual([expect.stringMatching(/^begin/), 'end'])
  })

  it('tells any number of observers the same', async () => {
    const { auth, clock } = rig()
    const [one, other] = [recorded(auth), recorded(auth)]
    await auth.signOut()
    await clock.advance(0)
    expect(one.told().length).toBeGreaterThan(5)
    expect(other.told()).toEqual(one.told())
  })

  it('lets an observer call the session again', async () => {
    const { auth, clock, at } = rig()
    inspectAuth(auth, (frame) => {
      if (frame.type === 'event' && frame.event.type === 'session.refresh') void auth.signOut()
    })
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(at('loggedOut')).toBe(true)
  })

  it('misses nothing that an observer sets going when it is told of the beginning', async () => {
    const { auth, clock } = rig()
    const frames: InspectionFrame[] = []
    inspectAuth(auth, (frame) => {
      frames.push(frame)
      if (frame.type === 'begin') void auth.refresh().catch(() => {})
    })
    await clock.advance(0)
    expect(texts(frames)).toContain('event session.refresh')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('observer')
      },
    ],
    ['rejects', () => Promise.reject(new Error('observer'))],
  ])('comes to no harm where an observer %s, and says so', async (_, observer) => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { auth, clock, refresh, at, reported } = rig()
    const stop = inspectAuth(auth, observer)
    const { told: others } = recorded(auth)
    const renewed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await expect(renewed).resolves.toMatchObject({ generation: 2 })
    expect(at('authenticated.renewable')).toBe(true)
    expect(others()).toContain('emitted refreshed')
    expect(told.mock.calls.length).toBeGreaterThan(5)
    expect(told.mock.calls[0]).toEqual([new Error('observer')])
    expect(reported).toEqual([])
    stop()
    await clock.advance(0)
    told.mockRestore()
  })

  it('shows a session that lives in a worker, as far as the page sees it', async () => {
    const { auth, clock, refresh } = rig()
    const page = connected(auth, { origins: ['https://api.example.com'] })
    await page.ready()
    const { told, frames } = recorded(page)
    const renewed = page.refresh()
    await new Promise<void>((resolve) => {
      auth.on('transition', ({ to }) => to === 'refreshing.exchange.requesting' && resolve())
    })
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await renewed
    expect(told()[0]).toBe('begin {"authenticated":"renewable"}')
    expect(told()).toContain('emitted refreshed')
    expect(
      told()
        .filter((text) => text.startsWith('snapshot'))
        .at(-1),
    ).toBe('snapshot {"authenticated":"renewable"}')
    expect(frames.at(-1)).toMatchObject({ snapshot: { context: { generation: 2 } } })
  })
})
