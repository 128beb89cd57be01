import { describe, expect, it } from 'vitest'
import { createLanes } from '../../src/devtools/recording/lane.ts'
import { categoryOf } from '../../src/devtools/recording/moment.ts'
import { record } from '../../src/devtools/recording/recorder.ts'
import { type Recording, readRecording, writeRecording } from '../../src/devtools/recording/recording.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { setUp } from '../conformance/harness.ts'
import { SECRET } from '../core/auth-setup.ts'
import { createEventfulSession, exerciseSession } from '../inspect/eventful-session.ts'
import { TOKEN_MARKER } from '../transports/support.ts'

/** Records an eventful session from its first moment. */
async function recordSession() {
  const session = createEventfulSession()
  const recorder = record(session.auth, { name: 'life', now: () => session.clock.now(), onChange() {} })
  await exerciseSession(session)
  recorder.stop()
  return { ...session, recorder }
}

/** A valid moment and a valid lane, as they are written. Tests damage them. */
const MOMENT = {
  at: 1,
  seenAt: 2,
  source: 'chart',
  type: 'clock.check',
  facts: { error: { reason: 'network', fatal: false } },
  active: ['anonymous'],
  session: { epoch: 0, generation: 0, held: 0 },
  step: 0,
  transitions: [{ source: 'anonymous', target: 'authenticating', event: 'session.signIn' }],
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
  it('is unchanged after it is written and read', async () => {
    const { recorder } = await recordSession()
    const { moments, lanes } = recorder

    const read = readRecording(writeRecording(recorder), 'life.json')

    expect(read).toEqual({ name: 'life.json', moments, lanes })
    expect(read.moments.length).toBeGreaterThan(100)
    expect(writeRecording(readRecording(writeRecording(read), 'life.json'))).toBe(writeRecording(read))
  })

  it('contains its requests, also an open one', async () => {
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

  it('can be read from the JSON of a history', async () => {
    const { auth } = await recordSession()
    const history = auth.history

    const { name, moments, lanes } = readRecording(JSON.stringify(history), 'history.json')

    expect([name, lanes]).toEqual(['history.json', []])
    expect(moments.map(({ type, at, seenAt }) => [type, at, seenAt])).toEqual(
      history.map(({ type, at }) => [type, at, at]),
    )
    expect(moments.at(-1)?.active).toEqual(['loggedOut'])
    expect(moments.every(({ source }) => source === 'emitted')).toBe(true)
    expect(readRecording(writeRecording({ name, moments, lanes }), name)).toEqual({ name, moments, lanes })
  })

  it('can be empty', () => {
    const empty: Recording = { name: 'empty', moments: [], lanes: createLanes(1).lanes }
    expect(readRecording(writeRecording(empty), 'empty')).toEqual(empty)
    expect(readRecording('[]', 'empty')).toEqual(empty)
  })

  it('contains no token, password or verifier of an eventful session', async () => {
    const { recorder, auth } = await recordSession()

    const text = writeRecording(recorder)

    expect(text).not.toContain(SECRET)
    // An app can put secrets into an event, and the history contains them. A recording leaves them out.
    expect(writeRecording(readRecording(JSON.stringify(auth.history), 'history'))).not.toContain(SECRET)
    // A recording that contains nothing would contain no secret either.
    for (const fact of ['network', 'invalid_grant', 'storageFailed', 'discarded', 'stepUpRequired'])
      expect(text).toContain(fact)
  })

  it('contains only the method, the path and the origin of a request', async () => {
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

describe('readRecording', () => {
  it('reads the valid moment and lane of these tests', () => {
    const text = fileOf({ moments: [MOMENT], lanes: [LANE] })
    expect(readRecording(text, 'file')).toEqual({ name: 'file', moments: [MOMENT], lanes: [LANE] })
    expect(readRecording(JSON.stringify([EVENT]), 'file').moments).toHaveLength(1)
  })

  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  const damaged = (
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
    ['a version that is not a number', fileOf({ version: { toString: SECRET, valueOf: SECRET } })],
    ['no version', fileOf({ version: undefined })],
    ['no moments', fileOf({ moments: undefined })],
    ['no lanes', fileOf({ lanes: undefined })],
    ['moments that are not a list', fileOf({ moments: { length: 0 } })],
    ['lanes that are not a list', fileOf({ lanes: SECRET })],
    ['a list of numbers', '[1]'],
    ['a list of texts', JSON.stringify([SECRET])],
    ['a list of nulls', '[null]'],
    ['a list of lists', '[[]]'],
    ['an event without a time', JSON.stringify([{ ...EVENT, at: undefined }])],
    ['an event at an infinite time', `[{"type":"signedIn","at":1e999,"epoch":1,"generation":1}]`],
    ['an event outside the range of dates', JSON.stringify([{ ...EVENT, at: 1e300 }])],
    ['an event without a type', JSON.stringify([{ ...EVENT, type: { SECRET } }])],
    ['an event without a session', JSON.stringify([{ type: 'signedIn', at: 1 }])],
    ['a transition without a target', JSON.stringify([{ ...EVENT, type: 'transition', from: 'anonymous' }])],
    ['a transition to a number', JSON.stringify([{ ...EVENT, type: 'transition', from: '', to: 5 }])],
    [
      'facts within facts within facts',
      fileOf({ moments: [MOMENT] }).replace('"facts":{', `"facts":{"deep":${nested(20_000)},`),
    ],
    ...damaged('moments', MOMENT, {
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
      transitions: [SECRET, [null], [{ source: 1, target: '', event: '' }]],
    }),
    ...damaged('lanes', LANE, {
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
    ['a moment that is null', fileOf({ moments: [null] })],
    ['a lane that is a text', fileOf({ lanes: [SECRET] })],
  ]

  it.each(FILES)('throws an error without the content of the file for %s', (_, text) => {
    let thrown: unknown
    try {
      readRecording(text, 'the-file.json')
    } catch (error) {
      thrown = error
    }

    expect(thrown).toBeInstanceOf(TypeError)
    const { message, cause } = thrown as TypeError
    expect(message).toMatch(
      /^the-file\.json (is not JSON|is not a recording|was written by another|is damaged)/,
    )
    expect(message).not.toContain(SECRET)
    expect(cause).toBeUndefined()
  })
})

describe('categoryOf', () => {
  it.each([
    ['chart', 'transition', 'chart'],
    ['emitted', 'transition', 'states'],
    ['emitted', 'signedIn', 'tokens'],
    ['emitted', 'refreshed', 'tokens'],
    ['emitted', 'signedOut', 'tokens'],
    ['emitted', 'requestHeld', 'requests'],
    ['emitted', 'requestReplayed', 'requests'],
    ['emitted', 'requestRejected', 'trouble'],
    ['emitted', 'refreshFailed', 'trouble'],
    ['emitted', 'expired', 'trouble'],
    ['emitted', 'whatever', 'trouble'],
  ] as const)('puts the moment "%s %s" into the category %s', (source, type, category) => {
    expect(categoryOf({ source, type })).toBe(category)
  })
})
