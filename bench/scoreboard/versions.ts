import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { peers } from './peers.ts'

/** What a page names, so that its figures can be repeated. */
export interface Environment {
  /** `2026-08-30`. */
  readonly date: string
  readonly node: string
  readonly machine: string
  /** The version of each peer that is a package, and of authchart. */
  readonly versions: Readonly<Record<string, string>>
}

const readJson = (path: string) =>
  JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
    version: string
    dependencies: Record<string, string>
  }

export const versionsOfPeers = (): Record<string, string> => {
  const { dependencies } = readJson('../peers/package.json')
  const { version } = readJson('../../package.json')
  return Object.fromEntries(
    peers.flatMap(({ name, package: dependency }) => {
      if (name.startsWith('authchart/')) return [[name, version]]
      return dependency ? [[name, dependencies[dependency] ?? '']] : []
    }),
  )
}

export const environment = (): Environment => ({
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  machine: `${cpus().length} × ${cpus()[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown'}, ${process.platform}`,
  versions: versionsOfPeers(),
})
