import { spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { text } from 'node:stream/consumers'
import type { WriteStream } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { problemsIn, type Results } from '../../examples/demo/results.ts'
import { createScreen } from '../../examples/demo/screen.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Fewer than in `npm run demo`: next to other tests, 300 would take longer than their tokens live. */
const AT_ONCE = 60

/** Runs the demo as `npm run demo` does, with its output piped. */
const runDemo = async (...flags: string[]) => {
  const args = ['--import', 'tsx', 'examples/demo/main.ts', '--requests', String(AT_ONCE), ...flags]
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  return { stdout, stderr, code }
}

const RUN = 60_000
const LINE_FEED = '\n'
/** Characters that control a terminal, C1 controls included. */
const CONTROL_CODE = /[\p{Cc}]/u
/** Every token and code of the server is 43 characters of base64url. */
const TOKEN = /(?<![\w-])[\w-]{43}(?![\w-])|eyJ/

describe('npm run demo -- --json', () => {
  let run: Awaited<ReturnType<typeof runDemo>>
  let document: Results & {
    ok: boolean
    problems: string[]
    transitions: { at: number; from: string; to: string; reason: string }[]
  }
  beforeAll(async () => {
    run = await runDemo('--json')
    document = JSON.parse(run.stdout)
  }, RUN)

  test('the demo exits with 0 and prints only the JSON document', () => {
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(document).toMatchObject({ ok: true, problems: [], failures: [] })
  })

  test('every request of every client succeeds, and no 401 reaches the app', () => {
    const { all, ...clients } = document.requests
    expect(Object.keys(clients)).toEqual(['fetch', 'ofetch', 'axios'])
    for (const { sent, succeeded, unauthorized, p50, p99 } of Object.values(clients)) {
      expect(sent).toBeGreaterThanOrEqual(200)
      expect([succeeded, unauthorized]).toEqual([sent, 0])
      expect(p50).toBeGreaterThan(0)
      expect(p99).toBeGreaterThanOrEqual(p50)
    }
    expect(all?.sent).toBe(Object.values(clients).reduce((sum, { sent }) => sum + sent, 0))
  })

  test('the server fails in every planned way, and no refresh token is presented twice', () => {
    expect(document.faults).toEqual({ serverError: 3, tooManyRequests: 1, dropped: 2 })
    expect(document.refreshesRetried).toBe(6)
    expect(document.expiries).toBeGreaterThanOrEqual(3)
    expect(document.revocations).toBe(2)
    expect(document.refusals.late).toBe(6)
    expect(document.refusals.all).toBeGreaterThanOrEqual(AT_ONCE / 2)
    expect(document.replayed).toBeGreaterThanOrEqual(AT_ONCE / 2)
    expect(document.held).toBeGreaterThanOrEqual(AT_ONCE / 2)
    expect(document.refreshes).toBeGreaterThanOrEqual(document.expiries)
    expect(document.reuseDetections).toBe(0)
  })

  test('the document lists the transitions of the chart with their reasons', () => {
    const { transitions } = document
    const to = (state: string) => transitions.filter((transition) => transition.to === state)
    expect(transitions[0]).toMatchObject({ from: 'anonymous', to: 'authenticating' })
    expect(to('refreshing.attempt.backingOff').map(({ reason }) => reason.split(';')[0])).toEqual(
      expect.arrayContaining(['server_error, 500', 'rate_limited, 429']),
    )
    expect(to('refreshing.attempt.ambiguous')).toHaveLength(2)
    expect(to('refreshing.gate.open').length).toBeGreaterThanOrEqual(1)
    expect(to('authenticated')).toHaveLength(1 + document.refreshes)
    expect(transitions.at(-1)).toMatchObject({ to: 'expired', reason: 'invalid_grant, 400' })
  })

  test('the session ends with the same error for every client, and the history records the reason', () => {
    const { state, rejections, history } = document.end
    const rejection = { name: 'SessionExpiredError', reason: 'invalid_grant' }
    expect(state).toBe('expired')
    expect(rejections).toMatchObject({ fetch: rejection, ofetch: rejection, axios: rejection })
    expect(history.slice(-3)).toMatchObject([
      { type: 'expired', reason: 'invalid_grant' },
      { type: 'transition', to: 'expired' },
      { type: 'requestRejected', count: 3 },
    ])
  })

  test('the demo prints no token', () => {
    expect(run.stdout).not.toMatch(TOKEN)
  })

  test.each<[string, (results: Results) => Partial<Results>]>([
    [
      '7 401s reached the app',
      ({ requests }) => ({ requests: { all: { ...requests.all!, unauthorized: 7 } } }),
    ],
    [
      'of 12 requests failed',
      ({ requests }) => ({ requests: { all: { ...requests.all!, sent: 12, succeeded: 5 } } }),
    ],
    ['of 0 requests failed', () => ({ requests: {} })],
    ['1 refresh tokens were presented twice', () => ({ reuseDetections: 1 })],
    ['only 2 access tokens expired', () => ({ expiries: 2 })],
    ['no access token was revoked', () => ({ revocations: 0 })],
    ['no 401 came late', () => ({ refusals: { all: 500, late: 0 } })],
    ['the API answered only 29 401s', () => ({ refusals: { all: 29, late: 6 } })],
    ['no fault: dropped', ({ faults }) => ({ faults: { ...faults, dropped: 0 } })],
    ['the session ended as loggedOut', ({ end }) => ({ end: { ...end, state: 'loggedOut' } })],
    [
      'axios was rejected with TypeError',
      ({ end }) => ({ end: { ...end, rejections: { axios: { name: 'TypeError', message: '' } } } }),
    ],
  ])('the demo reports the problem: %s', (problem, change) => {
    expect(problemsIn({ ...document, ...change(document) })).toEqual([expect.stringContaining(problem)])
  })
})

describe('npm run demo, piped', () => {
  test(
    'the demo prints the transitions, the progress, the table and the end in plain lines',
    async () => {
      const { stdout, stderr, code } = await runDemo()
      const lines = stdout.split(LINE_FEED)

      expect([code, stderr]).toEqual([0, ''])
      expect(lines.filter((line) => CONTROL_CODE.test(line))).toEqual([])
      expect(stdout).not.toMatch(TOKEN)
      const matching = (pattern: RegExp) => lines.filter((line) => pattern.test(line))
      expect(matching(/^ +\d+\.\d{3} {2}authenticated → refreshing$/).length).toBeGreaterThanOrEqual(3)
      expect(matching(/^ +\d+\.\d{3} {2}server: the token endpoint answers 429/)).toHaveLength(1)
      expect(
        matching(/^ +\d+\.\d{3} {2}\d+ sent, \d+ succeeded, 0 401s seen, \d+ waiting$/).length,
      ).toBeGreaterThanOrEqual(5)
      expect(matching(/^ {2}401s the app saw {2,}0 +0 +0 +0$/)).toHaveLength(1)
      expect(matching(/^ {2}refresh token reuse detections +0$/)).toHaveLength(1)
      expect(matching(/^ {2}(fetch|ofetch|axios) +SessionExpiredError: /)).toHaveLength(3)
      expect(matching(/^ +\d+\.\d{3} {2}expired {2}\(invalid_grant\)$/)).toHaveLength(1)
      expect(lines.at(-2)).toBe('All as it must be.')
    },
    RUN,
  )
})

describe('the screen of the demo', () => {
  afterEach(() => vi.unstubAllEnvs())

  const written = (isTTY: boolean, silent = false) => {
    const chunks: string[] = []
    const out = Object.assign(new EventEmitter(), {
      isTTY,
      columns: 20,
      write: (chunk: string) => chunks.push(chunk),
    })
    const screen = createScreen(out as unknown as WriteStream, silent)
    screen.progress('one, and more than fits')
    screen.line(screen.paint('red', 'event'))
    screen.progress('two')
    screen.endProgress()
    return { out, screen, text: () => chunks.join('') }
  }

  test('the screen updates the progress line of a terminal in place, and prints it again below each new line', () => {
    vi.stubEnv('NO_COLOR', undefined)
    vi.stubEnv('TERM', 'xterm')
    const clear = '\r\x1b[K'
    const dim = (text: string) => `\x1b[2m${text}\x1b[0m`
    const first = dim('one, and more than ')
    expect(written(true).text()).toBe(
      `${clear}${first}${clear}\x1b[31mevent\x1b[0m\n${first}${clear}${dim('two')}${clear}`,
    )
  })

  test('the screen prints no colours if NO_COLOR is set', () => {
    vi.stubEnv('NO_COLOR', '1')
    vi.stubEnv('TERM', 'xterm')
    expect(written(true).text().replaceAll('\x1b[K', '')).not.toContain('\x1b')
  })

  test.each([
    ['piped', false, 'xterm'],
    ['a dumb terminal', true, 'dumb'],
  ])('the screen prints plain lines if the output is %s', (_where, isTTY, term) => {
    vi.stubEnv('NO_COLOR', undefined)
    vi.stubEnv('TERM', term)
    expect(written(isTTY).text()).toBe('one, and more than fits\nevent\ntwo\n')
  })

  test('the screen prints nothing if it is silent, or after the reading process has ended', () => {
    expect(written(false, true).text()).toBe('')
    const { out, screen, text } = written(false)
    const before = text()
    out.emit('error', new Error('EPIPE'))
    screen.line('more')
    expect(text()).toBe(before)
  })
})
