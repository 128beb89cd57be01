type Fs = typeof import('node:fs')
export type FileStats = import('node:fs').Stats
type Os = typeof import('node:os')
type Path = typeof import('node:path')
type Url = typeof import('node:url')

/** A file, with the Node modules to work with it. */
export interface NodeFile {
  readonly fs: Fs
  readonly os: Os
  readonly path: Path
  /** The absolute path. */
  readonly file: string
  readonly folder: string
  /** The name of the file within its folder. */
  readonly name: string
}

interface Process {
  cwd?(): string
  geteuid?(): number
  /** From Node 20.16 on. */
  getBuiltinModule?(name: string): unknown
}

const nodeProcess = () => (globalThis as { readonly process?: Process }).process

/** Joined at run time: bundlers for browsers would try to resolve literals, and fail. */
const builtins = () => ['fs', 'os', 'path', 'url'].map((module) => ['node', module].join(':'))

/**
 * Prepares access to a file. Node's modules are loaded on the first use, so importers of this module can be bundled for
 * browsers. A relative path is relative to the working directory at the time of this call.
 *
 * @returns a function that gives the file: synchronously from Node 20.16 on, otherwise as a promise. It throws a TypeError, or
 * rejects with one, outside Node, Deno and Bun
 */
export function locate(where: string | URL): () => NodeFile | Promise<NodeFile> {
  const base = nodeProcess()?.cwd?.() ?? ''
  let found: NodeFile | Promise<NodeFile> | undefined

  function make(modules: readonly unknown[]): NodeFile {
    const [fs, os, path, url] = modules as [Fs, Os, Path, Url]
    const file = typeof where === 'string' ? path.resolve(base, where) : url.fileURLToPath(where)
    found = { fs, os, path, file, folder: path.dirname(file), name: path.basename(file) }
    return found
  }

  function find(): NodeFile | Promise<NodeFile> {
    const process = nodeProcess()
    if (process?.getBuiltinModule) return make(builtins().map((name) => process.getBuiltinModule?.(name)))
    return Promise.all(builtins().map(load)).then(make)
  }

  return () => {
    found ??= find()
    return found
  }
}

async function load(name: string): Promise<unknown> {
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name)
  } catch (cause) {
    throw new TypeError('Files need Node, Deno or Bun. This environment is something else.', { cause })
  }
}

/** Flags to open a file for reading, without following a link and without waiting for a pipe. Some systems do not know the last two. */
export const readingFlags = ({ O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 }: Fs['constants']): number =>
  O_RDONLY | O_NOFOLLOW | O_NONBLOCK

/** Whether a file belongs to the user of this process. Windows has no such numbers: there the permissions of the folder apply. */
export const isOwnFile = ({ uid }: FileStats): boolean => {
  const user = nodeProcess()?.geteuid?.()
  return user === undefined || uid === user
}

/** The code of a Node error, such as `'ENOENT'`. */
export const codeOf = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code
