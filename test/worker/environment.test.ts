import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { browserEnvironment, createAuth, defineStorage } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { overPort } from './in-process.ts'

/** The global scope of a worker: without a document or a window, and with a network that can be switched off. */
let scope: EventTarget
const listening = new Set<string>()
const navigator = { onLine: true }

beforeEach(() => {
  scope = new EventTarget()
  navigator.onLine = true
  vi.stubGlobal('document', undefined)
  vi.stubGlobal('navigator', navigator)
  vi.stubGlobal('addEventListener', (type: string, listener: () => void) => {
    listening.add(type)
    scope.addEventListener(type, listener)
  })
  vi.stubGlobal('removeEventListener', (type: string, listener: () => void) => {
    listening.delete(type)
    scope.removeEventListener(type, listener)
  })
})
afterEach(() => {
  expect([...listening], 'listeners left').toEqual([])
  vi.unstubAllGlobals()
})

describe('a session in a worker', () => {
  it('waits after an attempt that failed offline, and continues once online again', async () => {
    navigator.onLine = false
    const refresh = vi.fn(async () => ({ access_token: 'b' })).mockRejectedValueOnce(new TypeError('failed'))
    const auth = createAuth({ refresh, initialTokens: { access_token: 'a', expires_in: 0 } })
    const offline = new Promise((resolve) => auth.on('refreshFailed', resolve))
    expect(await offline).toMatchObject({ reason: 'offline' })
    expect(refresh).toHaveBeenCalledTimes(1)
    const refreshed = new Promise((resolve) => auth.on('refreshed', resolve))
    navigator.onLine = true
    scope.dispatchEvent(new Event('online'))
    await refreshed
    expect(await auth.getAccessToken()).toBe('b')
    expect(refresh).toHaveBeenCalledTimes(2)
    auth.dispose()
  })

  it('detects by the clock that the machine has slept', () => {
    vi.useFakeTimers()
    try {
      const woke = vi.fn()
      const stop = browserEnvironment().subscribe('wake', woke)
      vi.advanceTimersByTime(300_000)
      expect(woke).not.toHaveBeenCalled()
      vi.setSystemTime(Date.now() + 3_600_000)
      vi.advanceTimersByTime(15_000)
      expect(woke).toHaveBeenCalledTimes(1)
      stop()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('adds no network listener if the scope reports no network state', () => {
    vi.stubGlobal('navigator', {})
    createAuth({ refresh: () => ({}) }).dispose()
    const auth = createAuth({ refresh: () => ({}) })
    expect([...listening]).toEqual([])
    auth.dispose()
  })
})

describe('a page of a session in a worker', () => {
  it('makes the worker read a store again that was locked, when the user looks at the page', async () => {
    const store = memoryStorage()
    const before = createAuth({
      refresh: () => ({}),
      storage: defineStorage(store),
      initialTokens: { access_token: 'a' },
    })
    await before.ready()
    before.dispose()

    let isLocked = true
    const storage = defineStorage({
      ...store,
      async read() {
        if (isLocked) throw new Error('locked')
        return store.read()
      },
    })
    const auth = createAuth({ refresh: () => ({}), storage })
    const document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
    vi.stubGlobal('document', document)
    const { page, end } = overPort(auth, { origins: ['https://api.example.com'] })
    await page.ready()
    expect(page.state).toBe('anonymous')
    isLocked = false
    const signedIn = new Promise((resolve) => page.on('signedIn', resolve))
    document.dispatchEvent(new Event('visibilitychange'))
    await signedIn
    end()
    auth.dispose()
  })
})
