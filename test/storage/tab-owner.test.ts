import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { webStorage } from '../../src/storage/index.ts'
import { FULL } from './contract.ts'
import { fakeWebStorage } from './web-storage-fake.ts'

const window = new EventTarget()
const stops: (() => void)[] = []

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.stubGlobal('document', {})
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
  vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window))
})
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A document whose `sessionStorage` starts with these entries. What is done in it, is done with `act`. */
function openDocument(id: string, entries: Iterable<[string, string]> = [], area = fakeWebStorage()) {
  for (const [key, value] of entries) area.setItem(key, value)
  const act = <T>(run: () => T) => {
    vi.stubGlobal('sessionStorage', area)
    Object.assign(globalThis, { [Symbol.for('authchart.document')]: id })
    return run()
  }
  const storage = act(() => webStorage(() => area))
  const stop = act(() => storage.subscribe?.(() => {})) as () => void
  stops.push(stop)
  return { area, act, storage, stop }
}

const messages = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

async function readAgain({ act, storage }: ReturnType<typeof openDocument>) {
  const found = act(() => storage.read())
  await messages()
  await vi.advanceTimersByTimeAsync(250)
  return found
}

it('a copy of sessionStorage restores the session, and gives it up before its first refresh', async () => {
  const original = openDocument('a')
  original.act(() => original.storage.write(FULL))
  const copy = openDocument('b', original.area.entries)
  expect(copy.act(() => copy.storage.read())).toEqual(FULL)
  expect(await readAgain(copy)).toBeUndefined()
  expect(copy.area.getItem('authchart')).toBeNull()
  expect(original.act(() => original.storage.read())).toEqual(FULL)
})

it('a page whose predecessor left without a word goes on with the session of its tab', async () => {
  const predecessor = openDocument('a')
  predecessor.act(() => predecessor.storage.write(FULL))
  predecessor.stop()
  const next = openDocument('b', predecessor.area.entries)
  next.act(() => next.storage.read())
  expect(await readAgain(next)).toEqual(FULL)
  // From now on the session is its own: nothing is asked any more.
  expect(next.act(() => next.storage.read())).toEqual(FULL)
})

it('a page asks nothing if its predecessor has left the session to it', () => {
  const predecessor = openDocument('a')
  predecessor.act(() => {
    predecessor.storage.write(FULL)
    window.dispatchEvent(new Event('pagehide'))
  })
  const next = openDocument('b', predecessor.area.entries)
  for (let reads = 0; reads < 2; reads++) expect(next.act(() => next.storage.read())).toEqual(FULL)
})

it('a copy gives way although it was suspended until the answer had come', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const original = openDocument('a')
  original.act(() => original.storage.write(FULL))
  const copy = openDocument('b', original.area.entries)
  copy.act(() => copy.storage.read())
  const found = copy.act(() => copy.storage.read())
  vi.setSystemTime(Date.now() + 60_000)
  vi.advanceTimersByTime(250)
  await messages()
  expect(await found).toBeUndefined()
})

it('a frame, which shares the storage with its page, takes nothing from it', async () => {
  const page = openDocument('a')
  page.act(() => page.storage.write(FULL))
  const frame = openDocument('b', [], page.area)
  frame.act(() => frame.storage.read())
  expect(await readAgain(frame)).toEqual(FULL)
  expect(await readAgain(page)).toEqual(FULL)
  expect([...page.area.entries.keys()]).toEqual(['authchart', 'authchart.owner'])
})

it('a copy of the storage of a page with a frame gives way', async () => {
  const page = openDocument('a')
  page.act(() => page.storage.write(FULL))
  const frame = openDocument('b', [], page.area)
  frame.act(() => frame.storage.read())
  await readAgain(frame)
  const copy = openDocument('c', page.area.entries)
  copy.act(() => copy.storage.read())
  expect(await readAgain(copy)).toBeUndefined()
  expect(frame.act(() => frame.storage.read())).toEqual(FULL)
})

it('a copy gives way although its storage has no room for a question', async () => {
  const original = openDocument('a')
  original.act(() => original.storage.write(FULL))
  const copy = openDocument('b', original.area.entries)
  copy.act(() => copy.storage.read())
  copy.area.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  expect(await readAgain(copy)).toBeUndefined()
})

it('a page that chooses sessionStorage at the sign-in answers a copy of it', async () => {
  const { act, area, stop } = openDocument('a')
  stop()
  let chosen = fakeWebStorage()
  const storage = act(() => webStorage(() => chosen))
  stops.push(act(() => storage.subscribe?.(() => {})) as () => void)
  chosen = area
  act(() => storage.write(FULL))
  const copy = openDocument('b', area.entries)
  copy.act(() => copy.storage.read())
  expect(await readAgain(copy)).toBeUndefined()
})

it('two stores of one page own the record together', () => {
  const page = openDocument('a')
  page.act(() => page.storage.write(FULL))
  const second = page.act(() => webStorage(() => page.area))
  for (let reads = 0; reads < 2; reads++) expect(page.act(() => second.read())).toEqual(FULL)
})

it('a localStorage, which tabs share, has no owner', () => {
  const page = openDocument('a')
  const shared = fakeWebStorage()
  page.act(() => webStorage(() => shared).write(FULL))
  expect([...shared.entries.keys()]).toEqual(['authchart'])
})

it('a frame that asks at the same time as a copy keeps the session, and the copy gives it up', async () => {
  const original = openDocument('a')
  original.act(() => original.storage.write(FULL))
  const copy = openDocument('b', original.area.entries)
  const frame = openDocument('c', [], original.area)
  for (const { act, storage } of [copy, frame]) act(() => storage.read())
  const [inFrame, inCopy] = [readAgain(frame), readAgain(copy)]
  expect(await inFrame).toEqual(FULL)
  expect(await inCopy).toBeUndefined()
  expect(original.area.getItem('authchart')).not.toBeNull()
})
