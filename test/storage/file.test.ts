import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileStorage } from '../../src/file.ts'
import { createAuth, type SessionRecord } from '../../src/index.ts'
import { temporaryFolder } from './child.ts'
import { FULL, LEAST, storageContract } from './contract.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777

function place() {
  const path = join(temporaryFolder(), 'my tool', 'session.json')
  const aside = `${dirname(path)} aside`
  return {
    path,
    aside,
    open: () => fileStorage(path),
    put(value: unknown) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, JSON.stringify(value))
    },
  }
}

storageContract('fileStorage', place, {
  reports: 'all',
  garbage: {
    'half of a record': ({ path }) => writeFileSync(path, JSON.stringify(FULL).slice(0, 80)),
    'an empty file': ({ path }) => writeFileSync(path, ''),
    'text that is not JSON': ({ path }) => writeFileSync(path, 'SECRET'),
    'bytes that are not text': ({ path }) => writeFileSync(path, new Uint8Array([0xff, 0, 0x80, 0x22])),
  },
  faults: {
    'a file where its folder should be': {
      begin({ path, aside }) {
        renameSync(dirname(path), aside)
        writeFileSync(dirname(path), '')
      },
      end({ path, aside }) {
        rmSync(dirname(path))
        renameSync(aside, dirname(path))
      },
      kind: /^(ENOTDIR|EEXIST)$/,
    },
    'a folder where the file should be': {
      begin({ path, aside }) {
        renameSync(path, aside)
        mkdirSync(path)
      },
      end({ path, aside }) {
        rmSync(path, { recursive: true })
        renameSync(aside, path)
      },
      kind: /^(EISDIR|EPERM|ERR_FS_EISDIR|not_a_file)$/,
    },
  },
})

describe('fileStorage', () => {
  it('creates the file and its missing folders for its user only', () => {
    const root = temporaryFolder()
    const path = join(root, 'a', 'b', 'session.json')
    fileStorage(path).write(FULL)
    expect([join(root, 'a'), join(root, 'a', 'b')].map(modeOf)).toEqual([0o700, 0o700])
    expect(modeOf(path)).toBe(0o600)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(FULL)
    expect(readdirSync(dirname(path))).toEqual(['session.json'])
  })

  it('creates no folder to read or to clear a missing file', () => {
    const root = temporaryFolder()
    const storage = fileStorage(join(root, 'a', 'session.json'))
    expect(storage.read()).toBeUndefined()
    storage.clear()
    expect(existsSync(join(root, 'a'))).toBe(false)
  })

  it('completes each operation before it returns, so that the process may exit', () => {
    const path = join(temporaryFolder(), 'session.json')
    const storage = fileStorage(path)
    expect(storage.write(FULL)).toBeUndefined()
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(FULL)
    expect(storage.read()).toEqual(FULL)
    expect(storage.clear()).toBeUndefined()
    expect(existsSync(path)).toBe(false)
  })

  it('removes the access of other users at the first read and at each write', () => {
    const path = join(temporaryFolder(), 'session.json')
    writeFileSync(path, JSON.stringify(FULL), { mode: 0o644 })
    chmodSync(path, 0o644)
    const storage = fileStorage(path)
    expect(storage.read()).toEqual(FULL)
    expect(modeOf(path)).toBe(0o600)
    chmodSync(path, 0o644)
    storage.read()
    expect(modeOf(path), 'unchanged, because on a file system without modes this would never end').toBe(0o644)
    storage.write(LEAST)
    expect(modeOf(path)).toBe(0o600)
  })

  it('replaces the file and never writes into it, so that a reader is not disturbed', () => {
    const path = join(temporaryFolder(), 'session.json')
    const storage = fileStorage(path)
    storage.write(FULL)
    const before = statSync(path).ino
    storage.write(LEAST)
    expect(statSync(path).ino).not.toBe(before)
  })

  it('replaces a symbolic link, and does not change its target', () => {
    const folder = temporaryFolder()
    const [path, target] = [join(folder, 'session.json'), join(folder, 'precious')]
    writeFileSync(target, 'precious')
    symlinkSync(target, path)
    fileStorage(path).write(FULL)
    expect(readFileSync(target, 'utf8')).toBe('precious')
    expect(fileStorage(path).read()).toEqual(FULL)
  })

  it('removes abandoned temporary files of its own file', () => {
    const path = join(temporaryFolder(), 'session.json')
    const id = 'b3a1c2d4-0000-4000-8000-123456789abc'
    const [abandoned, young, other, foreign] = [
      `${path}.${id}.tmp`,
      `${path}.${id.replace('b', 'c')}.tmp`,
      join(dirname(path), `other.json.${id}.tmp`),
      `${path}.backup.tmp`,
    ]
    const createAll = () => {
      for (const file of [abandoned, young, other, foreign]) {
        writeFileSync(file, 'SECRET')
        const at = Date.now() / 1_000 - (file === young ? 30 : 61)
        utimesSync(file, at, at)
      }
    }
    const remain = [young, other, foreign].map((file) => file.slice(dirname(path).length + 1))
    createAll()
    fileStorage(path).write(FULL)
    expect(readdirSync(dirname(path)).sort()).toEqual([...remain, 'session.json'].sort())
    createAll()
    fileStorage(path).clear()
    expect(readdirSync(dirname(path)).sort()).toEqual(remain.sort())
  })

  it('resolves a relative path once, and keeps it when the process changes its directory', () => {
    const [here, there] = [temporaryFolder(), temporaryFolder()]
    const before = process.cwd()
    onTestFinished(() => process.chdir(before))
    process.chdir(here)
    const storage = fileStorage('session.json')
    process.chdir(there)
    storage.write(FULL)
    expect([readdirSync(here), readdirSync(there)]).toEqual([['session.json'], []])
  })

  it('accepts a file URL', () => {
    const path = join(temporaryFolder(), 'my session.json')
    fileStorage(pathToFileURL(path)).write(FULL)
    expect(fileStorage(path).read()).toEqual(FULL)
  })

  it('works asynchronously if Node has no process.getBuiltinModule', async () => {
    const path = join(temporaryFolder(), 'session.json')
    const { getBuiltinModule } = process
    onTestFinished(() => {
      process.getBuiltinModule = getBuiltinModule
    })
    Reflect.set(process, 'getBuiltinModule', undefined)
    const storage = fileStorage(path)
    const results = [
      storage.read(),
      storage.write(FULL),
      storage.write(LEAST),
      storage.read(),
      storage.clear(),
    ]
    expect(results[0]).toBeInstanceOf(Promise)
    expect(await Promise.all(results)).toEqual([undefined, undefined, undefined, LEAST, undefined])
    expect(storage.read()).toBeUndefined()
  })
})

describe('fileStorage.subscribe', () => {
  it('reports changes of its own file only', async () => {
    const path = join(temporaryFolder(), 'session.json')
    const [onChange, onOther] = [vi.fn(), vi.fn()]
    const stops = [fileStorage(path).subscribe?.(onChange), fileStorage(`${path}.other`).subscribe?.(onOther)]
    onTestFinished(() => {
      for (const stop of stops) stop?.()
    })
    await fileStorage(path).read()
    fileStorage(`${path}.other`).write(FULL)
    await expect.poll(() => onOther.mock.calls.length).toBeGreaterThan(0)
    expect(onChange).not.toHaveBeenCalled()
  })

  it('reports a file in a folder that did not exist', async () => {
    const path = join(temporaryFolder(), 'a', 'session.json')
    const onChange = vi.fn()
    const stop = fileStorage(path).subscribe?.(onChange)
    onTestFinished(() => stop?.())
    await Promise.resolve()
    fileStorage(path).write(FULL)
    await expect.poll(() => onChange.mock.calls.length).toBeGreaterThan(0)
  })

  it('does not throw and reports nothing if the folder cannot be watched', async () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, '')
    const stop = fileStorage(join(path, 'session.json')).subscribe?.(() => expect.unreachable())
    await Promise.resolve()
    expect(() => stop?.()).not.toThrow()
  })
})

describe('a session in a file', () => {
  it('follows a refresh and a sign-out in another process', async () => {
    const path = join(temporaryFolder(), 'session.json')
    const auth = createAuth({ storage: fileStorage(path), refresh: () => ({ access_token: 'b' }) })
    onTestFinished(auth.dispose)
    await auth.setTokens({ access_token: 'a', refresh_token: 'r' })
    const other = fileStorage(path)
    const record = other.read() as SessionRecord
    const refreshed = new Promise((resolve) => auth.on('refreshed', resolve))
    other.write({ ...record, rotation: record.rotation + 1, accessToken: 'theirs' })
    await refreshed
    expect(await auth.getAccessToken()).toBe('theirs')
    const signedOut = new Promise((resolve) => auth.on('signedOut', resolve))
    other.clear()
    expect(await signedOut).toMatchObject({ reason: 'signed_out_elsewhere' })
  })
})

describe('the entries of stores, bundled for a browser', () => {
  const bundle = async (code: string, external: string[] = []) => {
    const { warnings, outputFiles } = await build({
      stdin: { contents: code, resolveDir: import.meta.dirname },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      write: false,
      logLevel: 'silent',
      external,
    })
    expect(warnings).toEqual([])
    return outputFiles[0]?.text ?? ''
  }

  it('imports no module of Node', async () => {
    expect(await bundle("export * from '../../src/storage/index.ts'")).not.toMatch(
      /node:|require\(|getBuiltin/,
    )
    expect(await bundle("export * from '../../src/file.ts'")).not.toMatch(/node:|require\(/)
  })

  it('contains only the stores that are used', async () => {
    // Every store brings the same code of the core along: what shares a session, and the errors.
    const core = ['*/core/features/share.ts', '*/core/errors.ts', './tab-owner.ts']
    const code = await bundle("export { webStorage } from '../../src/storage/index.ts'", core)
    expect(code).not.toMatch(/AES-GCM|getBuiltinModule|BroadcastChannel/)
    expect(code.length).toBeLessThan(1_600)
  })

  it.each(['fileStorage', 'fileCoordinator'])('keeps the message of %s that it needs Node', async (name) => {
    const code = await bundle(`export { ${name} } from '../../src/file.ts'`)
    expect(code).toContain('Files need Node, Deno or Bun')
  })
})
