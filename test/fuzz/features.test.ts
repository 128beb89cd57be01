import { expect } from 'vitest'
import { type Event, plan, type RequestPlan } from './features/plan.ts'
import { createRequests } from './features/requests.ts'
import { createWorld } from './features/world.ts'
import { fuzz } from './fuzz.ts'

/** Longer than any request may wait, in milliseconds. */
const LONG = 65_000

const LAST: RequestPlan = {
  endpoint: 'a',
  onBranch: false,
  replayable: true,
  acts: false,
  timeout: undefined,
  abortedAfter: undefined,
  takes: [40],
  lost: undefined,
}

fuzz(
  'features of one session go together, whatever happens to it',
  plan,
  async ({ features, pace, steps, endsAbruptly }) => {
    const world = createWorld(features, pace)
    const { auth, branch, clock, server } = world
    const { send, watch, all, faults, assertSettled } = createRequests(world)

    function happen(event: Event) {
      switch (event.type) {
        case 'send':
          for (const request of event.requests) send(request)
          break
        case 'revokeAccessTokens':
        case 'revokeRefreshTokens':
          server[event.type]()
          break
        case 'failRefreshes':
          server.failRefreshes(event.times)
          break
        case 'signIn':
          watch('signIn()', auth.signIn(event.user))
          break
        case 'setTokens':
          watch('setTokens()', auth.setTokens(server.issue(event.user)))
          break
        case 'getAccessToken':
          watch('getAccessToken()', auth.getAccessToken({ minValidity: event.minValidity }))
          break
        default:
          watch(`${event.type}()`, auth[event.type]())
      }
    }

    /** Nothing more happens, and another user signs in: then all is well. */
    async function calmDown() {
      await clock.advance(LONG)
      assertSettled('although nothing happens any more')
      expect(faults).toEqual([])

      server.failRefreshes(0)
      happen({ type: 'signIn', user: 'zed' })
      await clock.advance(1_000)
      server.revokeAccessTokens()
      const last = Array.from({ length: 4 }, () => send(LAST))
      await clock.advance(15_000)
      expect(
        last.map(({ value }) => value),
        'answers after a new sign-in',
      ).toEqual(Array(4).fill({ status: 200 }))
      world.check(...all.filter(({ state }) => state === 'rejected').map(({ value }) => value))
    }

    happen({ type: 'signIn', user: 'ada' })
    await clock.advance(100)
    for (const { event, pause } of steps) {
      happen(event)
      await clock.advance(pause)
    }
    if (!endsAbruptly) await calmDown()
    happen({ type: 'send', requests: [LAST, { ...LAST, endpoint: 'admin' }, { ...LAST, onBranch: true }] })
    // Otherwise the session disposes of its branch.
    if (!endsAbruptly) branch?.dispose()
    await world.end()
    assertSettled('after dispose()')
    expect(faults).toEqual([])
  },
  { runs: 100, shrinks: true },
)
