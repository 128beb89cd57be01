import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import config from '../../tsconfig.json' with { type: 'json' }
import build from '../../tsdown.config.ts'

const { './package.json': self, ...entries } = manifest.exports
const subpaths = Object.entries(entries)

/** The name of the built files of a subpath: `.` is `index`, `./fetch` is `fetch`. */
function entryName(subpath: string): string {
  return subpath === '.' ? 'index' : subpath.replace('./', '')
}

describe('the export map', () => {
  it('the export map has exactly the entries of the build', () => {
    expect(subpaths.map(([subpath]) => entryName(subpath)).sort()).toEqual(Object.keys(build.entry).sort())
  })

  it.each(subpaths)(
    'the export map lists the types of %s first, then its production build, then its code',
    (subpath, target) => {
      const name = entryName(subpath)
      expect(Object.entries(target)).toEqual([
        ['types', `./dist/${name}.d.ts`],
        ['production', `./dist/production/${name}.js`],
        ['default', `./dist/${name}.js`],
      ])
    },
  )

  it('the package exports its own package.json', () => {
    expect(self).toBe('./package.json')
  })

  it('the export map has no wildcard', () => {
    expect(JSON.stringify(manifest.exports)).not.toContain('*')
  })
})

describe('the paths in tsconfig.json', () => {
  it('the paths in tsconfig.json map the package name to the source of every entry', () => {
    const names = Object.entries(build.entry).map(([name, source]) => [
      name === 'index' ? 'authchart' : `authchart/${name}`,
      [`./${source}`],
    ])
    expect(config.compilerOptions.paths).toEqual(Object.fromEntries(names))
  })
})

describe('the build', () => {
  it.each(Object.entries(build.entry))('the build finds the source of %s', (_, source) => {
    expect(existsSync(new URL(`../../${source}`, import.meta.url))).toBe(true)
  })
})
