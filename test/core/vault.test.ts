import { describe, expect, it } from 'vitest'
import { isSessionRecord, mergeRecord, recordOf } from '../../src/core/session/record.ts'
import { parseTokenResponse, type Tokens } from '../../src/core/session/token-response.ts'
import { Vault } from '../../src/core/session/vault.ts'
import { SECRET, tokens } from './auth-setup.ts'

const NOW = 1_700_000_000_000

function vaultOf() {
  let now = NOW
  const clock = { now: () => now, setTimeout: () => undefined, clearTimeout() {} }
  const vault = new Vault(clock, 60_000)
  const pass = (ms: number) => {
    now += ms
  }
  return { vault, pass }
}

/** The whole record of a vault that is not empty. */
const recordIn = (vault: Vault) => recordOf(vault, false)!

const set = (n: number, more: object = {}): Tokens =>
  parseTokenResponse(tokens(n, more), { clock: { now: () => NOW } }, true)

describe('the vault', () => {
  it('is empty at first', () => {
    const { vault } = vaultOf()
    expect(vault.tokens).toBeUndefined()
    expect(vault.session).toBeUndefined()
    expect(vault.credential).toBeUndefined()
    expect(recordOf(vault, false)).toBeUndefined()
    expect(vault.expire()).toBeUndefined()
    expect(vault.facts()).toEqual({
      epoch: 0,
      generation: 0,
      expiresAt: undefined,
      refreshAt: undefined,
      refreshable: true,
    })
  })

  it('returns facts, a session and a credential, of which only the credential contains the token', () => {
    const { vault } = vaultOf()
    vault.begin(set(1, { scope: 'read', subject: 'ada' }))
    expect(vault.credential, 'before publish()').toBeUndefined()
    const facts = vault.publish()
    expect(facts).toEqual({
      epoch: 1,
      generation: 1,
      expiresAt: NOW + 600_000,
      refreshAt: NOW + 540_000,
      refreshable: true,
    })
    expect(vault.session).toEqual({
      subject: 'ada',
      scope: 'read',
      expiresAt: NOW + 600_000,
      epoch: 1,
      generation: 1,
    })
    expect(JSON.stringify([facts, vault.session])).not.toContain(SECRET)
    expect(vault.credential).toEqual({ authorization: `Bearer ${SECRET}-at-1`, epoch: 1, generation: 1 })
    expect(Object.isFrozen(vault.credential)).toBe(true)
    expect(Object.isFrozen(vault.session)).toBe(true)
  })

  it('returns the same session and the same credential until the next token set', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    expect(vault.session).toBe(vault.session)
    expect(vault.credential).toBe(vault.credential)
    const { session, credential } = vault
    vault.refresh(vault.mark(), set(2))
    expect([vault.session, vault.credential]).toEqual([session, credential])
    vault.publish()
    expect(vault.session).not.toBe(session)
    expect(vault.credential).not.toBe(credential)
  })

  it('returns an anonymous credential of the current epoch and generation', () => {
    const { vault } = vaultOf()
    const credential = vault.anonymousCredential
    expect(credential).toEqual({ authorization: undefined, epoch: 0, generation: 0 })
    expect(Object.isFrozen(credential)).toBe(true)
    vault.begin(set(1))
    vault.publish()
    vault.end()
    expect(vault.anonymousCredential).toEqual({ authorization: undefined, epoch: 2, generation: 1 })
  })

  it('reports that a refresh token has expired', () => {
    const { vault, pass } = vaultOf()
    vault.begin(set(1, { refresh_token_expires_in: 60 }))
    vault.publish()
    expect(vault.facts().refreshable).toBe(true)
    pass(60_000)
    expect(vault.facts().refreshable).toBe(false)
  })
})

describe('a refresh in the vault', () => {
  it('is stored if nothing has changed since its mark', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    expect(vault.refresh(vault.mark(), set(2))).toBe(true)
    expect(vault.publish()).toMatchObject({ epoch: 1, generation: 2 })
    expect(vault.publish()).toMatchObject({ epoch: 1, generation: 2 })
    expect(recordIn(vault)).toMatchObject({ rotation: 1, accessToken: `${SECRET}-at-2` })
  })

  it.each<[string, (vault: Vault) => unknown]>([
    ['another refresh', (vault) => vault.refresh(vault.mark(), set(7))],
    ['a sign-in', (vault) => vault.begin(set(7))],
    ['a sign-out', (vault) => vault.end()],
    ['an expiry', (vault) => vault.expire()],
    ['the end of the session in another tab', (vault) => vault.bumpRevision()],
    [
      'a change by another tab',
      (vault) => mergeRecord(vault, { ...recordIn(vault), rotation: 9, receivedAt: NOW + 9 }),
    ],
  ])('is rejected after %s', (_, happen) => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    const mark = vault.mark()
    expect(vault.isCurrent(mark)).toBe(true)
    happen(vault)
    expect(vault.isCurrent(mark)).toBe(false)
    const before = vault.tokens
    expect(vault.refresh(mark, set(2))).toBe(false)
    expect(vault.tokens).toBe(before)
  })

  it('starts a session without an earlier one, as in cookie mode', () => {
    const { vault } = vaultOf()
    expect(vault.refresh(vault.mark(), set(1))).toBe(true)
    expect(vault.publish()).toMatchObject({ epoch: 1, generation: 1 })
    expect(vault.tokens?.startedAt).toBe(NOW)
  })

  it('starts later than every known sign-in, even in the same millisecond or after the clock was set back', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    const [first, record] = [vault.tokens?.startedAt ?? 0, recordIn(vault)]
    vault.begin({ ...set(2), receivedAt: NOW - 1_000 })
    vault.publish()
    expect(vault.tokens?.startedAt).toBeGreaterThan(first)
    mergeRecord(vault, { ...record, id: 'other', startedAt: NOW + 500 })
    vault.begin(set(3))
    vault.publish()
    expect(vault.tokens?.startedAt).toBe(NOW + 501)
  })

  it('keeps the id and the start of the session', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    const { id, startedAt } = recordIn(vault)
    vault.refresh(vault.mark(), { ...set(2), receivedAt: NOW + 5 })
    expect(recordIn(vault)).toMatchObject({ id, startedAt, receivedAt: NOW + 5 })
  })
})

describe('a stored record', () => {
  it('contains what the vault holds, without claims, and is a valid record', () => {
    const { vault } = vaultOf()
    vault.begin(set(1, { scope: 'read', subject: 'ada', refresh_token_expires_in: 60 }))
    vault.publish()
    const record = recordIn(vault)
    expect(JSON.parse(JSON.stringify(record))).toEqual({
      version: 1,
      id: expect.any(String),
      rotation: 0,
      startedAt: NOW,
      receivedAt: NOW,
      accessToken: `${SECRET}-at-1`,
      refreshToken: `${SECRET}-rt-1`,
      expiresAt: NOW + 600_000,
      refreshTokenExpiresAt: NOW + 60_000,
      scope: 'read',
      subject: 'ada',
      user: { app: 'ada' },
    })
    expect(isSessionRecord(JSON.parse(JSON.stringify(record)))).toBe(true)
  })

  it('restores the same session through JSON, including claims', () => {
    const { vault } = vaultOf()
    const payload = Buffer.from(JSON.stringify({ sub: 'ada', name: 'Ada' })).toString('base64url')
    vault.begin(set(1, { id_token: `a.${payload}.b` }))
    vault.publish()
    const other = vaultOf().vault
    mergeRecord(other, JSON.parse(JSON.stringify(recordIn(vault))))
    expect(other.session).toEqual(vault.session)
    expect(recordIn(other)).toEqual(recordIn(vault))
  })

  it('is merged if it is newer by more refreshes or by a later sign-in', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    const record = recordIn(vault)
    expect(mergeRecord(vault, record)).toBeUndefined()
    expect(mergeRecord(vault, { ...record, rotation: 1, receivedAt: NOW + 1 })).toMatchObject({
      refreshed: true,
      facts: { epoch: 1, generation: 2 },
    })
    expect(mergeRecord(vault, { ...record, rotation: 1 })).toBeUndefined()
    expect(mergeRecord(vault, { ...record, id: 'b', startedAt: NOW })).toBeUndefined()
    expect(mergeRecord(vault, { ...record, id: 'b', startedAt: NOW - 1, rotation: 50 })).toBeUndefined()
    expect(mergeRecord(vault, { ...record, id: 'b', startedAt: NOW + 1 })).toMatchObject({
      refreshed: false,
      facts: { epoch: 2, generation: 3 },
    })
  })

  it('with only another refresh token changes only what the next refresh will send', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    const refreshToken = `${SECRET}-rt-of-branch`
    expect(mergeRecord(vault, { ...recordIn(vault), rotation: 1, refreshToken })).toBeUndefined()
    expect(vault.tokens).toMatchObject({ refreshToken, rotation: 1, accessToken: `${SECRET}-at-1` })
    expect(vault.generation).toBe(1)
  })

  it('is merged into an empty vault', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    const record = recordIn(vault)
    vault.end()
    expect(mergeRecord(vault, record)).toMatchObject({ refreshed: false, facts: { epoch: 3, generation: 2 } })
  })

  it('leaves the access token and the ID token out if it may not hold them', () => {
    const { vault } = vaultOf()
    vault.begin(set(1, { id_token: `${SECRET}-id` }))
    vault.publish()
    const record = recordOf(vault, true)
    expect(record).toMatchObject({ accessToken: null, refreshToken: `${SECRET}-rt-1` })
    expect(JSON.parse(JSON.stringify(record))).not.toHaveProperty('idToken')
    expect(JSON.parse(JSON.stringify(record))).not.toHaveProperty('expiresAt')
    expect(isSessionRecord(JSON.parse(JSON.stringify(record)))).toBe(true)
  })

  it('without an access token changes only what the next refresh sends', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    const { credential, generation } = vault
    const mark = vault.mark()
    const newer = { ...recordOf(vault, true)!, rotation: 1, refreshToken: `${SECRET}-rt-2` }
    expect(mergeRecord(vault, newer)).toBeUndefined()
    expect(vault.credential).toBe(credential)
    expect(vault.generation).toBe(generation)
    expect(vault.isCurrent(mark)).toBe(true)
    expect(recordIn(vault)).toMatchObject({
      rotation: 1,
      accessToken: `${SECRET}-at-1`,
      refreshToken: `${SECRET}-rt-2`,
    })
  })

  it('without an access token starts a session whose token has expired', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    const other = vaultOf().vault
    expect(mergeRecord(other, recordOf(vault, true)!, NOW - 5)).toMatchObject({
      refreshed: false,
      facts: { epoch: 1, generation: 1, expiresAt: 0 },
    })
    expect(other.credential).toBeUndefined()
    expect(other.lastUse).toBe(NOW - 5)
  })

  it('has another id for each sign-in', () => {
    const { vault } = vaultOf()
    const ids = Array.from({ length: 100 }, () => {
      vault.begin(set(1))
      vault.publish()
      return recordIn(vault).id
    })
    expect(new Set(ids).size).toBe(100)
  })
})

describe('a request that was made in another session', () => {
  const ada = { subject: 'ada' }
  const bob = { subject: 'bob' }

  it.each<[string, boolean, object, 'expired' | 'replaced' | 'signedOut', object]>([
    ['the same user signed in again after the session expired', true, ada, 'expired', ada],
    ['another user signed in after it expired', false, ada, 'expired', bob],
    ['an unknown user signed in after it expired', false, ada, 'expired', {}],
    ['both users are unknown and the session has expired', false, {}, 'expired', {}],
    ['the same user signed in again meanwhile', true, ada, 'replaced', ada],
    ['another user signed in meanwhile', false, ada, 'replaced', bob],
    ['both users are unknown', false, {}, 'replaced', {}],
    ['the user signed out and in again', false, ada, 'signedOut', ada],
  ])('may be served if %s: %s', (_, served, before, end, after) => {
    const { vault } = vaultOf()
    vault.begin(set(1, before))
    vault.publish()
    const owner = vault.requestOwner
    expect(vault.mayServe(owner)).toBe(true)
    if (end === 'expired') vault.expire()
    if (end === 'signedOut') vault.end()
    if (end !== 'replaced') expect(vault.mayServe(owner) && end === 'signedOut').toBe(false)
    vault.begin(set(2, after))
    vault.publish()
    expect(vault.mayServe(owner)).toBe(served)
  })

  it('has no owner if it was made while signed out, and then belongs to any session', () => {
    const { vault } = vaultOf()
    expect(vault.requestOwner).toBe(-1)
    vault.begin(set(1))
    vault.publish()
    expect(vault.mayServe(-1)).toBe(true)
    vault.end()
    expect(vault.requestOwner).toBe(-1)
  })

  it('belongs to the session that has expired', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.publish()
    vault.expire()
    expect(vault.requestOwner).toBe(1)
  })
})
