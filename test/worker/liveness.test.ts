import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createAuth, WorkerError } from '../../src/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { connectAuth, serveAuth } from '../../src/worker/index.ts'
import { namedLocks } from './named-locks.ts'

const origins = ['https://api.example.com']
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A worker that can stop responding without any signal. */
function start({ locks, timeout = 30 }: { readonly locks?: LockManager; readonly timeout?: number } = {}) {
  vi.stubGlobal('navigator', { locks })
  let dumb = false
  const fetch = vi.fn((..._: unknown[]) => new Promise<Response>(() => {}))
  const auth = createAuth({
    refresh: () => new Promise<never>(() => {}),
    initialTokens: { access_token: 'a' },
  })
  const page = new MessageChannel()
  const worker = new MessageChannel()
  let heard: object = {}
  page.port2.addEventListener('message', ({ data }) => {
    heard = { authchart: data.authchart, page: data.page }
    if (!dumb) worker.port1.postMessage(data)
  })
  worker.port1.addEventListener('message', ({ data }) => dumb || page.port2.postMessage(data))
  page.port2.start()
  worker.port1.start()
  const stop = serveAuth(auth, { port: worker.port2, origins, fetch })
  const connected = connectAuth(page.port1, { timeout })
  onTestFinished(() => {
    connected.dispose()
    stop()
    auth.dispose()
    page.port1.close()
    worker.port1.close()
  })
  return {
    page: connected,
    api: createAuthFetch(connected, { origins }),
    fetch,
    /** Says something in the name of the page. */
    say: (message: object) => worker.port1.postMessage({ ...heard, ...message }),
    strikeDumb() {
      dumb = true
    },
  }
}

afterEach(() => void vi.unstubAllGlobals())

describe('a page without Web Locks', () => {
  it('rejects pending calls if the worker stops responding', async () => {
    const { page, api, fetch, strikeDumb } = start()
    await page.ready()
    const asked = api('https://api.example.com/')
    await expect.poll(() => fetch.mock.calls.length).toBe(1)
    strikeDumb()
    await expect(asked).rejects.toMatchObject({ code: 'worker_failed', reason: 'gone' })
    await expect(page.refresh()).rejects.toBeInstanceOf(WorkerError)
  })

  it('keeps waiting for a worker that is only slow', async () => {
    const { page, api, fetch } = start()
    await page.ready()
    const posts = vi.spyOn(MessagePort.prototype, 'postMessage')
    onTestFinished(() => posts.mockRestore())
    let settled = false
    api('https://api.example.com/').then(
      () => {},
      () => {
        settled = true
      },
    )
    await expect.poll(() => fetch.mock.calls.length).toBe(1)
    const pings = () => posts.mock.calls.filter(([message]) => message.type === 'pong').length
    await expect.poll(pings, { timeout: 5_000 }).toBeGreaterThan(6)
    expect(settled).toBe(false)
  })
})

describe('a lock that another script steals', () => {
  const kinds = ['authchart page', 'authchart worker']
  const sorted = (names: readonly string[]) =>
    names.map((name) => kinds.find((kind) => name.startsWith(kind))).sort()

  it('ends no request, and is replaced by another one', async () => {
    const locks = namedLocks()
    const { page, api, fetch } = start({ locks: locks.manager, timeout: 10_000 })
    await page.ready()
    await expect.poll(() => sorted(locks.held())).toEqual(kinds)
    let outcome: unknown
    api('https://api.example.com/').then(
      () => {},
      (error: unknown) => {
        outcome = error
      },
    )
    await expect.poll(() => fetch.mock.calls.length).toBe(1)
    const signal = (fetch.mock.calls as unknown as [string, RequestInit][])[0]?.[1].signal
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    onTestFinished(() => void vi.useRealTimers())
    for (let time = 0; time < 3; time++) for (const kind of kinds) locks.steal(kind)
    // Waits of locks, answers and pages: all of them have ended by then.
    for (let time = 0; time < 50; time++) {
      await vi.advanceTimersByTimeAsync(100)
      await turn()
    }
    expect(sorted(locks.held())).toEqual(kinds)
    expect(outcome).toBe(undefined)
    expect(signal?.aborted).toBe(false)
  })

  it('costs a bounded number of connections if the worker is never reached again', async () => {
    vi.stubGlobal('navigator', { locks: namedLocks().manager })
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    let made = 0
    const page = connectAuth(() => {
      made++
      const worker = new EventTarget() as EventTarget & { postMessage(): void }
      worker.postMessage = () => {}
      // A script that cannot be loaded.
      queueMicrotask(() => worker.dispatchEvent(new Event('error')))
      return worker as unknown as Worker
    })
    await expect(page.ready()).rejects.toMatchObject({ reason: 'load_failed' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(made).toBeGreaterThan(5)
    expect(made).toBeLessThan(12)
    page.dispose()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(made).toBeLessThan(12)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a page that its worker has dropped', () => {
  it('connects again although the clock was set back meanwhile', async () => {
    const { page, api, say } = start({ timeout: 10_000 })
    await page.ready()
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    vi.setSystemTime(Date.now() - 3_600_000)
    say({ type: 'goodbye', returns: false })
    await expect(api('https://api.example.com/')).rejects.toMatchObject({ reason: 'gone' })
    await expect(page.ready()).resolves.toBeUndefined()
  })

  it('connects again, and rejects what was lost', async () => {
    const { page, api, fetch, say } = start({ timeout: 10_000 })
    await page.ready()
    const lost = api('https://api.example.com/')
    lost.catch(() => {})
    await expect.poll(() => fetch.mock.calls.length).toBe(1)
    say({ type: 'goodbye', returns: false })
    const refused = api('https://api.example.com/next')
    await expect(refused).rejects.toMatchObject({ code: 'worker_failed', reason: 'gone' })
    await expect(lost).rejects.toMatchObject({ reason: 'gone' })
    void api('https://api.example.com/after').catch(() => {})
    await expect.poll(() => fetch.mock.calls.length).toBe(2)
  })
})
