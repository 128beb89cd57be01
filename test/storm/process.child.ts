/** One process of the storm: it holds all sessions, and sends requests with them. */
import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { type Auth, createAuth, type RefreshRequest, type TokenResponse } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'
import { fleetSession, keyRing } from 'authchart/server'
import { systemClock } from '../../src/environment/clock.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { openFleet } from './open-fleet.ts'
import { type ProcessReport, type ProcessSettings, SECRET, sessionName } from './settings.ts'

const settings: ProcessSettings = JSON.parse(process.argv[2] ?? '')
const { name, tokens, sessions, skew, grace, trace } = settings
const timeouts = { refresh: settings.refreshTimeout, hold: 20_000 }
const clock = { ...systemClock, now: () => Date.now() + skew }
const keys = keyRing({ storm: SECRET })

/** Synchronous, so that the last line before a SIGKILL is written, too. */
function note(...words: readonly unknown[]): void {
  if (trace)
    appendFileSync(
      trace,
      `${Date.now()} ${name} ${process.pid} ${words.map((word) => JSON.stringify(word)).join(' ')}\n`,
    )
}

function traced(fleet: Fleet): Fleet {
  if (!trace) return fleet
  const wrap =
    (method: keyof Fleet) =>
    async (...args: readonly unknown[]) => {
      const shown = args.map((arg) => (Object(arg).box ? { ...Object(arg), box: '' } : arg))
      note('call', method, ...shown)
      try {
        const result = await (fleet[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args)
        note('done', method, shown[0], Object(result).box ? { ...Object(result), box: '' } : result)
        return result
      } catch (error) {
        note('fail', method, shown[0], String(error))
        throw error
      }
    }
  const methods = ['read', 'replace', 'remove', 'acquire', 'present', 'release', 'publish'] as const
  return Object.assign(
    { ...fleet },
    Object.fromEntries(methods.map((method) => [method, wrap(method)])),
  ) as Fleet
}

const fleet = traced(openFleet(settings).fleet)

/** The longest that the token server took for a refresh, in milliseconds. */
let slowest = 0

/** Without its signal: the answer holds the only token that works, so it is awaited however late it comes. */
async function refresh({ refreshToken }: RefreshRequest): Promise<TokenResponse> {
  note('present', refreshToken)
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken ?? '' })
  const began = performance.now()
  const response = await fetch(`${tokens}/token`, { method: 'POST', body }).finally(() => {
    slowest = Math.max(slowest, performance.now() - began)
  })
  note('answer', refreshToken, response.status)
  if (!response.ok) throw response
  return (await response.json()) as TokenResponse
}

interface Held {
  readonly auth: Auth
  readonly send: typeof fetch
}

function hold(session: number): Held {
  const shared = fleetSession({
    fleet,
    key: sessionName(session),
    keys,
    clock,
    ...(grace && { reuseGrace: grace }),
  })
  const retry = { minDelay: 100, maxDelay: 1_000 }
  const auth = createAuth({ refresh, clock, retry, timeouts, ...shared })
  if (trace)
    for (const type of ['expired', 'refreshFailed', 'storageFailed'] as const)
      auth.on(type as never, (event: unknown) => note('event', session, event))
  return { auth, send: createAuthFetch(auth, { origins: [tokens] }) }
}

const held = Array.from({ length: sessions }, (_, session) => hold(session))
let calls = 0
let failures = 0

async function call({ send }: Held): Promise<boolean> {
  const response = await send(`${tokens}/api/me`).catch((error: unknown) => {
    note('call failed', String(error))
    return undefined
  })
  await response?.arrayBuffer().catch(() => {})
  return response?.status === 200
}

async function work(): Promise<void> {
  while (true) {
    await pause(100 + Math.random() * 400)
    const chosen = held[Math.floor(Math.random() * sessions)]
    if (!chosen) continue
    calls++
    void call(chosen).then((works) => {
      if (!works) failures++
    })
  }
}

/** In a while, if the session is being refreshed. */
async function works(session: Held): Promise<boolean> {
  for (let attempts = 0; attempts < 5; attempts++) {
    if (await call(session)) return true
    if (session.auth.session === undefined) return false
  }
  return false
}

async function report(): Promise<ProcessReport> {
  const results = await Promise.all(held.map(works))
  const ended = held.flatMap(({ auth }, session) => {
    const { reason } = auth.actor.getSnapshot().context
    return auth.session === undefined ? [[session, `${auth.state} ${reason}`] as const] : []
  })
  return {
    calls,
    failures,
    slowest,
    working: results.flatMap((isWorking, session) => (isWorking ? [session] : [])),
    ended,
  }
}

process.on('message', async (message) => {
  if (message === 'report') process.send?.({ report: await report() })
})
process.on('disconnect', () => process.exit())
await Promise.all(held.map(({ auth }) => auth.ready().catch(() => {})))
process.send?.('ready')
void work()
