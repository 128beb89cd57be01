import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import { fileCoordinator, fileStorage } from '../../src/file.ts'
import fc from '../support/property.ts'
import { temporaryFolder } from './child.ts'
import { FULL } from './contract.ts'

/** What another user or program may have put at a path. Each returns what must stay as it is. */
const INTRUDERS: Readonly<Record<string, (path: string, aside: string) => string | undefined>> = {
  'a link to a file': (path, aside) => {
    writeFileSync(aside, JSON.stringify({ ...FULL, accessToken: 'of-another-user' }))
    chmodSync(aside, 0o644)
    symlinkSync(aside, path)
    return aside
  },
  'a link to nothing': (path, aside) => void symlinkSync(aside, path),
  'a link to itself': (path) => void symlinkSync(path, path),
  'a link to a device without end': (path) => void symlinkSync('/dev/zero', path),
  'a link to a pipe': (path, aside) => {
    execFileSync('mkfifo', [aside])
    symlinkSync(aside, path)
    return aside
  },
  'a pipe': (path) => void execFileSync('mkfifo', [path]),
  'a folder': (path) => void mkdirSync(path),
  'a file of a terabyte': (path) => {
    writeFileSync(path, '{')
    truncateSync(path, 2 ** 40)
  },
}
const REASONS = { 'a pipe': 'not_a_file', 'a folder': 'not_a_file', 'a file of a terabyte': 'too_large' }

/** What can be seen of a file that must not change. */
const seen = (path: string | undefined) => {
  if (!path) return undefined
  const { mode, ino, size } = lstatSync(path)
  return [mode, ino, size, statSync(path).isFile() && readFileSync(path, 'utf8')]
}

const placed = (name: string) => {
  const folder = temporaryFolder()
  const [path, aside] = [join(folder, 'session.json'), join(folder, 'aside')]
  return { path, kept: INTRUDERS[name]?.(path, aside) }
}

describe.skipIf(process.platform === 'win32').each(Object.keys(INTRUDERS))(
  '%s in the place of a session',
  (name) => {
    const reason = (REASONS as Record<string, string>)[name]

    it('is not read, and does not block the process', () => {
      const { path, kept } = placed(name)
      const before = seen(kept)
      const { read } = fileStorage(path)
      if (reason) expect(() => read()).toThrow(expect.objectContaining({ name: 'StorageError', reason }))
      else expect(read()).toBeUndefined()
      expect(seen(kept)).toEqual(before)
    })

    // A folder is not replaced.
    if (name === 'a folder') return
    it('is replaced by a write, and removed by clear()', () => {
      for (const operation of ['write', 'clear'] as const) {
        const { path, kept } = placed(name)
        const before = seen(kept)
        const storage = fileStorage(path)
        if (operation === 'write') storage.write(FULL)
        else storage.clear()
        expect(storage.read()).toEqual(operation === 'write' ? FULL : undefined)
        expect(seen(kept)).toEqual(before)
      }
    })
  },
)

describe.skipIf(process.platform === 'win32')('a file of another user', () => {
  it('is no session, and no turn of a lock', async () => {
    const path = join(temporaryFolder(), 'session.json')
    fileStorage(path).write(FULL)
    const other = vi.spyOn(process as { geteuid(): number }, 'geteuid').mockReturnValue(12_345)
    onTestFinished(() => other.mockRestore())
    expect(() => fileStorage(path).read()).toThrow(expect.objectContaining({ reason: 'foreign_owner' }))
    const wait = { signal: new AbortController().signal, timeout: 5_000 }
    await expect(fileCoordinator(path).exclusive('refresh', async () => {}, wait)).rejects.toThrow(TypeError)
  })
})

describe.skipIf(process.platform === 'win32')('a session file', () => {
  it('holds what was written last, whatever was put in its place in between', () => {
    const steps = fc.array(fc.constantFrom('write', 'clear', 'read', ...Object.keys(INTRUDERS)), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(steps, (names) => {
        const folder = temporaryFolder()
        const path = join(folder, 'session.json')
        const storage = fileStorage(path)
        let expected: unknown
        for (const [index, name] of names.entries()) {
          if (name === 'write') {
            storage.write({ ...FULL, rotation: index })
            expected = { ...FULL, rotation: index }
            expect(lstatSync(path).mode & 0o777).toBe(0o600)
          } else if (name === 'clear') {
            storage.clear()
            expected = undefined
          } else if (name === 'read') expect(storage.read()).toEqual(expected)
          else if (name !== 'a folder') {
            rmSync(path, { force: true })
            INTRUDERS[name]?.(path, join(folder, `aside ${index}`))
            expected = undefined
            try {
              expect(storage.read()).toBeUndefined()
            } catch (error) {
              expect(error).toBeInstanceOf(StorageError)
            }
            storage.clear()
          }
        }
        expect(storage.read()).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  })
})

describe.skipIf(process.platform === 'win32')('a lock', () => {
  const wait = () => ({ signal: new AbortController().signal, timeout: 5_000 })

  it.each(Object.keys(INTRUDERS))('is given to a task although %s has the highest number', async (name) => {
    const folder = temporaryFolder()
    const path = join(folder, 'session.json')
    mkdirSync(`${path}.lock`)
    const kept = INTRUDERS[name]?.(join(`${path}.lock`, 'refresh.7'), join(folder, 'aside'))
    const before = seen(kept)
    const coordinator = fileCoordinator(path)
    expect(await coordinator.exclusive('refresh', async () => 'mine', wait())).toBe('mine')
    expect(await coordinator.exclusive('refresh', async () => 'again', wait())).toBe('again')
    expect(seen(kept)).toEqual(before)
  })

  it('is refused if its folder is a link', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'session.json')
    mkdirSync(join(folder, 'aside'))
    symlinkSync(join(folder, 'aside'), `${path}.lock`)
    await expect(fileCoordinator(path).exclusive('refresh', async () => {}, wait())).rejects.toThrow(
      'must be a folder of this user',
    )
  })

  it('is given to a task although its folder has more files than a call may have arguments', async () => {
    const path = join(temporaryFolder(), 'session.json')
    const fs = process.getBuiltinModule('node:fs')
    const entries = Array.from({ length: 200_000 }, (_, turn) => `refresh.${turn}`)
    const flood = vi.spyOn(fs.promises, 'readdir').mockResolvedValueOnce(entries as never)
    onTestFinished(() => flood.mockRestore())
    expect(await fileCoordinator(path).exclusive('refresh', async () => 'mine', wait())).toBe('mine')
  })
})
