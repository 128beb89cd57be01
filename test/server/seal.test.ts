import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import { textOf } from '../../src/fleet/answers.ts'
import { hashKey, hashTag } from '../../src/server/hash-key.ts'
import { keyRing } from '../../src/server/key-ring.ts'
import { isCurrent, open, seal } from '../../src/server/seal.ts'

const bytes = (fill: number, length = 32) => new Uint8Array(length).fill(fill)
const PLACE = ['session', 'key', 'id', 3] as const

const refusal = (opening: Promise<string>) =>
  opening.then(
    () => 'opened',
    (error) => (error instanceof StorageError ? error.reason : error),
  )

describe('seal', () => {
  it('a box opens at its place, and shows nothing of what it contains', async () => {
    const keys = keyRing({ a: bytes(1) })
    const text = 'a secret with an umlaut: ü and 愛'.repeat(2_000)
    const box = await seal(keys, PLACE, text)
    expect(await open(keys, PLACE, box)).toBe(text)
    expect(box).toMatch(/^[\w-]+$/)
    expect(Buffer.from(box, 'base64url').toString('latin1')).not.toContain('secret')
  })

  it('two boxes of the same text differ', async () => {
    const keys = keyRing({ a: bytes(1) })
    expect(await seal(keys, PLACE, 'text')).not.toBe(await seal(keys, PLACE, 'text'))
  })

  it.each([
    ['key', ['session', 'other', 'id', 3]],
    ['session', ['session', 'key', 'other', 3]],
    ['rotation', ['session', 'key', 'id', 2]],
    ['kind of place', ['transaction', 'key', 'id', 3]],
    ['place with another border between its parts', ['session', 'key","id', 3]],
  ])('a box is refused at another %s', async (_, place) => {
    const keys = keyRing({ a: bytes(1) })
    expect(await refusal(open(keys, place, await seal(keys, PLACE, 'text')))).toBe('box_refused')
  })

  it('a box in which any byte was changed is refused', async () => {
    const keys = keyRing({ a: bytes(1), b: bytes(2) })
    const box = Buffer.from(await seal(keys, PLACE, 'text'), 'base64url')
    for (let at = 0; at < box.length; at++) {
      const changed = Buffer.from(box)
      changed[at] = (changed[at] ?? 0) ^ 3
      const reason = await refusal(open(keys, PLACE, changed.toString('base64url')))
      expect(['box_refused', 'not_a_box', 'unknown_key'], `byte ${at}`).toContain(reason)
    }
  })

  it('a box passes for one of another key of the ring no more than for one of another ring', async () => {
    const box = await seal(keyRing({ a: bytes(1) }), PLACE, 'text')
    expect(await refusal(open(keyRing({ b: bytes(1) }), PLACE, box))).toBe('unknown_key')
    expect(await refusal(open(keyRing({ a: bytes(2) }), PLACE, box))).toBe('box_refused')
    const renamed = Buffer.from(box, 'base64url')
    renamed[2] = 'b'.charCodeAt(0)
    const both = keyRing({ a: bytes(1), b: bytes(1) })
    expect(await refusal(open(both, PLACE, renamed.toString('base64url')))).toBe('box_refused')
  })

  it.each([
    undefined,
    null,
    7,
    {},
    '',
    'AQ',
    '{}',
    '!'.repeat(100),
    'A'.repeat(2_000_000),
    Buffer.alloc(100, 1).toString('base64url'),
  ])('anything but a box is refused as such (%#)', async (value) => {
    expect(await refusal(open(keyRing({ a: bytes(1) }), PLACE, value))).toMatch(/^(?:not_a_box|unknown_key)$/)
  })

  it('a text is sealed only if a database gives its box back', async () => {
    const keys = keyRing({ a: bytes(1) })
    const box = await seal(keys, PLACE, 'a'.repeat(749_900))
    expect(textOf(box)).toBe(box)
    for (const text of ['a'.repeat(750_000), 'ü'.repeat(375_000)])
      expect(await refusal(seal(keys, PLACE, text))).toBe('too_large')
  })

  it('the first key seals, and all keys open', async () => {
    const old = keyRing({ old: bytes(1) })
    const both = keyRing({ new: bytes(2), old: bytes(1) })
    const box = await seal(old, PLACE, 'text')
    expect(await open(both, PLACE, box)).toBe('text')
    expect(isCurrent(old, box)).toBe(true)
    expect(isCurrent(both, box)).toBe(false)
    const again = await seal(both, PLACE, 'text')
    expect(isCurrent(both, again)).toBe(true)
    expect(await open(keyRing({ new: bytes(2) }), PLACE, again)).toBe('text')
  })
})

describe('keyRing', () => {
  it('a secret means the same as bytes, in base64, base64url and hex', async () => {
    const secret = Uint8Array.from({ length: 40 }, (_, at) => at * 7)
    const box = await seal(keyRing({ a: secret }), PLACE, 'text')
    const buffer = Buffer.from(secret)
    for (const text of [buffer.toString('base64'), buffer.toString('base64url'), buffer.toString('hex')])
      expect(await open(keyRing({ a: ` ${text}\n` }), PLACE, box)).toBe('text')
  })

  it('a CryptoKey is used as it is', async () => {
    const algorithm = { name: 'AES-GCM', length: 256 }
    const key = await crypto.subtle.generateKey(algorithm, false, ['encrypt', 'decrypt'])
    const keys = keyRing({ a: key })
    expect(await open(keys, PLACE, await seal(keys, PLACE, 'text'))).toBe('text')
  })

  it('a secret that its owner overwrites later still opens', async () => {
    const secret = bytes(1)
    const keys = keyRing({ a: secret })
    secret.fill(0)
    expect(await open(keys, PLACE, await seal(keyRing({ a: bytes(1) }), PLACE, 'text'))).toBe('text')
  })

  it.each<[string, unknown, RegExp]>([
    ['no object', undefined, /must be an object/],
    ['no key', {}, /at least one key/],
    ['an empty name', { '': bytes(1) }, /names of keys/],
    ['a name with a space', { 'a b': bytes(1) }, /names of keys/],
    ['a number as a name', { b: bytes(1), 2026: bytes(1) }, /2026 must not be a number.*k2026/],
    ['a short secret', { a: bytes(1, 31) }, /at least 32 bytes, not 31/],
    ['a short text', { a: Buffer.alloc(16).toString('hex') }, /at least 32 bytes, not 16/],
    ['a password', { a: 'correct horse battery staple!' }, /secret a must be bytes/],
    ['a missing secret', { a: undefined }, /secret a must be bytes/],
  ])('%s is refused with a TypeError that says why', (_, keys, message) => {
    expect(() => keyRing(keys as never)).toThrow(TypeError)
    expect(() => keyRing(keys as never)).toThrow(message)
  })

  it('a TypeError about a secret does not quote it', () => {
    expect(() => keyRing({ a: 'c2VjcmV0LXNlY3JldA==' })).toThrow(/^(?!.*c2VjcmV0)/)
  })

  it('a CryptoKey for other uses is refused', async () => {
    const { subtle } = crypto
    const short = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt', 'decrypt'])
    const oneWay = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt'])
    for (const key of [short, oneWay]) expect(() => keyRing({ a: key })).toThrow(/AES-GCM key of 256 bits/)
  })
})

describe('the keys in the database', () => {
  it('the key of a session and its tags are hashes, each of its own kind', async () => {
    const { createHash } = await import('node:crypto')
    expect(await hashKey('cookie')).toBe(createHash('sha256').update('cookie').digest('base64url'))
    const hashes = [await hashKey('ada'), await hashTag('sub', 'ada'), await hashTag('sid', 'ada')]
    expect(new Set(hashes).size).toBe(3)
    for (const hash of hashes) expect(hash).toMatch(/^[\w-]{43}$/)
  })
})
