import { describe, expect, it, vi } from 'vitest'
import { type InspectionFrame, inspectAuth } from '../../src/inspect/index.ts'
import { createHarness, tokens } from '../core/auth-setup.ts'
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

function record(auth: Parameters<typeof inspectAuth>[0], options?: Parameters<typeof inspectAuth>[2]) {
  const frames: InspectionFrame[] = []
  const stop = inspectAuth(auth, (frame) => frames.push(frame), options)
  return { frames, stop, reported: () => texts(frames) }
}

describe('inspectAuth', () => {
  it('starts at any time and reports what happens after it, in order', async () => {
    const { auth, clock, refresh } = createHarness()
    await clock.advance(0)
    const { reported } = record(auth)
    auth.actor.send({ type: 'session.refresh' })
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    const refreshing = JSON.stringify({
      refreshing: { attempt: 'requesting', gate: 'open' },
    })
    expect(reported().filter((text) => !text.startsWith('emitted transition'))).toEqual([
      'begin {"authenticated":"refreshable"}',
      'event session.refresh',
      'actor refreshTokens',
      'event xstate.init',
      'progress active',
      `snapshot ${refreshing}`,
      'event xstate.promise.resolve',
      'event xstate.done.actor',
      'emitted refreshed',
      'snapshot {"authenticated":"refreshable"}',
      'progress done',
    ])
  })

  it('reports an actor that started before the inspection', async () => {
    const { auth, clock } = createHarness()
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    const { reported } = record(auth)
    expect(reported().slice(0, 2)).toEqual([
      expect.stringMatching(/^begin .*requesting/),
      'actor refreshTokens',
    ])
  })

  it('reports facts of the session, with times of the given clock', async () => {
    const { auth, clock } = createHarness()
    const { frames } = record(auth, { name: 'mine', now: () => clock.now() })
    expect(frames[0]).toMatchObject({
      type: 'begin',
      at: clock.now(),
      name: 'mine',
      snapshot: {
        status: 'active',
        value: { authenticated: 'refreshable' },
        tags: ['session', 'settled', 'pass'],
        context: { status: 'active', generation: 1, epoch: 1, held: 0, policy: { attempts: 5 } },
      },
    })
  })

  it('reports nothing after it is stopped, and ends once', async () => {
    const { auth, clock } = createHarness()
    const { reported, stop } = record(auth)
    stop()
    stop()
    const before = reported()
    await auth.signOut()
    await clock.advance(0)
    expect(reported()).toEqual(before)
    expect(before.at(-1)).toBe('end')
    expect(before.filter((text) => text === 'end')).toHaveLength(1)
  })

  it('removes its listeners from the actor when it is stopped', () => {
    const { auth } = createHarness()
    const actor = auth.actor as unknown as {
      observers: Set<unknown>
      eventListeners: Map<string, Set<unknown>>
    }
    const listening = () => [actor.observers.size, actor.eventListeners.get('*')?.size]
    const before = listening()
    record(auth).stop()
    expect(listening()).toEqual(before)
  })

  it('ends when the session is disposed', () => {
    const { auth } = createHarness()
    const { reported } = record(auth)
    auth.dispose()
    expect(reported().at(-1)).toBe('end')
    expect(record(auth).reported().at(-1)).toBe('end')
  })

  it('reports the beginning before the end if the observer ends the session or if the chart has failed', async () => {
    const { auth } = createHarness()
    const frames: InspectionFrame[] = []
    inspectAuth(auth, (frame) => {
      frames.push(frame)
      if (frame.type === 'begin') auth.dispose()
    })
    expect(texts(frames).at(-1)).toBe('end')

    // XState notifies a subscriber of a failed actor at once.
    const snapshot = { ...createHarness().auth.actor.getSnapshot(), status: 'error' }
    const subscribe = (observer: { error(): void }) => {
      observer.error()
      return { unsubscribe() {} }
    }
    const inspect = () => ({ unsubscribe() {} })
    const actor = { sessionId: 'x:0', getSnapshot: () => snapshot, subscribe, system: { inspect } }
    const failed = { actor, on: () => () => {} } as unknown as Parameters<typeof inspectAuth>[0]
    expect(record(failed).reported()).toEqual([expect.stringMatching(/^begin/), 'end'])
  })

  it('reports the same frames to all observers', async () => {
    const { auth, clock } = createHarness()
    const [one, other] = [record(auth), record(auth)]
    await auth.signOut()
    await clock.advance(0)
    expect(one.reported().length).toBeGreaterThan(5)
    expect(other.reported()).toEqual(one.reported())
  })

  it('lets an observer call the session', async () => {
    const { auth, clock, at } = createHarness()
    inspectAuth(auth, (frame) => {
      if (frame.type === 'event' && frame.event.type === 'session.refresh') void auth.signOut()
    })
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(at('loggedOut')).toBe(true)
  })

  it('reports an action that the observer starts on the first frame', async () => {
    const { auth, clock } = createHarness()
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
  ])('reports the error and continues if an observer %s', async (_, observer) => {
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { auth, clock, refresh, at, reported: internalErrors } = createHarness()
    const stop = inspectAuth(auth, observer)
    const { reported: others } = record(auth)
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await expect(refreshed).resolves.toMatchObject({ generation: 2 })
    expect(at('authenticated.refreshable')).toBe(true)
    expect(others()).toContain('emitted refreshed')
    expect(consoleError.mock.calls.length).toBeGreaterThan(5)
    expect(consoleError.mock.calls[0]).toEqual([new Error('observer')])
    expect(internalErrors).toEqual([])
    stop()
    await clock.advance(0)
    consoleError.mockRestore()
  })

  it('reports a session in a worker, as far as the page can see it', async () => {
    const { auth, clock, refresh } = createHarness()
    const page = connected(auth, { origins: ['https://api.example.com'] })
    await page.ready()
    const { reported, frames } = record(page)
    const refreshed = page.refresh()
    await new Promise<void>((resolve) => {
      auth.on('transition', ({ to }) => to === 'refreshing.attempt.requesting' && resolve())
    })
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await refreshed
    expect(reported()[0]).toBe('begin {"authenticated":"refreshable"}')
    expect(reported()).toContain('emitted refreshed')
    expect(
      reported()
        .filter((text) => text.startsWith('snapshot'))
        .at(-1),
    ).toBe('snapshot {"authenticated":"refreshable"}')
    expect(frames.at(-1)).toMatchObject({ snapshot: { context: { generation: 2 } } })
  })
})
