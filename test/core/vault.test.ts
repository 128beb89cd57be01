import { describe, expect, it } from 'vitest'
import { isSessionRecord } from '../../src/core/session-store.ts'
import { parseTokenResponse, type Tokens } from '../../src/core/token-response.ts'
import { createVault } from '../../src/core/vault.ts'
import { SECRET, tokens } from './auth-setup.ts'

const NOW = 1_700_000_000_000

function vaultOf() {
  let now = NOW
  const vault = createVault({ now: () => now, renewAt: ({ expiresAt }) => expiresAt && expiresAt - 60_000 })
  const pass = (ms: number) => {
    now += ms
  }
  return { vault, pass }
}

const set = (n: number, more: object = {}): Tokens => parseTokenResponse(tokens(n, more), NOW, true)

describe('the vault', () => {
  it('is empty at first', () => {
    const { vault } = vaultOf()
    expect(vault.tokens).toBeUndefined()
    expect(vault.session).toBeUndefined()
    expect(vault.pass).toBeUndefined()
    expect(vault.record()).toBeUndefined()
    expect(vault.startedAt).toBeUndefined()
    expect(vault.erase()).toBeUndefined()
    expect(vault.secrets()).toEqual([undefined, undefined, undefined])
    expect(vault.facts()).toEqual({
      epoch: 0,
      generation: 0,
      expiresAt: undefined,
      renewAt: undefined,
      renewable: true,
    })
  })

  it('gives out facts, a session and a pass, and only the pass holds the token', () => {
    const { vault } = vaultOf()
    const facts = vault.begin(set(1, { scope: 'read', subject: 'ada' }))
    expect(facts).toEqual({
      epoch: 1,
      generation: 1,
      expiresAt: NOW + 600_000,
      renewAt: NOW + 540_000,
      renewable: true,
    })
    expect(vault.session).toEqual({
      subject: 'ada',
      scope: 'read',
      expiresAt: NOW + 600_000,
      epoch: 1,
      generation: 1,
    })
    expect(JSON.stringify([facts, vault.session])).not.toContain(SECRET)
    expect(vault.pass).toEqual({ authorization: `Bearer ${SECRET}-at-1`, epoch: 1, generation: 1 })
    expect(Object.isFrozen(vault.pass)).toBe(true)
    expect(Object.isFrozen(vault.session)).toBe(true)
  })

  it('gives the same session and the same pass until the next token set', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    expect(vault.session).toBe(vault.session)
    expect(vault.pass).toBe(vault.pass)
    const { session, pass } = vault
    vault.renew(vault.mark(), set(2))
    expect(vault.session).not.toBe(session)
    expect(vault.pass).not.toBe(pass)
  })

  it('gives nobody one pass, until somebody comes or goes', () => {
    const { vault } = vaultOf()
    const pass = vault.anonymousPass
    expect(pass).toEqual({ authorization: undefined, epoch: 0, generation: 0 })
    expect(vault.anonymousPass).toBe(pass)
    vault.begin(set(1))
    vault.dismiss()
    expect(vault.anonymousPass).toEqual({ authorization: undefined, epoch: 2, generation: 1 })
  })

  it('knows that a refresh token ran out', () => {
    const { vault, pass } = vaultOf()
    vault.begin(set(1, { refresh_token_expires_in: 60 }))
    expect(vault.facts().renewable).toBe(true)
    pass(60_000)
    expect(vault.facts().renewable).toBe(false)
  })

  it('lists every secret at hand, to be taken out of texts', () => {
    const { vault } = vaultOf()
    vault.begin(set(1, { id_token: `${SECRET}-id` }))
    expect(vault.secrets()).toEqual([`${SECRET}-at-1`, `${SECRET}-rt-1`, `${SECRET}-id`])
  })
})

describe('a renewal', () => {
  it('is written where nothing happened since its mark', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    expect(vault.renew(vault.mark(), set(2))).toMatchObject({ epoch: 1, generation: 2 })
    expect(vault.record()).toMatchObject({ rotation: 1, accessToken: `${SECRET}-at-2` })
  })

  it.each<[string, (vault: ReturnType<typeof createVault>) => unknown]>([
    ['a renewal', (vault) => vault.renew(vault.mark(), set(7))],
    ['a sign-in', (vault) => vault.begin(set(7))],
    ['a sign-out', (vault) => vault.dismiss()],
    ['an expiry', (vault) => vault.erase()],
    ['another tab', (vault) => vault.adopt({ ...vault.record()!, rotation: 9 })],
  ])('is refused after %s', (_, happen) => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    const mark = vault.mark()
    expect(vault.isCurrent(mark)).toBe(true)
    happen(vault)
    expect(vault.isCurrent(mark)).toBe(false)
    const before = vault.tokens
    expect(vault.renew(mark, set(2))).toBeUndefined()
    expect(vault.tokens).toBe(before)
  })

  it('without a session begins one: a session in a cookie', () => {
    const { vault } = vaultOf()
    expect(vault.renew(vault.mark(), set(1))).toMatchObject({ epoch: 1, generation: 1 })
    expect(vault.startedAt).toBe(NOW)
  })

  it('is later than every sign-in that was seen, within one millisecond or after the clock was set back', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    const [first, record] = [vault.startedAt ?? 0, vault.record()!]
    vault.begin({ ...set(2), receivedAt: NOW - 1_000 })
    expect(vault.startedAt).toBeGreaterThan(first)
    vault.adopt({ ...record, id: 'other', startedAt: NOW + 500 })
    vault.begin(set(3))
    expect(vault.startedAt).toBe(NOW + 501)
  })

  it('keeps the name and the start of the session', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    const { id, startedAt } = vault.record()!
    vault.renew(vault.mark(), { ...set(2), receivedAt: NOW + 5 })
    expect(vault.record()).toMatchObject({ id, startedAt, receivedAt: NOW + 5 })
  })
})

describe('a stored record', () => {
  it('is what the vault holds, without claims, and passes for a record', () => {
    const { vault } = vaultOf()
    vault.begin(set(1, { scope: 'read', subject: 'ada', refresh_token_expires_in: 60 }))
    const record = vault.record()
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
    })
    expect(isSessionRecord(JSON.parse(JSON.stringify(record)))).toBe(true)
  })

  it('gives back through JSON what went in, claims too', () => {
    const { vault } = vaultOf()
    const payload = Buffer.from(JSON.stringify({ sub: 'ada', name: 'Ada' })).toString('base64url')
    vault.begin(set(1, { id_token: `a.${payload}.b` }))
    const other = vaultOf().vault
    other.adopt(JSON.parse(JSON.stringify(vault.record())))
    expect(other.session).toEqual(vault.session)
    expect(other.record()).toEqual(vault.record())
  })

  it('is adopted where it is newer: more renewals, or a later sign-in', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    const record = vault.record()!
    expect(vault.adopt(record)).toBeUndefined()
    expect(vault.adopt({ ...record, rotation: 1 })).toMatchObject({
      renewal: true,
      facts: { epoch: 1, generation: 2 },
    })
    expect(vault.adopt({ ...record, rotation: 1 })).toBeUndefined()
    expect(vault.adopt({ ...record, id: 'b', startedAt: NOW })).toBeUndefined()
    expect(vault.adopt({ ...record, id: 'b', startedAt: NOW - 1, rotation: 50 })).toBeUndefined()
    expect(vault.adopt({ ...record, id: 'b', startedAt: NOW + 1 })).toMatchObject({
      renewal: false,
      facts: { epoch: 2, generation: 3 },
    })
  })

  it('is adopted by who has nothing', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    const record = vault.record()!
    vault.dismiss()
    expect(vault.adopt(record)).toMatchObject({ renewal: false, facts: { epoch: 3, generation: 2 } })
  })

  it('names each sign-in differently', () => {
    const { vault } = vaultOf()
    const ids = Array.from({ length: 100 }, () => {
      vault.begin(set(1))
      return vault.record()!.id
    })
    expect(new Set(ids).size).toBe(100)
  })
})

describe('a request that was made in another session', () => {
  const ada = { subject: 'ada' }
  const bob = { subject: 'bob' }

  it.each<[string, boolean, object, 'expired' | 'replaced' | 'left', object]>([
    ['the same user signed in again after the session expired', true, ada, 'expired', ada],
    ['another user signed in after it expired', false, ada, 'expired', bob],
    ['somebody unknown signed in after it expired', false, ada, 'expired', {}],
    ['nobody knows who was and is signed in, after it expired', true, {}, 'expired', {}],
    ['the same user signed in again meanwhile', true, ada, 'replaced', ada],
    ['another user signed in meanwhile', false, ada, 'replaced', bob],
    ['nobody knows who was and is signed in', false, {}, 'replaced', {}],
    ['the user signed out and in again', false, ada, 'left', ada],
  ])('may be served where %s: %s', (_, served, before, end, after) => {
    const { vault } = vaultOf()
    vault.begin(set(1, before))
    const owner = vault.owner()
    expect(vault.mayServe(owner)).toBe(true)
    if (end === 'expired') vault.erase()
    if (end === 'left') vault.dismiss()
    if (end !== 'replaced') expect(vault.mayServe(owner) && end === 'left').toBe(false)
    vault.begin(set(2, after))
    expect(vault.mayServe(owner)).toBe(served)
  })

  it('belongs to nobody where nobody is signed in, and then to whoever comes', () => {
    const { vault } = vaultOf()
    expect(vault.owner()).toBe(-1)
    vault.begin(set(1))
    expect(vault.mayServe(-1)).toBe(true)
    vault.dismiss()
    expect(vault.owner()).toBe(-1)
  })

  it('belongs to the session that ended by itself', () => {
    const { vault } = vaultOf()
    vault.begin(set(1))
    vault.erase()
    expect(vault.owner()).toBe(1)
  })
})
