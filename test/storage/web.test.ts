import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createAuth } from '../../src/index.ts'
import { memoryStorage, webStorage } from '../../src/storage/index.ts'
import { FULL, LEAST } from './contract.ts'
import { fakeWebStorage } from './web-storage-fake.ts'

/** A fake `window` that receives storage events. */
class Page extends EventTarget {
  listening = 0
  listen = (type: string, listener: EventListener) => {
    this.listening++
    this.addEventListener(type, listener)
  }
  unlisten = (type: string, listener: EventListener) => {
    this.listening--
    this.removeEventListener(type, listener)
  }
  /** Dispatches the event of a change that another tab made. */
  change(storageArea: Storage, key: string | null) {
    this.dispatchEvent(Object.assign(new Event('storage'), { storageArea, key }))
  }
}

let page: Page
beforeEach(() => {
  page = new Page()
  vi.stubGlobal('addEventListener', page.listen)
  vi.stubGlobal('removeEventListener', page.unlisten)
})
afterEach(() => {
  expect(page.listening, 'remaining listeners').toBe(0)
  vi.unstubAllGlobals()
})

describe('webStorage', () => {
  it("stores the record under the key, by default 'authchart', and touches no other entry", () => {
    const area = fakeWebStorage()
    area.setItem('other', 'x')
    webStorage(area).write(FULL)
    webStorage(area, { key: 'mine' }).write(LEAST)
    expect([...area.entries.keys()]).toEqual(['other', 'authchart', 'mine'])
    webStorage(area).clear()
    expect([...area.entries.keys()]).toEqual(['other', 'mine'])
  })

  it('calls the storage function at each operation, and not before', () => {
    const area = fakeWebStorage()
    const get = vi.fn(() => area)
    const storage = webStorage(get)
    expect(get).not.toHaveBeenCalled()
    storage.write(FULL)
    expect(storage.read()).toEqual(FULL)
    expect(get).toHaveBeenCalledTimes(2)
  })

  it('rejects text that is not JSON, and does not quote it', () => {
    const area = fakeWebStorage()
    area.setItem('authchart', '{"accessToken":"SECRET')
    const read = () => webStorage(area).read()
    expect(read).toThrow(expect.objectContaining({ code: 'storage_failed', reason: 'invalid_record' }))
    expect(read).not.toThrow(/SECRET/)
  })

  it('passes on exceptions of the storage', () => {
    const area = fakeWebStorage()
    area.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError')
    }
    expect(() => webStorage(area).write(FULL)).toThrow('full')
    const denied = webStorage(() => {
      throw new DOMException('denied', 'SecurityError')
    })
    expect(() => denied.read()).toThrow('denied')
    expect(() => denied.clear()).toThrow('denied')
  })
})

describe('webStorage.subscribe', () => {
  it('reports changes of its own key and a cleared storage, but no other key or storage', () => {
    const area = fakeWebStorage()
    const onChange = vi.fn()
    const stop = webStorage(area, { key: 'mine' }).subscribe?.(onChange)
    page.change(area, 'mine')
    page.change(area, null)
    expect(onChange).toHaveBeenCalledTimes(2)
    page.change(area, 'other')
    page.change(fakeWebStorage(), 'mine')
    expect(onChange).toHaveBeenCalledTimes(2)
    stop?.()
    page.change(area, 'mine')
    expect(onChange).toHaveBeenCalledTimes(2)
  })

  it('reports changes of the storage that is chosen at that time', () => {
    const [first, second] = [fakeWebStorage(), fakeWebStorage()]
    let chosen = first
    const onChange = vi.fn()
    const stop = webStorage(() => chosen).subscribe?.(onChange)
    chosen = second
    page.change(first, 'authchart')
    expect(onChange).not.toHaveBeenCalled()
    page.change(second, 'authchart')
    expect(onChange).toHaveBeenCalledOnce()
    stop?.()
  })

  it('reports a change when the page returns from the back/forward cache, and not when it was loaded', () => {
    const onChange = vi.fn()
    const stop = webStorage(fakeWebStorage()).subscribe?.(onChange)
    const show = (persisted: boolean) =>
      page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }))
    show(false)
    expect(onChange).not.toHaveBeenCalled()
    show(true)
    expect(onChange).toHaveBeenCalledOnce()
    stop?.()
  })

  it('does nothing if the environment has no events', () => {
    vi.stubGlobal('addEventListener', undefined)
    const stop = webStorage(fakeWebStorage()).subscribe?.(() => expect.unreachable())
    expect(() => stop?.()).not.toThrow()
  })
})

describe('a session in webStorage', () => {
  const refresh = () => ({ access_token: 'b' })

  it('survives a reload, and is removed by a sign-out', async () => {
    const area = fakeWebStorage()
    const first = createAuth({ refresh, storage: webStorage(area) })
    await first.setTokens({ access_token: 'a', expires_in: 3_600, subject: 'ada' })
    first.dispose()
    const second = createAuth({ refresh, storage: webStorage(area) })
    await second.ready()
    expect(second.session).toMatchObject({ subject: 'ada' })
    expect(await second.getAccessToken()).toBe('a')
    await second.signOut()
    expect(area.entries.size).toBe(0)
    second.dispose()
  })

  it('follows a sign-in and a sign-out in another tab', async () => {
    const area = fakeWebStorage()
    const auth = createAuth({ refresh, storage: webStorage(area) })
    await auth.ready()
    expect(auth.state).toBe('anonymous')
    const signedIn = new Promise((resolve) => auth.on('signedIn', resolve))
    webStorage(area).write({ ...LEAST, startedAt: Date.now() })
    page.change(area, 'authchart')
    await signedIn
    expect(auth.state).toBe('authenticated')
    const signedOut = new Promise((resolve) => auth.on('signedOut', resolve))
    area.clear()
    page.change(area, null)
    expect(await signedOut).toMatchObject({ reason: 'signed_out_elsewhere' })
    expect(auth.state).toBe('loggedOut')
    auth.dispose()
  })

  it('continues in memory if the browser blocks storage', async () => {
    const storage = webStorage(() => {
      throw new DOMException('denied', 'SecurityError')
    })
    const auth = createAuth({ refresh, storage })
    await auth.setTokens({ access_token: 'a' })
    expect(await auth.getAccessToken()).toBe('a')
    expect(auth.history).toContainEqual(
      expect.objectContaining({ type: 'storageFailed', reason: 'SecurityError' }),
    )
    auth.dispose()
  })
})

describe('memoryStorage', () => {
  it('passes a session from one auth to the next', async () => {
    const storage = memoryStorage()
    const first = createAuth({ refresh, storage, initialTokens: { access_token: 'a' } })
    first.dispose()
    const second = createAuth({ refresh, storage })
    await second.ready()
    expect(await second.getAccessToken()).toBe('a')
    second.dispose()
  })
  const refresh = () => ({ access_token: 'b' })
})
