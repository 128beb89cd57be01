type Fs = typeof import('node:fs')
type Os = typeof import('node:os')
type Path = typeof import('node:path')
type Url = typeof import('node:url')

/** A file, and what it takes to work with it. */
export interface Place {
  readonly fs: Fs
  readonly os: Os
  readonly path: Path
  /** The absolute path. */
  readonly file: string
  readonly folder: string
  /** The file's name in its folder. */
  readonly name: string
}

interface Process {
  cwd?(): string
  /** From Node 20.16 on. */
  getBuiltinModule?(name: string): unknown
}

const nodeProcess = () => (globalThis as { readonly process?: Process }).process

/** In two parts, or bundlers for browsers would look for them and fail. */
const builtins = () => ['fs', 'os', 'path', 'url'].map((module) => ['node', module].join(':'))

/**
 * Gives a way to find a file. Nothing is asked of Node before that is used, so that what imports this module can be
 * bundled for browsers, and so that a relative path means what it meant when it was named.
 *
 * @returns what gives the place, at once where Node lets it
 * @throws TypeError, or rejects with one, where there is no Node
 */
export function locate(where: string | URL): () => Place | Promise<Place> {
  const base = nodeProcess()?.cwd?.() ?? ''
  let place: Place | Promise<Place> | undefined

  function make(modules: readonly unknown[]): Place {
    const [fs, os, path, url] = modules as [Fs, Os, Path, Url]
    const file = typeof where === 'string' ? path.resolve(base, where) : url.fileURLToPath(where)
    place = { fs, os, path, file, folder: path.dirname(file), name: path.basename(file) }
    return place
  }

  function find(): Place | Promise<Place> {
    const process = nodeProcess()
    if (process?.getBuiltinModule) return make(builtins().map((name) => process.getBuiltinModule?.(name)))
    return Promise.all(builtins().map(load)).then(make)
  }

  return () => {
    place ??= find()
    return place
  }
}

async function load(name: string): Promise<unknown> {
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name)
  } catch (cause) {
    throw new TypeError('Files need Node, Deno or Bun, and this is none of them.', { cause })
  }
}

/** The code of an error of Node's, such as `'ENOENT'`. */
export const codeOf = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code
