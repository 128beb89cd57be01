import { describe, expect, it } from 'vitest'
import fc from '../support/property.ts'
import { createHarness, tokens } from './auth-setup.ts'

/** Events that only the library sends: they end or replace a session. */
const RESERVED = [
  'session.endedElsewhere',
  'session.limitReached',
  'tokens.received',
  'tokens.discarded',
  'request.unauthorized',
  'store.failed',
  'xstate.init',
  'xstate.stop',
  'xstate.error.actor.refresh',
  'xstate.done.actor.revoke',
  'xstate.after.0.auth.refreshing',
]

const throwing = (property: string) =>
  Object.defineProperty({}, property, {
    enumerable: true,
    get() {
      throw new Error('a getter')
    },
  })

describe('an event that an app sends to the actor', () => {
  it('ends neither the actor nor the session if it is foreign', async () => {
    const { auth, clock, refresh } = createHarness({ initialTokens: tokens(1) })
    await auth.ready()
    const { actor } = auth
    const send = actor.send as (event: unknown) => void
    const type = fc.oneof(fc.constantFrom(...RESERVED), fc.string(), fc.anything({ withObjectString: true }))
    const event = fc.oneof(
      fc.anything({ withNullPrototype: true, withSparseArray: true, withBigInt: true }),
      fc.record({ type, facts: fc.anything(), reason: fc.anything(), generation: fc.anything() }),
      fc.constantFrom(null, undefined, throwing('type'), new Proxy({}, { get: () => expect.unreachable() })),
    )
    fc.assert(
      fc.property(event, (sent) => {
        send(sent)
        expect(actor.getSnapshot().status).toBe('active')
        expect(auth.session?.generation).toBe(1)
      }),
      { numRuns: 2_000 },
    )
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    send({ type: 'session.refresh', facts: throwing('facts') })
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.session?.generation).toBe(2)
  })
})
