/** What the search found in the code, on its shortest ways there: the real tabs must not go them any more. */
import { expect, it } from 'vitest'
import { bearerRequest } from '../../../src/core/bearer-request.ts'
import { settled } from '../../../src/testing/virtual-clock.ts'
import { rig, tokens } from '../../core/auth-setup.ts'
import { createRealTabs, responseOf } from './real-tabs.ts'

it('a replay whose token is at hand does not leave after a sign-out in that very moment', async () => {
  const { auth, clock, refresh } = rig()
  const sent: (string | undefined)[] = []
  let answer = (_: { status: number }) => {}
  const request = bearerRequest<{ status: number }>(auth, {
    send: (authorization) => {
      sent.push(authorization)
      return new Promise((resolve) => {
        answer = resolve
      })
    },
    challenge: ({ status }) => (status === 401 ? 'renew' : undefined),
    replayable: true,
    key: () => '/me',
    discard: () => queueMicrotask(() => void auth.signOut()),
  })
  request.catch(() => {})
  await clock.advance(0)
  const renewed = auth.refresh()
  await clock.advance(0)
  refresh.call().resolve(tokens(2))
  await renewed

  answer({ status: 401 })
  await clock.advance(0)

  expect(sent).toHaveLength(1)
  await expect(request).rejects.toMatchObject({ code: 'signed_out' })
})

it('a renewal that is committed while a slow store tells of a sign-out is not stored', async () => {
  const real = await createRealTabs()
  const [renewing, leaving] = real.tabs as [(typeof real.tabs)[0], (typeof real.tabs)[0]]
  renewing.auth.refresh().catch(() => {})
  await settled()
  renewing.waiters.shift()?.grant()
  await settled()
  renewing.reads.shift()?.()
  await settled()
  void leaving.auth.signOut()
  await settled()
  renewing.hear({ type: 'changed', epoch: 0, generation: 0 })
  await settled()

  renewing.calls.shift()?.resolve(responseOf('ada', 2))
  await settled()
  while (renewing.reads.length > 0) {
    renewing.reads.shift()?.()
    await settled()
  }

  expect(real.stored).toBeUndefined()
  expect(renewing.auth.state).toBe('loggedOut')
  real.dispose()
})
