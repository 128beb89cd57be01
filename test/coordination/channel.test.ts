import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import type { CoordinatorMessage } from '../../src/core/ports.ts'

const CHANGED = { type: 'changed', epoch: 1, generation: 2 } as const
const ENDED = { type: 'ended', epoch: 3, generation: 2, reason: 'signed_out', session: 'abc' } as const

/** The open channels of the coordinators under test. */
const channels = new Set<BroadcastChannel>()
const { BroadcastChannel: RealChannel } = globalThis
class CountedChannel extends RealChannel {
  constructor(name: string) {
    super(name)
    channels.add(this)
  }
  override close() {
    channels.delete(this)
    super.close()
  }
}

beforeEach(() => {
  vi.stubGlobal('BroadcastChannel', CountedChannel)
})
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
  expect(channels.size, 'open channels').toBe(0)
  vi.unstubAllGlobals()
})

const stops: (() => void)[] = []
let names = 0
/** Returns a name that no other test uses. */
const fresh = () => `authchart-test-${process.pid}-${names++}`

/** Creates another tab, and records the messages it receives. */
function listen(name: string) {
  const received: CoordinatorMessage[] = []
  const waiting: ((message: CoordinatorMessage) => void)[] = []
  const tab = tabCoordinator({ name })
  const stop = tab.subscribe((message) => {
    received.push(message)
    waiting.shift()?.(message)
  })
  stops.push(stop)
  return {
    tab,
    received,
    stop,
    next: () => new Promise<CoordinatorMessage>((resolve) => waiting.push(resolve)),
  }
}

describe('a message of a tab', () => {
  it('reaches every other tab with the same name', async () => {
    const name = fresh()
    const [one, two, stranger] = [listen(name), listen(name), listen(fresh())]
    const both = Promise.all([one.next(), two.next()])
    tabCoordinator({ name }).announce(ENDED)
    expect(await both).toEqual([ENDED, ENDED])
    expect(stranger.received).toEqual([])
  })

  it('does not reach its sender', async () => {
    const name = fresh()
    const [one, two] = [listen(name), listen(name)]
    const answered = one.next()
    one.tab.announce(CHANGED)
    await two.next()
    two.tab.announce(ENDED)
    expect(await answered).toEqual(ENDED)
    expect(one.received).toEqual([ENDED])
  })

  it('contains the known fields only', async () => {
    const name = fresh()
    const { next } = listen(name)
    const received = next()
    const more = { accessToken: 'SECRET', cannotBeCloned: () => {} }
    tabCoordinator({ name }).announce({ ...ENDED, ...more })
    expect(await received).toEqual(ENDED)
  })

  it.each([
    'changed',
    null,
    7,
    [],
    {},
    { type: 'other', epoch: 1, generation: 1 },
    { type: 'changed', epoch: 1 },
    { type: 'changed', epoch: '1', generation: 1 },
    { type: 'ended', epoch: 1, generation: Number.NaN },
    // Without its session, it would mean any session.
    { ...ENDED, session: {} },
  ])('is distinguished from messages of other code, such as %j', async (foreign) => {
    const name = fresh()
    const { next, received } = listen(name)
    const first = next()
    const other = new RealChannel(name)
    other.postMessage(foreign)
    other.postMessage({
      ...CHANGED,
      reason: 7,
      rotation: '7',
      startedAt: Number.NaN,
      accessToken: 'SECRET',
    })
    expect(await first).toEqual(CHANGED)
    expect(received).toHaveLength(1)
    other.close()
  })

  /** Firefox, if the user blocks the stores of sites. */
  class ForbiddenChannel {
    constructor() {
      throw new DOMException('The operation is insecure.', 'SecurityError')
    }
  }

  it.each([
    ['missing', undefined],
    ['forbidden', ForbiddenChannel],
  ])('is not sent, without an error, if BroadcastChannel is %s', (_, channel) => {
    vi.stubGlobal('BroadcastChannel', channel)
    const tab = tabCoordinator({ name: fresh() })
    tab.announce(CHANGED)
    tab.subscribe(() => {})()
  })
})

describe('the channel of a coordinator', () => {
  it('is open only while it has subscribers', () => {
    const tab = tabCoordinator({ name: fresh() })
    expect(channels.size).toBe(0)
    const stop = [tab.subscribe(() => {}), tab.subscribe(() => {})] as const
    expect(channels.size).toBe(1)
    stop[0]()
    stop[0]()
    tab.announce(CHANGED)
    expect(channels.size).toBe(1)
    stop[1]()
    expect(channels.size).toBe(0)
  })

  it('is opened just to send a message if it has no subscribers', async () => {
    const name = fresh()
    const { next, stop } = listen(name)
    const received = next()
    tabCoordinator({ name }).announce(CHANGED)
    expect(channels.size).toBe(1)
    expect(await received).toEqual(CHANGED)
    stop()
    expect(channels.size).toBe(0)
  })

  it('keeps its other subscribers when one unsubscribes', async () => {
    const name = fresh()
    const { tab, next, received } = listen(name)
    const unsubscribed = vi.fn()
    tab.subscribe(unsubscribed)()
    const first = next()
    tabCoordinator({ name }).announce(CHANGED)
    await first
    expect(unsubscribed).not.toHaveBeenCalled()
    expect(received).toHaveLength(1)
  })

  describe('of a page', () => {
    const listening = new Set<string>()
    let page: EventTarget
    beforeEach(() => {
      page = new EventTarget()
      vi.stubGlobal('addEventListener', (type: string, listener: () => void) => {
        listening.add(type)
        page.addEventListener(type, listener)
      })
      vi.stubGlobal('removeEventListener', (type: string, listener: () => void) => {
        listening.delete(type)
        page.removeEventListener(type, listener)
      })
    })
    const dispatch = (event: string) => page.dispatchEvent(new Event(event))

    it('is closed while the page is in the back/forward cache, and reports a change when it returns', async () => {
      const name = fresh()
      const { received, next } = listen(name)
      dispatch('pageshow')
      expect(channels.size).toBe(1)
      dispatch('pagehide')
      expect(channels.size).toBe(0)
      tabCoordinator({ name }).announce(ENDED)
      const woken = next()
      dispatch('pageshow')
      expect(channels.size).toBe(1)
      expect(await woken).toMatchObject({ type: 'changed' })
      const last = next()
      tabCoordinator({ name }).announce(ENDED)
      expect(await last).toEqual(ENDED)
      expect(received).toHaveLength(2)
    })

    it('sends a message that is announced after pagehide', async () => {
      const name = fresh()
      const { tab } = listen(name)
      dispatch('pagehide')
      const other = new RealChannel(name)
      const received = once(other as unknown as EventTarget, 'message')
      tab.announce(ENDED)
      expect(channels.size).toBe(0)
      expect((await received)[0].data).toEqual(ENDED)
      other.close()
    })

    it('stays closed when the page returns without subscribers', () => {
      const { stop } = listen(fresh())
      dispatch('pagehide')
      expect([...listening]).toEqual(['pagehide', 'pageshow'])
      stop()
      expect([...listening]).toEqual([])
      dispatch('pageshow')
      expect(channels.size).toBe(0)
    })
  })
})

describe('tabCoordinator in Node', () => {
  /** Bundles a script that can use `tabCoordinator`. */
  const script = async (code: string) => {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { tabCoordinator } from './src/coordination/tabs.ts'\n${code}`,
        resolveDir: process.cwd(),
      },
      bundle: true,
      format: 'cjs',
      platform: 'node',
      write: false,
    })
    return outputFiles[0]!.text
  }

  it('passes messages between threads', async () => {
    const name = fresh()
    const { tab, next } = listen(name)
    const answer = next()
    const code = await script(`
      const { parentPort, workerData: name } = require('node:worker_threads')
      const { announce, subscribe } = tabCoordinator({ name })
      subscribe((message) => {
        if (message.type === 'changed') announce({ ...message, type: 'ended' })
      })
      parentPort.on('message', () => process.exit())
      parentPort.postMessage('ready')
    `)
    const thread = new Worker(code, { eval: true, workerData: name })
    await once(thread, 'message')
    tab.announce(CHANGED)
    expect(await answer).toEqual({ ...CHANGED, type: 'ended' })
    thread.postMessage('exit')
    await once(thread, 'exit')
  })

  it('lets the process end while it has subscribers', async () => {
    const code = await script(`tabCoordinator().subscribe(() => {}); console.log('listening')`)
    const child = spawn(process.execPath, ['-e', code])
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const [exitCode] = await once(child, 'close')
    expect([exitCode, output]).toEqual([0, 'listening\n'])
  })
})
