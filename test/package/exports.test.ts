import { existsSync, readdirSync } from 'node:fs'
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
    'the export map lists the types of %s first, then its production builds, then its code',
    (subpath, target) => {
      const name = entryName(subpath)
      const production = `./dist/production/${name}.js`
      // The first that applies counts. Bundlers for edge runtimes set `browser`, too.
      expect(JSON.stringify(target)).toBe(
        JSON.stringify({
          types: `./dist/${name}.d.ts`,
          production: {
            workerd: production,
            'edge-light': production,
            browser: `./dist/browser/${name}.js`,
            default: production,
          },
          default: `./dist/${name}.js`,
        }),
      )
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

describe('the twins of modules', () => {
  const twins = ['machines', 'src'].flatMap((folder) =>
    readdirSync(new URL(`../../${folder}`, import.meta.url), { recursive: true })
      .map((file) => `../../${folder}/${file}`)
      .filter((file) => /\.(browser|production)\.ts$/.test(file)),
  )

  it.each(twins)('%s exports what the module exports that it replaces', async (twin) => {
    const names = async (file: string) => Object.keys(await import(/* @vite-ignore */ file)).sort()

    expect(await names(twin)).toEqual(await names(twin.replace(/\.(browser|production)\.ts$/, '.ts')))
  })

  it('modules have twins', () => {
    expect(twins.length).toBeGreaterThan(3)
  })
})

describe('the build', () => {
  it.each(Object.entries(build.entry))('the build finds the source of %s', (_, source) => {
    expect(existsSync(new URL(`../../${source}`, import.meta.url))).toBe(true)
  })
})
