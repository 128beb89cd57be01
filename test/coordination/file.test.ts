import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileCoordinator } from '../../src/storage/index.ts'
import { bundleScript, startChild, temporaryFolder } from '../storage/child.ts'

const pathOf = () => join(temporaryFolder(), 'session.json')

/** As an exchange asks for the lock. */
const patient = () => ({ signal: new AbortController().signal, timeout: 10_000 })

/** A task that lasts until it is told to end. */
function task() {
  let end = () => {}
  let begun = () => {}
  const began = new Promise<void>((resolve) => {
    begun = resolve
  })
  const run = vi.fn(() => {
    begun()
    return new Promise<void>((resolve) => {
      end = resolve
    })
  })
  return { run, began, end: () => end() }
}

describe('fileCoordinator', () => {
  it('runs one task at a time, and the next one when that has ended', async () => {
    const path = pathOf()
    const [one, other] = [task(), task()]
    const first = fileCoordinator(path).exclusive('refresh', one.run, patient())
    await one.began
    const second = fileCoordinator(path).exclusive('refresh', other.run, patient())
    // Time for the other to look more than once.
    await expect(
      fileCoordinator(path).exclusive('refresh', async () => {}, { ...patient(), timeout: 200 }),
    ).rejects.toThrow()
    expect(other.run).not.toHaveBeenCalled()
    one.end()
    await first
    await other.began
    other.end()
    await second
  })

  it('holds up no task of another name, nor of another file', async () => {
    const path = pathOf()
    const holder = task()
    const held = fileCoordinator(path).exclusive('refresh', holder.run, patient())
    await holder.began
    await fileCoordinator(path).exclusive('sign/in', async () => {}, patient())
    await fileCoordinator(path).exclusive('refresh.1', async () => {}, patient())
    await fileCoordinator(`${path}.other`).exclusive('refresh', async () => {}, patient())
    holder.end()
    await held
  })

  it('gives what the task gives, throws what it throws, and is free after either', async () => {
    const coordinator = fileCoordinator(pathOf())
    expect(await coordinator.exclusive('refresh', async () => 7, patient())).toBe(7)
    const error = new Error('refused')
    await expect(coordinator.exclusive('refresh', () => Promise.reject(error), patient())).rejects.toBe(error)
    const thrower = () => {
      throw error
    }
    await expect(coordinator.exclusive('refresh', thrower, patient())).rejects.toBe(error)
    expect(await coordinator.exclusive('refresh', async () => 8, { ...patient(), timeout: 2_000 })).toBe(8)
  })

  it('gives up in time, and runs nothing then', async () => {
    const path = pathOf()
    const holder = task()
    const held = fileCoordinator(path).exclusive('refresh', holder.run, patient())
    await holder.began
    const late = vi.fn()
    const began = performance.now()
    await expect(
      fileCoordinator(path).exclusive('refresh', late, { ...patient(), timeout: 120 }),
    ).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(performance.now() - began).toBeGreaterThan(100)
    holder.end()
    await held
    await fileCoordinator(path).exclusive('refresh', async () => {}, patient())
    expect(late).not.toHaveBeenCalled()
  })

  it('has the lock for as long as the task takes, also longer than it takes to be stale', async () => {
    const path = pathOf()
    const holder = task()
    const options = { staleAfter: 300 }
    const held = fileCoordinator(path, options).exclusive('refresh', holder.run, patient())
    await holder.began
    const late = vi.fn()
    await expect(
      fileCoordinator(path, options).exclusive('refresh', late, { ...patient(), timeout: 1_000 }),
    ).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(late).not.toHaveBeenCalled()
    holder.end()
    await held
  })

  it('is not fooled by a look at the folder that is long out of date', async () => {
    const path = pathOf()
    const coordinator = fileCoordinator(path)
    for (let turn = 0; turn < 3; turn++) await coordinator.exclusive('refresh', async () => {}, patient())
    const holder = task()
    const held = coordinator.exclusive('refresh', holder.run, patient())
    await holder.began
    // As it was two turns ago: the second one is over, and the file of the third is gone by now.
    writeFileSync(join(`${path}.lock`, 'refresh.2'), '')
    utimesSync(join(`${path}.lock`, 'refresh.2'), 0, 0)
    const { promises } = process.getBuiltinModule('node:fs')
    const readdir = vi.spyOn(promises, 'readdir').mockResolvedValueOnce(['refresh.2'] as never)
    onTestFinished(() => void vi.restoreAllMocks())
    const late = vi.fn()
    await expect(
      coordinator.exclusive('refresh', late, { ...patient(), timeout: 300 }),
    ).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(readdir.mock.calls.length).toBeGreaterThan(1)
    expect(late).not.toHaveBeenCalled()
    holder.end()
    await held
    await coordinator.exclusive('refresh', async () => {}, patient())
    expect(readdirSync(`${path}.lock`)).toHaveLength(1)
  })

  it('gives up at once when it is told to, before it waits and while it does', async () => {
    const path = pathOf()
    const coordinator = fileCoordinator(path)
    const holder = task()
    const held = coordinator.exclusive('refresh', holder.run, patient())
    await holder.began
    const late = vi.fn()
    const reason = new Error('disposed')
    const before = { signal: AbortSignal.abort(reason), timeout: 10_000 }
    await expect(coordinator.exclusive('refresh', late, before)).rejects.toBe(reason)
    const controller = new AbortController()
    const waiting = coordinator.exclusive('refresh', late, { ...patient(), signal: controller.signal })
    // By then the other waits, too.
    await expect(coordinator.exclusive('refresh', late, { ...patient(), timeout: 100 })).rejects.toThrow()
    const began = performance.now()
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(performance.now() - began).toBeLessThan(5_000)
    holder.end()
    await held
    await coordinator.exclusive('refresh', async () => {}, patient())
    expect(late).not.toHaveBeenCalled()
  })

  it('gives the lock back where it gets it in the moment it is told to give up', async () => {
    const path = pathOf()
    const { promises } = process.getBuiltinModule('node:fs')
    const { open } = promises
    let goOn = () => {}
    const opened = new Promise<void>((resolve) => {
      vi.spyOn(promises, 'open').mockImplementationOnce(async (...input) => {
        const handle = await open(...input)
        resolve()
        await new Promise<void>((resolve) => {
          goOn = resolve
        })
        return handle
      })
    })
    onTestFinished(() => void vi.restoreAllMocks())
    const controller = new AbortController()
    const late = vi.fn()
    const waiting = fileCoordinator(path).exclusive('refresh', late, {
      ...patient(),
      signal: controller.signal,
    })
    await opened
    controller.abort(new Error('disposed'))
    await expect(waiting).rejects.toThrow('disposed')
    goOn()
    await fileCoordinator(path).exclusive('refresh', async () => {}, { ...patient(), timeout: 5_000 })
    expect(late).not.toHaveBeenCalled()
  })

  it('waits for as long as it takes where it is to wait without end', async () => {
    const path = pathOf()
    const holder = task()
    const held = fileCoordinator(path).exclusive('refresh', holder.run, patient())
    await holder.began
    const forever = { ...patient(), timeout: Number.POSITIVE_INFINITY }
    const waiting = fileCoordinator(path).exclusive('refresh', async () => 'mine', forever)
    holder.end()
    await held
    expect(await waiting).toBe('mine')
  })

  it('says so where the file system has no room for a lock, and runs nothing then', async () => {
    const path = pathOf()
    writeFileSync(path, '')
    const run = vi.fn()
    await expect(
      fileCoordinator(join(path, 'session.json')).exclusive('refresh', run, patient()),
    ).rejects.toMatchObject({ code: 'ENOTDIR' })
    expect(run).not.toHaveBeenCalled()
  })

  it('looks again by itself where the file system tells of no changes', async () => {
    const path = pathOf()
    vi.spyOn(process.getBuiltinModule('node:fs'), 'watch').mockImplementation(() => {
      throw new Error('too many watchers')
    })
    onTestFinished(() => void vi.restoreAllMocks())
    const holder = task()
    const held = fileCoordinator(path).exclusive('refresh', holder.run, patient())
    await holder.began
    const waiting = fileCoordinator(path).exclusive('refresh', async () => 'mine', patient())
    holder.end()
    await held
    expect(await waiting).toBe('mine')
  })

  it('gets by when somebody clears its folder away', async () => {
    const path = pathOf()
    const holder = task()
    const held = fileCoordinator(path).exclusive('refresh', holder.run, patient())
    await holder.began
    const { rmSync } = process.getBuiltinModule('node:fs')
    rmSync(`${path}.lock`, { recursive: true })
    expect(await fileCoordinator(path).exclusive('refresh', async () => 'mine', patient())).toBe('mine')
    holder.end()
    await held
    expect(await fileCoordinator(path).exclusive('refresh', async () => 'mine', patient())).toBe('mine')
  })

  it('keeps one small file, for its user alone, with nothing in it that is secret', async () => {
    const path = pathOf()
    const coordinator = fileCoordinator(path)
    for (let turn = 0; turn < 3; turn++) await coordinator.exclusive('refresh', async () => {}, patient())
    expect(readdirSync(`${path}.lock`)).toEqual(['refresh.3'])
    const file = join(`${path}.lock`, 'refresh.3')
    expect([`${path}.lock`, file].map((name) => statSync(name).mode & 0o777)).toEqual([0o700, 0o600])
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toEqual(['pid', 'start', 'machine'])
    expect(existsSync(path)).toBe(false)
  })

  it('has nothing to announce: the store tells', () => {
    const coordinator = fileCoordinator(pathOf())
    coordinator.announce({ type: 'changed', epoch: 1, generation: 1 })
    expect(() => coordinator.subscribe(() => expect.unreachable())()).not.toThrow()
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'is not made with a staleAfter of %s',
    (staleAfter) => {
      expect(() => fileCoordinator('session.json', { staleAfter })).toThrow(RangeError)
    },
  )
})

/** A lock that somebody left, who said this of themselves and showed life that many milliseconds ago. */
async function leftLock(holder: (real: Record<string, unknown>) => string, age: number) {
  const path = pathOf()
  const folder = `${path}.lock`
  // What this very process would say.
  await fileCoordinator(path).exclusive('refresh', async () => {}, patient())
  const real = JSON.parse(readFileSync(join(folder, 'refresh.1'), 'utf8'))
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'refresh.7')
  writeFileSync(file, holder(real))
  const at = (Date.now() - age) / 1_000
  utimesSync(file, at, at)
  return { path, file }
}

/** How soon a lock is had: `'at once'`, without a look for signs of life; `'later'`; or not before time is up. */
async function had(path: string, staleAfter: number, timeout = 5_000) {
  const began = performance.now()
  const { signal } = patient()
  try {
    await fileCoordinator(path, { staleAfter }).exclusive('refresh', async () => {}, {
      signal,
      timeout,
    })
  } catch {
    return 'never'
  }
  return performance.now() - began < 0.3 * staleAfter ? 'at once' : 'later'
}

describe('a lock that was left behind', () => {
  const elsewhere = (real: object) => JSON.stringify({ ...real, machine: 'elsewhere' })

  it('by another machine is taken once it is stale, and its holder had time to show itself', async () => {
    const { path } = await leftLock(elsewhere, 1_001)
    expect(await had(path, 1_000)).toBe('later')
  })

  it('by another machine is left alone as long as there are signs of life', async () => {
    const { path, file } = await leftLock(elsewhere, 2_000)
    const signs = setInterval(() => utimesSync(file, Date.now() / 1_000 - 2, Date.now() / 1_000 - 2), 20)
    onTestFinished(() => clearInterval(signs))
    expect(await had(path, 1_000, 600)).toBe('never')
  })

  it('by another machine is left alone as long as it is young, whatever its pid means here', async () => {
    const gone = startChild([process.execPath, '-e', ''])
    await gone.ended
    const { path } = await leftLock(
      (real) => JSON.stringify({ ...real, machine: 'elsewhere', pid: gone.process.pid }),
      0,
    )
    expect(await had(path, 10_000, 300)).toBe('never')
  })

  it('by a living process of this machine is left alone as long as it is young', async () => {
    const { path } = await leftLock((real) => JSON.stringify(real), 0)
    expect(await had(path, 10_000, 300)).toBe('never')
  })

  it('by a dead process of this machine is taken at once', async () => {
    const gone = startChild([process.execPath, '-e', ''])
    await gone.ended
    const { path } = await leftLock((real) => JSON.stringify({ ...real, pid: gone.process.pid }), 0)
    expect(await had(path, 100_000)).toBe('at once')
  })

  if (existsSync('/proc/self/stat'))
    it('by a process whose pid another one has now is taken at once', async () => {
      const { path } = await leftLock((real) => JSON.stringify({ ...real, start: '1' }), 0)
      expect(await had(path, 100_000)).toBe('at once')
    })

  it.each(['', '{"pid":', '{"pid":0}', 'null'])(
    'by who came only to write %j is taken once it is stale',
    async (text) => {
      const young = await leftLock(() => text, 0)
      expect(await had(young.path, 10_000, 300)).toBe('never')
      const old = await leftLock(() => text, 1_001)
      expect(await had(old.path, 1_000)).toBe('later')
    },
  )
})

describe('processes that want the same lock', () => {
  let script: { path: string; remove: () => void }
  beforeAll(async () => {
    script = await bundleScript(new URL('../storage/cli.child.ts', import.meta.url))
  })
  afterAll(() => script?.remove())
  const child = (task: string, ...parameters: (string | number)[]) =>
    startChild([process.execPath, script.path, task, ...parameters])

  it('have it one at a time, also when holders are killed', async () => {
    const path = pathOf()
    writeFileSync(`${path}.count`, '0')
    const turns = 30
    const counting = Array.from({ length: 4 }, () => child('count', path, '', turns))
    for (const { says } of counting) expect(await says()).toBe('counting')
    for (let killed = 0; killed < 5; killed++) {
      const victim = child('hold', path)
      expect(await victim.says()).toBe('holding')
      victim.process.kill('SIGKILL')
      await victim.ended
    }
    for (const { says } of counting) expect(await says()).toEqual({ overlaps: 0 })
    expect(readFileSync(`${path}.count`, 'utf8')).toBe(`${4 * turns}`)
    expect(readdirSync(`${path}.lock`)).toEqual([`refresh.${4 * turns + 5}`])
  }, 60_000)

  it('pass over one that was stopped, which takes nothing from the others when it goes on', async () => {
    const path = pathOf()
    const sleeper = child('holdUntilTold', path)
    expect(await sleeper.says()).toBe('holding')
    sleeper.process.kill('SIGSTOP')
    const heir = child('holdUntilTold', path)
    expect(await heir.says()).toBe('holding')
    sleeper.process.kill('SIGCONT')
    sleeper.process.stdin?.end('on')
    expect(await sleeper.says()).toBe('released')
    await expect(
      fileCoordinator(path).exclusive('refresh', async () => {}, { ...patient(), timeout: 300 }),
    ).rejects.toMatchObject({ name: 'TimeoutError' })
    heir.process.stdin?.end('on')
    expect(await heir.says()).toBe('released')
    await fileCoordinator(path).exclusive('refresh', async () => {}, patient())
  })
})
