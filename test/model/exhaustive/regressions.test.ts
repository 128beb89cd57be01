/** Defects that the search found in the core, replayed on real tabs along the shortest traces. */
import { expect, it } from 'vitest'
import { bearerRequest } from '../../../src/core/requests/bearer-request.ts'
import { settled } from '../../../src/testing/virtual-clock.ts'
import { createHarness, tokens } from '../../core/auth-setup.ts'
import { createRealTabs, responseOf } from './real-tabs.ts'

it('a replay that does not wait for a token is not sent if the user signs out just before it', async () => {
  const { auth, clock, refresh } = createHarness()
  const sent: (string | undefined)[] = []
  let answer = (_: { status: number }) => {}
  const request = bearerRequest<{ status: number }>(auth, {
    send: (authorization) => {
      sent.push(authorization)
      return new Promise((resolve) => {
        answer = resolve
      })
    },
    challenge: ({ status }) => (status === 401 ? 'refresh' : undefined),
    replayable: true,
    key: () => '/me',
    discard: () => queueMicrotask(() => void auth.signOut()),
  })
  request.catch(() => {})
  await clock.advance(0)
  const refreshed = auth.refresh()
  await clock.advance(0)
  refresh.call().resolve(tokens(2))
  await refreshed

  answer({ status: 401 })
  await clock.advance(0)

  expect(sent).toHaveLength(1)
  await expect(request).rejects.toMatchObject({ code: 'signed_out' })
})

it('a refresh is not stored if it is committed while a slow store is still reporting a sign-out', async () => {
  const real = await createRealTabs()
  const [refreshing, signingOut] = real.tabs as [(typeof real.tabs)[0], (typeof real.tabs)[0]]
  const releaseReads = async () => {
    while (refreshing.reads.length > 0) {
      refreshing.reads.shift()?.()
      await settled()
    }
  }
  refreshing.auth.refresh().catch(() => {})
  await settled()
  refreshing.waiters.shift()?.grant()
  await settled()
  refreshing.reads.shift()?.()
  await settled()
  void signingOut.auth.signOut()
  await settled()
  refreshing.receive({ type: 'changed', epoch: 0, generation: 0 })
  await settled()

  refreshing.calls.shift()?.resolve(responseOf('ada', 2))
  await settled()
  await releaseReads()
  expect(real.stored).toBeUndefined()
  // A missing record is looked for twice, by the refresh and by the check of the message.
  await real.lookAgain()
  await releaseReads()

  expect(real.stored).toBeUndefined()
  expect(refreshing.auth.state).toBe('loggedOut')
  real.dispose()
})
