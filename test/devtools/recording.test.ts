import { describe, expect, it } from 'vitest'
import { createLanes } from '../../src/devtools/recording/lane.ts'
import { categoryOf } from '../../src/devtools/recording/moment.ts'
import { record } from '../../src/devtools/recording/recorder.ts'
import { type Recording, readRecording, writeRecording } from '../../src/devtools/recording/recording.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { setUp } from '../conformance/harness.ts'
import { SECRET } from '../core/auth-setup.ts'
import { liveThrough, newLife } from '../inspect/life.ts'
import { TOKEN_MARKER } from '../transports/support.ts'

/** A life with everything in it, recorded from its first moment. */
async function recordedLife() {
  const life = newLife()
  const recorder = record(life.auth, { name: 'life', now: () => life.clock.now(), onChange() {} })
  await liveThrough(life)
  recorder.stop()
  return { ...life, recorder }
}

/** A moment and a lane as they are written, to be spoilt. */
const MOMENT = {
  at: 1,
  seenAt: 2,
  source: 'chart',
  type: 'session.check',
  facts: { error: { reason: 'network', fatal: false } },
  active: ['anonymous'],
  session: { epoch: 0, generation: 0, held: 0 },
  step: 0,
  taken: [{ source: 'anonymous', target: 'authenticating', event: 'session.signIn' }],
}
const LANE = {
  id: 1,
  name: 'GET /a',
  origin: 'https://api.example.com',
  startedAt: 1,
  phases: [{ phase: 'sent', at: 1 }],
  endedAt: 2,
  outcome: 'done',
  status: 200,
}
const EVENT = { type: 'signedIn', at: 1, epoch: 1, generation: 1 }

const fileOf = (parts: object) =>
  JSON.stringify({ format: 'authchart-recording', version: 1, moments: [], lanes: [], ...parts })

describe('a recording', () => {
  it('is the same once it was written and read', async () => {
    const { recorder } = await recordedLife()
    const { moments, lanes } = recorder

    const read = readRecording(writeRecording(recorder), 'life.json')

    expect(read).toEqual({ name: 'life.json', moments, lanes })
    expect(read.moments.length).toBeGreaterThan(100)
    expect(writeRecording(readRecording(writeRecording(read), 'life.json'))).toBe(writeRecording(read))
  })

  it('has its requests in it, also one that is under way', async () => {
    const { signedIn, url, server } = await setUp()
    const auth = await signedIn()
    const recorder = record(auth, { name: 'auth', now: Date.now, onChange() {} })
    const send = createAuthFetch(auth, { origins: [url] })
    server.expireAccessTokens()
    await (await send(`${url}/api/a`)).text()
    const held = server.holdApiNext()
    const open = send(`${url}/api/b`)
    await held.arrived

    const { lanes } = readRecording(writeRecording(recorder), 'file')

    expect(lanes).toEqual(recorder.lanes)
    expect(lanes.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['GET /api/a', 'done'],
      ['GET /api/b', undefined],
    ])
    held.answer()
    await (await open).text()
    recorder.stop()
  })

  it('is read from the JSON of a history, too', async () => {
    const { auth } = await recordedLife()
    const history = auth.history

    const { name, moments, lanes } = readRecording(JSON.stringify(history), 'history.json')

    expect([name, lanes]).toEqual(['history.json', []])
    expect(moments.map(({ type, at, seenAt }) => [type, at, seenAt])).toEqual(
      history.map(({ type, at }) => [type, at, at]),
    )
    expect(moments.at(-1)?.active).toEqual(['loggedOut'])
    expect(moments.every(({ source }) => source === 'told')).toBe(true)
    expect(readRecording(writeRecording({ name, moments, lanes }), name)).toEqual({ name, moments, lanes })
  })

  it('may be empty', () => {
    const empty: Recording = { name: 'empty', moments: [], lanes: createLanes(1).lanes }
    expect(readRecording(writeRecording(empty), 'empty')).toEqual(empty)
    expect(readRecording('[]', 'empty')).toEqual(empty)
  })

  it('holds no token, password or verifier, whatever happened', async () => {
    const { recorder, auth } = await recordedLife()

    const text = writeRecording(recorder)

    expect(text).not.toContain(SECRET)
    // The history has what an app itself put into an event, and that is left out, too.
    expect(writeRecording(readRecording(JSON.stringify(auth.history), 'history'))).not.toContain(SECRET)
    // It was an eventful life: what is not told cannot leak.
    for (const fact of ['network', 'invalid_grant', 'storageFailed', 'discarded', 'stepUpRequired'])
      expect(text).toContain(fact)
  })

  it('holds nothing of a request but its method, its path and its origin', async () => {
    const { signedIn, url, server } = await setUp()
    const auth = await signedIn()
    const recorder = record(auth, { name: 'auth', now: Date.now, onChange() {} })
    const send = createAuthFetch(auth, { origins: [url] })
    server.expireAccessTokens()

    const init = { method: 'POST', headers: { 'x-key': SECRET }, body: SECRET }
    await (await send(`${url}/api/a?q=${SECRET}#${SECRET}`, init)).text()
    recorder.stop()

    const text = writeRecording(recorder)
    expect(text).toContain('POST /api/a')
    expect(text).not.toContain(SECRET)
    expect(text).not.toMatch(TOKEN_MARKER)
  })
})

describe('what is no recording', () => {
  it('is read as it is written here, where nothing is spoilt', () => {
    const text = fileOf({ moments: [MOMENT], lanes: [LANE] })
    expect(readRecording(text, 'file')).toEqual({ name: 'file', moments: [MOMENT], lanes: [LANE] })
    expect(readRecording(JSON.stringify([EVENT]), 'file').moments).toHaveLength(1)
  })

  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  const spoilt = (
    kind: 'moments' | 'lanes',
    whole: object,
    parts: Readonly<Record<string, readonly unknown[]>>,
  ) =>
    Object.entries(parts).flatMap(([name, values]) =>
      values.map((value): [string, string] => [
        `${kind} whose ${name} is ${JSON.stringify(value)}`,
        fileOf({ [kind]: [{ ...whole, [name]: value }] }),
      ]),
    )

  const FILES: readonly (readonly [what: string, text: string])[] = [
    ['nothing', ''],
    ['half of a file', fileOf({}).slice(0, -5)],
    ['a secret', SECRET],
    ['a secret in quotes', `"${SECRET}"`],
    ['XML', `<token>${SECRET}</token>`],
    ['a byte order mark', `\uFEFF${fileOf({})}`],
    ['a number', '1'],
    ['null', 'null'],
    ['true', 'true'],
    ['an object', `{"token":"${SECRET}"}`],
    ['another format', fileOf({ format: SECRET })],
    ['another version', fileOf({ version: SECRET })],
    ['a version that is no text', fileOf({ version: { toString: SECRET, valueOf: SECRET } })],
    ['no version', fileOf({ version: undefined })],
    ['no moments', fileOf({ moments: undefined })],
    ['no lanes', fileOf({ lanes: undefined })],
    ['moments that are none', fileOf({ moments: { length: 0 } })],
    ['lanes that are none', fileOf({ lanes: SECRET })],
    ['a list of numbers', '[1]'],
    ['a list of texts', JSON.stringify([SECRET])],
    ['a list of nulls', '[null]'],
    ['a list of lists', '[[]]'],
    ['an event without a time', JSON.stringify([{ ...EVENT, at: undefined }])],
    ['an event at no time', `[{"type":"signedIn","at":1e999,"epoch":1,"generation":1}]`],
    ['an event after all time', JSON.stringify([{ ...EVENT, at: 1e300 }])],
    ['an event without a type', JSON.stringify([{ ...EVENT, type: { SECRET } }])],
    ['an event of no session', JSON.stringify([{ type: 'signedIn', at: 1 }])],
    ['a transition to nowhere', JSON.stringify([{ ...EVENT, type: 'transition', from: 'anonymous' }])],
    ['a transition to a number', JSON.stringify([{ ...EVENT, type: 'transition', from: '', to: 5 }])],
    [
      'facts within facts within facts',
      fileOf({ moments: [MOMENT] }).replace('"facts":{', `"facts":{"deep":${nested(20_000)},`),
    ],
    ...spoilt('moments', MOMENT, {
      at: [undefined, null, '1', -1e16, SECRET],
      seenAt: [undefined, 1e16],
      source: [undefined, SECRET],
      type: [undefined, 1],
      facts: [undefined, null, SECRET, { a: null }],
      active: [undefined, SECRET, [1], [null]],
      session: [
        undefined,
        {},
        { ...MOMENT.session, held: SECRET },
        { ...MOMENT.session, expiresAt: 1e300 },
        { ...MOMENT.session, attempt: SECRET },
        { ...MOMENT.session, reason: 1 },
        { ...MOMENT.session, scope: {} },
      ],
      step: [SECRET],
      taken: [SECRET, [null], [{ source: 1, target: '', event: '' }]],
    }),
    ...spoilt('lanes', LANE, {
      id: [undefined, SECRET],
      name: [undefined, 1],
      origin: [null],
      startedAt: [undefined, 1e16],
      endedAt: [SECRET, 1e16],
      phases: [undefined, [SECRET], [{ phase: SECRET, at: 1 }], [{ phase: 'sent', at: SECRET }]],
      outcome: [SECRET, null],
      status: [SECRET],
      reason: [1],
    }),
    ['a moment that is none', fileOf({ moments: [null] })],
    ['a lane that is none', fileOf({ lanes: [SECRET] })],
  ]

  it.each(FILES)('is named as such, and nothing of it is told: %s', (_, text) => {
    let thrown: unknown
    try {
      readRecording(text, 'the-file.json')
    } catch (error) {
      thrown = error
    }

    expect(thrown).toBeInstanceOf(TypeError)
    const { message, cause } = thrown as TypeError
    expect(message).toMatch(/^the-file\.json (is not JSON|is no recording|was written by another|is damaged)/)
    expect(message).not.toContain(SECRET)
    expect(cause).toBeUndefined()
  })
})

describe('the kinds of moments', () => {
  it.each([
    ['chart', 'transition', 'chart'],
    ['told', 'transition', 'states'],
    ['told', 'signedIn', 'tokens'],
    ['told', 'refreshed', 'tokens'],
    ['told', 'signedOut', 'tokens'],
    ['told', 'requestHeld', 'requests'],
    ['told', 'requestReplayed', 'requests'],
    ['told', 'requestRejected', 'trouble'],
    ['told', 'refreshFailed', 'trouble'],
    ['told', 'expired', 'trouble'],
    ['told', 'whatever', 'trouble'],
  ] as const)('%s %s is of the kind %s', (source, type, category) => {
    expect(categoryOf({ source, type })).toBe(category)
  })
})
