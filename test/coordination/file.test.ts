import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileCoordinator } from '../../src/file.ts'
import { pathOf, patient } from './file-setup.ts'

/** Creates a task that runs until the test ends it. */
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
  it('runs the next task only after the running one has ended', async () => {
    const path = pathOf()
    const [one, other] = [task(), task()]
    const first = fileCoordinator(path).exclusive('refresh', one.run, patient())
    await one.began
    const second = fileCoordinator(path).exclusive('refresh', other.run, patient())
    // Gives the other time to check more than once.
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

  it('does not delay a task with another name or another file', async () => {
    const path = pathOf()
    const owner = task()
    const held = fileCoordinator(path).exclusive('refresh', owner.run, patient())
    await owner.began
    await fileCoordinator(path).exclusive('sign/in', async () => {}, patient())
    await fileCoordinator(path).exclusive('refresh.1', async () => {}, patient())
    await fileCoordinator(`${path}.other`).exclusive('refresh', async () => {}, patient())
    owner.end()
    await held
  })

  it('passes on the result or the error of the task, and releases the lock', async () => {
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

  it('rejects after the timeout, and does not run the task later', async () => {
    const path = pathOf()
    const owner = task()
    const held = fileCoordinator(path).exclusive('refresh', owner.run, patient())
    await owner.began
    const late = vi.fn()
    const began = performance.now()
    await expect(
      fileCoordinator(path).exclusive('refresh', late, { ...patient(), timeout: 120 }),
    ).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(performance.now() - began).toBeGreaterThan(100)
    owner.end()
    await held
    await fileCoordinator(path).exclusive('refresh', async () => {}, patient())
    expect(late).not.toHaveBeenCalled()
  })

  it('keeps the lock while the task runs, even longer than staleAfter', async () => {
    const path = pathOf()
    const owner = task()
    const options = { staleAfter: 300 }
    const held = fileCoordinator(path, options).exclusive('refresh', owner.run, patient())
    await owner.began
    const late = vi.fn()
    await expect(
      fileCoordinator(path, options).exclusive('refresh', late, { ...patient(), timeout: 1_000 }),
    ).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(late).not.toHaveBeenCalled()
    owner.end()
    await held
  })

  it('does not take the lock after it read an outdated list of the lock files', async () => {
    const path = pathOf()
    const coordinator = fileCoordinator(path)
    for (let turn = 0; turn < 3; turn++) await coordinator.exclusive('refresh', async () => {}, patient())
    const owner = task()
    const held = coordinator.exclusive('refresh', owner.run, patient())
    await owner.began
    // The listing of two turns ago: turn 2 has ended, and the file of turn 3 has been removed since.
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
    owner.end()
    await held
    await coordinator.exclusive('refresh', async () => {}, patient())
    expect(readdirSync(`${path}.lock`)).toHaveLength(1)
  })

  it('rejects at once if the signal has aborted or aborts during the wait', async () => {
    const path = pathOf()
    const coordinator = fileCoordinator(path)
    const owner = task()
    const held = coordinator.exclusive('refresh', owner.run, patient())
    await owner.began
    const late = vi.fn()
    const reason = new Error('disposed')
    const before = { signal: AbortSignal.abort(reason), timeout: 10_000 }
    await expect(coordinator.exclusive('refresh', late, before)).rejects.toBe(reason)
    const controller = new AbortController()
    const waiting = coordinator.exclusive('refresh', late, { ...patient(), signal: controller.signal })
    // After this, the other call is waiting as well.
    await expect(coordinator.exclusive('refresh', late, { ...patient(), timeout: 100 })).rejects.toThrow()
    const began = performance.now()
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(performance.now() - began).toBeLessThan(5_000)
    owner.end()
    await held
    await coordinator.exclusive('refresh', async () => {}, patient())
    expect(late).not.toHaveBeenCalled()
  })

  it('releases a lock that it gets at the moment the signal aborts', async () => {
    const path = pathOf()
    const { promises } = process.getBuiltinModule('node:fs')
    const { open } = promises
    let resume = () => {}
    const opened = new Promise<void>((resolve) => {
      vi.spyOn(promises, 'open').mockImplementationOnce(async (...input) => {
        const handle = await open(...input)
        resolve()
        await new Promise<void>((resolve) => {
          resume = resolve
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
    resume()
    await fileCoordinator(path).exclusive('refresh', async () => {}, { ...patient(), timeout: 5_000 })
    expect(late).not.toHaveBeenCalled()
  })

  it('waits without limit if the timeout is infinite', async () => {
    const path = pathOf()
    const owner = task()
    const held = fileCoordinator(path).exclusive('refresh', owner.run, patient())
    await owner.began
    const forever = { ...patient(), timeout: Number.POSITIVE_INFINITY }
    const waiting = fileCoordinator(path).exclusive('refresh', async () => 'mine', forever)
    owner.end()
    await held
    expect(await waiting).toBe('mine')
  })

  it('rejects with the error of the file system, and does not run the task, if it cannot create the lock', async () => {
    const path = pathOf()
    writeFileSync(path, '')
    const run = vi.fn()
    await expect(
      fileCoordinator(join(path, 'session.json')).exclusive('refresh', run, patient()),
    ).rejects.toMatchObject({ code: 'ENOTDIR' })
    expect(run).not.toHaveBeenCalled()
  })

  it('polls the lock if the file system cannot report changes', async () => {
    const path = pathOf()
    vi.spyOn(process.getBuiltinModule('node:fs'), 'watch').mockImplementation(() => {
      throw new Error('too many watchers')
    })
    onTestFinished(() => void vi.restoreAllMocks())
    const owner = task()
    const held = fileCoordinator(path).exclusive('refresh', owner.run, patient())
    await owner.began
    const waiting = fileCoordinator(path).exclusive('refresh', async () => 'mine', patient())
    owner.end()
    await held
    expect(await waiting).toBe('mine')
  })

  it('works again after its folder was deleted', async () => {
    const path = pathOf()
    const owner = task()
    const held = fileCoordinator(path).exclusive('refresh', owner.run, patient())
    await owner.began
    const { rmSync } = process.getBuiltinModule('node:fs')
    rmSync(`${path}.lock`, { recursive: true })
    expect(await fileCoordinator(path).exclusive('refresh', async () => 'mine', patient())).toBe('mine')
    owner.end()
    await held
    expect(await fileCoordinator(path).exclusive('refresh', async () => 'mine', patient())).toBe('mine')
  })

  it('leaves one small file, readable for its user only, that contains no secret', async () => {
    const path = pathOf()
    const coordinator = fileCoordinator(path)
    for (let turn = 0; turn < 3; turn++) await coordinator.exclusive('refresh', async () => {}, patient())
    expect(readdirSync(`${path}.lock`)).toEqual(['refresh.3'])
    const file = join(`${path}.lock`, 'refresh.3')
    expect([`${path}.lock`, file].map((name) => statSync(name).mode & 0o777)).toEqual([0o700, 0o600])
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toEqual(['pid', 'start', 'machine'])
    expect(existsSync(path)).toBe(false)
  })

  it('ignores announce and subscribe, because the store reports changes', () => {
    const coordinator = fileCoordinator(pathOf())
    coordinator.announce({ type: 'changed', epoch: 1, generation: 1 })
    expect(() => coordinator.subscribe(() => expect.unreachable())()).not.toThrow()
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'throws a RangeError for a staleAfter of %s',
    (staleAfter) => {
      expect(() => fileCoordinator('session.json', { staleAfter })).toThrow(RangeError)
    },
  )
})
