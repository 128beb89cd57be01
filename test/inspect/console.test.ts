import { describe, expect, it, vi } from 'vitest'
import { styleHere } from '../../src/inspect/console-style.ts'
import { type ConsoleObserverOptions, consoleObserver, inspectAuth } from '../../src/inspect/index.ts'
import { placeOf } from '../../src/inspect/step-text.ts'
import { rig, tokens } from '../core/auth-setup.ts'

const ESC = String.fromCharCode(27)
const CODES = new RegExp(`${ESC}\\[\\d+m`, 'g')
const ESCAPE = new RegExp(`${ESC}|%c`)

/** What a console shows: lines, indented by the groups they are in. */
function printed(options: ConsoleObserverOptions = {}) {
  const made = rig({ retry: { jitter: 0 } })
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

async function renewed({ auth, clock, refresh }: ReturnType<typeof printed>) {
  void auth.refresh()
  await clock.advance(0)
  refresh.call().reject({ status: 503 })
  await clock.advance(250)
  refresh.call().resolve(tokens(2))
  await clock.advance(0)
}

describe('the console', () => {
  it('has one line for each change, and below it what was told and what is remembered', async () => {
    const run = printed({ style: 'plain' })
    await renewed(run)
    run.stop()
    expect(run.lines).toEqual([
      'auth 22:13:20.000 authenticated.renewable',
      'auth 22:13:20.000 authenticated.renewable → refreshing: exchange.requesting, gate.open, limits.watched session.refresh',
      'auth 22:13:20.000 refreshing: exchange.requesting → exchange.backingOff error exchangeTokens',
      '  refreshFailed (server_error): try 1, status 503, next try in 250 ms',
      '  attempt 0 → 1',
      '  retryAt 0 → 1700000000250',
      '  failure none → {"fatal":false,"uncertain":false,"reason":"server_error","status":503,"retryAt":1700000000250,"notBefore":0}',
      'auth 22:13:20.250 refreshing: exchange.backingOff → exchange.requesting after untilRetry',
      'auth 22:13:20.250 refreshing: exchange.requesting, gate.open, limits.watched → authenticated.renewable done exchangeTokens',
      '  refreshed: token set 2 of sign-in 1',
      '  generation 1 → 2',
      '  expiresAt 1700000600000 → 1700000600250',
      '  renewAt 1700000540000 → 1700000540250',
      '  attempt 1 → 0',
      '  failure {"fatal":false,"uncertain":false,"reason":"server_error","status":503,"retryAt":1700000000250,"notBefore":0} → none',
      '  retryAt 1700000000250 → 0',
      'auth 22:13:20.250 no longer inspected',
    ])
    expect(run.depth()).toBe(0)
  })

  it('has no colour codes in a file', async () => {
    const run = printed({ style: 'plain' })
    await renewed(run)
    expect(run.lines.join('')).not.toMatch(ESCAPE)
  })

  it('has escape codes in a terminal, closed again in each line', async () => {
    const run = printed({ style: 'ansi' })
    await renewed(run)
    expect(run.lines[0]).toMatch(new RegExp(`^${ESC}\\[35mauth${ESC}\\[0m `))
    for (const line of run.lines) {
      const codes = line.match(CODES) ?? []
      expect(codes.length % 2).toBe(0)
      expect(codes.filter((_, index) => index % 2 === 1).every((code) => code === `${ESC}[0m`)).toBe(true)
    }
  })

  it('has a style for each directive in a browser, and folds what is below', async () => {
    const run = printed({ style: 'css' })
    await renewed(run)
    for (const [index, line] of run.lines.entries()) {
      expect(run.styles[index]).toHaveLength(line.match(/%c/g)?.length ?? -1)
    }
    expect(run.groupCollapsed).toHaveBeenCalled()
  })

  it('tells of requests that wait though the state stays', async () => {
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
  ])('is styled for %s', (_, surroundings, style) => {
    expect(styleHere(surroundings)).toBe(style)
  })

  it('writes to the console that is there, where none is named', () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const { auth } = rig()
    const stop = inspectAuth(auth, consoleObserver())
    expect(log.mock.calls).toEqual([[expect.stringContaining('authenticated.renewable')]])
    stop()
    log.mockRestore()
  })
})

describe('a place', () => {
  it.each([
    ['anonymous', 'anonymous'],
    [{ restoring: 'reading' }, 'restoring.reading'],
    [{ refreshing: { exchange: 'offline', gate: 'closed' } }, 'refreshing: exchange.offline, gate.closed'],
    [{ a: { b: { c: 'd' } } }, 'a.b.c.d'],
  ])('of %j is %s', (value, text) => {
    expect(placeOf(value)).toBe(text)
  })
})
