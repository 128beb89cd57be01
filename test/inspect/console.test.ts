import { describe, expect, it, vi } from 'vitest'
import { statePath } from '../../machines/index.ts'
import { styleHere } from '../../src/inspect/console-style.ts'
import { type ConsoleObserverOptions, consoleObserver, inspectAuth } from '../../src/inspect/index.ts'
import { createHarness, tokens } from '../core/auth-setup.ts'

const ESC = String.fromCharCode(27)
const CODES = new RegExp(`${ESC}\\[\\d+m`, 'g')
const ESCAPE = new RegExp(`${ESC}|%c`)

/** Inspects a session with a console that collects lines, indented by their groups. */
function printed(options: ConsoleObserverOptions = {}) {
  const made = createHarness({ retry: { jitter: 0 } })
  const lines: string[] = []
  const styles: unknown[][] = []
  let depth = 0
  const write = (text: string, ...more: unknown[]) => {
    lines.push(`${'  '.repeat(depth)}${text.replaceAll('%%', '%')}`)
    styles.push(more)
  }
  const open = (text: string, ...more: unknown[]) => {
    write(text, ...more)
    depth++
  }
  const groupCollapsed = vi.fn(open)
  const console = { log: write, group: open, groupCollapsed, groupEnd: () => void depth-- }
  const stop = inspectAuth(made.auth, consoleObserver({ console, ...options }), {
    now: () => made.clock.now(),
  })
  return { ...made, lines, styles, groupCollapsed, stop, depth: () => depth }
}

async function refreshOnce({ auth, clock, refresh }: ReturnType<typeof printed>) {
  void auth.refresh()
  await clock.advance(0)
  refresh.call().reject({ status: 503 })
  await clock.advance(250)
  refresh.call().resolve(tokens(2))
  await clock.advance(0)
}

describe('consoleObserver', () => {
  it('prints one line per change, with emitted events and context changes below it', async () => {
    const run = printed({ style: 'plain' })
    await refreshOnce(run)
    run.stop()
    expect(run.lines).toEqual([
      'auth 22:13:20.000 authenticated.refreshable',
      'auth 22:13:20.000 authenticated.refreshable → refreshing: attempt.requesting, gate.open session.refresh',
      'auth 22:13:20.000 refreshing: attempt.requesting → attempt.backingOff error refreshTokens',
      '  refreshFailed (server_error): attempt 1, status 503, next attempt in 250 ms',
      '  attempt 0 → 1',
      '  retryAt 0 → 1700000000250',
      '  failure none → {"fatal":false,"ambiguous":false,"reason":"server_error","status":503,"retryAt":1700000000250,"notBefore":0}',
      'auth 22:13:20.250 refreshing: attempt.backingOff → attempt.requesting after untilRetry',
      'auth 22:13:20.250 refreshing: attempt.requesting, gate.open → authenticated.refreshable done refreshTokens',
      '  refreshed: token set 2 of sign-in 1',
      '  generation 1 → 2',
      '  expiresAt 1700000600000 → 1700000600250',
      '  refreshAt 1700000540000 → 1700000540250',
      '  attempt 1 → 0',
      '  failure {"fatal":false,"ambiguous":false,"reason":"server_error","status":503,"retryAt":1700000000250,"notBefore":0} → none',
      '  retryAt 1700000000250 → 0',
      'auth 22:13:20.250 no longer inspected',
    ])
    expect(run.depth()).toBe(0)
  })

  it('prints no colour codes to a file', async () => {
    const run = printed({ style: 'plain' })
    await refreshOnce(run)
    expect(run.lines.join('')).not.toMatch(ESCAPE)
  })

  it('prints escape codes to a terminal and closes them in each line', async () => {
    const run = printed({ style: 'ansi' })
    await refreshOnce(run)
    expect(run.lines[0]).toMatch(new RegExp(`^${ESC}\\[35mauth${ESC}\\[0m `))
    for (const line of run.lines) {
      const codes = line.match(CODES) ?? []
      expect(codes.length % 2).toBe(0)
      expect(codes.filter((_, index) => index % 2 === 1).every((code) => code === `${ESC}[0m`)).toBe(true)
    }
  })

  it('prints one style per directive in a browser and folds the details', async () => {
    const run = printed({ style: 'css' })
    await refreshOnce(run)
    for (const [index, line] of run.lines.entries()) {
      expect(run.styles[index]).toHaveLength(line.match(/%c/g)?.length ?? -1)
    }
    expect(run.groupCollapsed).toHaveBeenCalled()
  })

  it('prints held requests even if the state does not change', async () => {
    const run = printed({ style: 'plain' })
    const { auth, clock } = run
    await clock.advance(0)
    void auth.signIn('ada').catch(() => {})
    await clock.advance(0)
    void auth.getAccessToken().catch(() => {})
    await clock.advance(0)
    const [line = '', ...below] = run.lines.slice(-3)
    expect([line, ...below]).toEqual([
      expect.stringMatching(/authenticating request\.held$/),
      '  requestHeld: 1, 1 waiting',
      '  held 0 → 1',
    ])
  })

  it.each([
    ['a page', { document: {} }, 'css'],
    ['a terminal', { process: { stdout: { isTTY: true }, env: {} } }, 'ansi'],
    [
      'a terminal that asks for no colours',
      { process: { stdout: { isTTY: true }, env: { NO_COLOR: '1' } } },
      'plain',
    ],
    ['a file', { process: { stdout: {}, env: {} } }, 'plain'],
    ['a worker', {}, 'plain'],
  ])('detects the console style for %s', (_, surroundings, style) => {
    expect(styleHere(surroundings)).toBe(style)
  })

  it('writes to the global console by default', () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const { auth } = createHarness()
    const stop = inspectAuth(auth, consoleObserver())
    expect(log.mock.calls).toEqual([[expect.stringContaining('authenticated.refreshable')]])
    stop()
    log.mockRestore()
  })
})

describe('statePath', () => {
  it.each([
    ['anonymous', 'anonymous'],
    [{ restoring: 'reading' }, 'restoring.reading'],
    [{ refreshing: { attempt: 'offline', gate: 'closed' } }, 'refreshing: attempt.offline, gate.closed'],
    [{ a: { b: { c: 'd' } } }, 'a.b.c.d'],
    [{ a: 5 }, 'a'],
    [{}, ''],
    [5, ''],
    [null, ''],
    [undefined, ''],
  ])('formats %j as %s', (value, text) => {
    expect(statePath(value)).toBe(text)
  })
})
