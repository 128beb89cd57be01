import { describe, expect, it } from 'vitest'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { createHarness, tokens } from './auth-setup.ts'

const COOL_DOWN = 30_000

/** A session, and an API that answers with the status that the test sets. */
function started() {
  const made = createHarness({ retry: { maxDelay: COOL_DOWN }, refreshOn: 'demand' })
  const api = { status: 401 }
  const ask = async (key = 'POST /graphql') => {
    const answer = bearerRequest(made.auth, {
      send: async () => api.status,
      challenge: (status) => (status === 401 ? 'refresh' : undefined),
      replayable: true,
      key: () => key,
    })
    await made.clock.advance(0)
    return answer
  }
  /** The endpoint rejects a token that is fresh from a refresh. */
  const refuseFresh = async () => {
    const answer = ask()
    await made.clock.advance(0)
    made.refresh.call().resolve(tokens(2))
    await made.clock.advance(0)
    expect(await answer).toBe(401)
  }
  return { ...made, api, ask, refuseFresh }
}

describe('an endpoint that rejected a fresh token', () => {
  it('causes no other refresh before retry.maxDelay has passed', async () => {
    const { ask, refuseFresh, refresh, clock } = started()
    await refuseFresh()
    await clock.advance(COOL_DOWN - 1)
    expect(await ask()).toBe(401)
    expect(refresh.calls).toHaveLength(1)
  })

  it('causes a refresh after retry.maxDelay, because the token may have expired since', async () => {
    const { ask, refuseFresh, refresh, clock, api } = started()
    await refuseFresh()
    await clock.advance(COOL_DOWN)
    const answer = ask()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    api.status = 200
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(await answer).toBe(200)
  })

  it('may cause a refresh again as soon as it has accepted the token', async () => {
    const { ask, refuseFresh, refresh, clock, api } = started()
    await refuseFresh()
    api.status = 200
    expect(await ask()).toBe(200)
    api.status = 401
    const answer = ask()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(await answer).toBe(401)
  })

  it('does not keep another endpoint from causing a refresh', async () => {
    const { ask, refuseFresh, refresh, clock } = started()
    await refuseFresh()
    const other = ask('GET /me')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().reject({ error: 'invalid_grant' })
    await expect(other).rejects.toMatchObject({ code: 'session_expired' })
  })
})
