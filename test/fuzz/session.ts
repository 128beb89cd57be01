import { inspect } from 'node:util'
import { expect } from 'vitest'
import { createAuthWith } from '../../src/core/create-auth.ts'
import type { AuthOptions } from '../../src/core/options.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { fakeEnvironment } from '../core/auth-setup.ts'

/** Is in every token and in every text that may quote one, and nowhere else. */
export const SECRET = 'SECRET'

/** A session on virtual time that records what it emits, and counts its timers. */
export function createFuzzedAuth<Credentials>(
  options: Partial<AuthOptions<Credentials>>,
  virtual = createVirtualClock(),
) {
  let timers = 0
  const clock = {
    now: virtual.now,
    clearTimeout: virtual.clearTimeout,
    setTimeout(callback: () => void, delay: number) {
      timers++
      return virtual.setTimeout(callback, delay)
    },
  }
  const reported: unknown[] = []
  const auth = createAuthWith<Credentials, Readonly<Record<string, unknown>>>(
    { refresh: () => ({ access_token: `${SECRET}-new` }), ...options },
    { clock, environment: fakeEnvironment().environment, report: (error) => void reported.push(error) },
  )
  const events: unknown[] = []
  auth.on('*', (event) => void events.push(event))
  return {
    auth,
    clock: virtual,
    timers: () => timers,
    /** Checks what holds at any time, and that no secret is in what a session shows, or in these errors. */
    check(...errors: unknown[]) {
      const { context, status } = auth.actor.getSnapshot()
      expect(status).toBe('active')
      expect(reported).toEqual([])
      const { session } = auth
      if (session) {
        const { generation, epoch, expiresAt } = context
        expect({ generation, epoch, expiresAt }).toEqual({
          generation: session.generation,
          epoch: session.epoch,
          expiresAt: session.expiresAt,
        })
      } else expect(['anonymous', 'expired', 'loggedOut', 'restoring']).toContain(auth.state)
      const shown = inspect([errors, events.slice(-20), auth.session, context], {
        depth: 8,
        maxArrayLength: 200,
        maxStringLength: 2_000,
      })
      expect(shown).not.toContain(SECRET)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    },
    /** Disposes of the session. Nothing may be left of it. */
    async end() {
      auth.dispose()
      // A refresh that was sent outlives its session until its time is up.
      await virtual.advance(120_000)
      expect(reported).toEqual([])
      expect(virtual.pending, 'timers left after dispose()').toBe(0)
    },
  }
}
