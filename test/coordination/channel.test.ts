import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import type { CoordinatorMessage } from '../../src/core/ports.ts'

const CHANGED = { type: 'changed', epoch: 1, generation: 2 } as const
const ENDED = { type: 'ended', epoch: 3, generation: 2, reason: 'signed_out', session: 'abc' } as const

/** Channels that are open, besides those a test opens by itself. */
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
  expect(channels.size, 'channels left').toBe(0)
  vi.unstubAllGlobals()
})

const stops: (() => void)[] = []
let names = 0
/** A name that no other test has. */
const fresh = () => `authchart-test-${process.pid}-${names++}`

/** Another tab: what it hears, in order. */
function listen(name: string) {
  const heard: CoordinatorMessage[] = []
  const waiting: ((message: CoordinatorMessage) => void)[] = []
  const tab = tabCoordinator({ name })
  const stop = tab.subscribe((message) => {
    heard.push(message)
    waiting.shift()?.(message)
  })
  stops.push(stop)
  return {
    tab,
    heard,
    stop,
    next: () => new Promise<CoordinatorMessage>((resolve) => waiting.push(resolve)),
  }
}

describe('what tabs tell each other', () => {
  it('reaches every other tab of that name', async () => {
    const name = fresh()
    const [one, two, stranger] = [listen(name), listen(name), listen(fresh())]
    const both = Promise.all([one.next(), two.next()])
    tabCoordinator({ name }).announce(ENDED)
    expect(await both).toEqual([ENDED, ENDED])
    expect(stranger.heard).toEqual([])
  })

  it('does not come back to who said it', async () => {
    const name = fresh()
    const [one, two] = [listen(name), listen(name)]
    const answered = one.next()
    one.tab.announce(CHANGED)
    await two.next()
    two.tab.announce(ENDED)
    expect(await answered).toEqual(ENDED)
    expect(one.heard).toEqual([ENDED])
  })

  it('is what is known of a message, and nothing that came along with it', async () => {
    const name = fresh()
    const { next } = listen(name)
    const heard = next()
    const more = { accessToken: 'SECRET', cannotBeCloned: () => {} }
    tabCoordinator({ name }).announce({ ...ENDED, ...more })
    expect(await heard).toEqual(ENDED)
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
  ])('is told from what other code says there, such as %j', async (said) => {
    const name = fresh()
    const { next, heard } = listen(name)
    const first = next()
    const other = new RealChannel(name)
    other.postMessage(said)
    other.postMessage({
      ...CHANGED,
      reason: 7,
      session: {},
      rotation: '7',
      startedAt: Number.NaN,
      accessToken: 'SECRET',
    })
    expect(await first).toEqual(CHANGED)
    expect(heard).toHaveLength(1)
    other.close()
  })

  it('needs no channel where there is none: nothing is said, nothing heard', () => {
    vi.stubGlobal('BroadcastChannel', undefined)
    const tab = tabCoordinator({ name: fresh() })
    tab.announce(CHANGED)
    tab.subscribe(() => {})()
  })
})

describe('the channel', () => {
  it('is open while somebody listens, and no longer', () => {
    const tab = tabCoordinator({ name: fresh() })
    expect(channels.size).toBe(0)
    const leave = [tab.subscribe(() => {}), tab.subscribe(() => {})] as const
    expect(channels.size).toBe(1)
    leave[0]()
    leave[0]()
    tab.announce(CHANGED)
    expect(channels.size).toBe(1)
    leave[1]()
    expect(channels.size).toBe(0)
  })

  it('is opened for the moment of a message that somebody sends who does not listen', async () => {
    const name = fresh()
    const { next, stop } = listen(name)
    const heard = next()
    tabCoordinator({ name }).announce(CHANGED)
    expect(channels.size).toBe(1)
    expect(await heard).toEqual(CHANGED)
    stop()
    expect(channels.size).toBe(0)
  })

  it('lets one listener go and keeps the other', async () => {
    const name = fresh()
    const { tab, next, heard } = listen(name)
    const gone = vi.fn()
    tab.subscribe(gone)()
    const first = next()
    tabCoordinator({ name }).announce(CHANGED)
    await first
    expect(gone).not.toHaveBeenCalled()
    expect(heard).toHaveLength(1)
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
    const says = (event: string) => page.dispatchEvent(new Event(event))

    it('is closed while the page is in the back/forward cache, and the page looks for itself when it returns', async () => {
      const name = fresh()
      const { heard, next } = listen(name)
      says('pageshow')
      expect(channels.size).toBe(1)
      says('pagehide')
      expect(channels.size).toBe(0)
      tabCoordinator({ name }).announce(ENDED)
      const woken = next()
      says('pageshow')
      expect(channels.size).toBe(1)
      expect(await woken).toMatchObject({ type: 'changed' })
      const told = next()
      tabCoordinator({ name }).announce(ENDED)
      expect(await told).toEqual(ENDED)
      expect(heard).toHaveLength(2)
    })

    it('says what is said while the page is being left', async () => {
      const name = fresh()
      const { tab } = listen(name)
      says('pagehide')
      const other = new RealChannel(name)
      const heard = once(other as unknown as EventTarget, 'message')
      tab.announce(ENDED)
      expect(channels.size).toBe(0)
      expect((await heard)[0].data).toEqual(ENDED)
      other.close()
    })

    it('stays closed when the page returns after the last listener left', () => {
      const { stop } = listen(fresh())
      says('pagehide')
      expect([...listening]).toEqual(['pagehide', 'pageshow'])
      stop()
      expect([...listening]).toEqual([])
      says('pageshow')
      expect(channels.size).toBe(0)
    })
  })
})

describe('in Node', () => {
  /** A script in which `tabCoordinator` can be imported. */
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

  it('threads hear each other', async () => {
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
    thread.postMessage('leave')
    await once(thread, 'exit')
  })

  it('who listens keeps no process alive', async () => {
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
