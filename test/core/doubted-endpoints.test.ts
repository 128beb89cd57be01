import { describe, expect, it } from 'vitest'
import { bearerRequest } from '../../src/core/bearer-request.ts'
import { rig, tokens } from './auth-setup.ts'

const COOL_DOWN = 30_000

/** A session, and an API that answers what the test sets. */
function started() {
  const made = rig({ retry: { maxDelay: COOL_DOWN }, renew: 'demand' })
  const api = { status: 401 }
  const ask = async (key = 'POST /graphql') => {
    const answer = bearerRequest(made.auth, {
      send: async () => api.status,
      challenge: (status) => (status === 401 ? 'renew' : undefined),
      replayable: true,
      key: () => key,
    })
    await made.clock.advance(0)
    return answer
  }
  /** The endpoint refuses a token that is fresh from a refresh. */
  const refuseFresh = async () => {
    const answer = ask()
    await made.clock.advance(0)
    made.refresh.call().resolve(tokens(2))
    await made.clock.advance(0)
    expect(await answer).toBe(401)
  }
  return { ...made, api, ask, refuseFresh }
}

describe('an endpoint that refused a fresh token', () => {
  it('gets no other refresh for a while', async () => {
    const { ask, refuseFresh, refresh, clock } = started()
    await refuseFresh()
    await clock.advance(COOL_DOWN - 1)
    expect(await ask()).toBe(401)
    expect(refresh.calls).toHaveLength(1)
  })

  it('gets one again after that while, for the token may have died since', async () => {
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

  it('is trusted again as soon as it takes the token', async () => {
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

  it('casts no doubt on others', async () => {
    const { ask, refuseFresh, refresh, clock } = started()
    await refuseFresh()
    const other = ask('GET /me')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().reject({ error: 'invalid_grant' })
    await expect(other).rejects.toMatchObject({ code: 'session_expired' })
  })
})
