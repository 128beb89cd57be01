import type { UserConfig } from 'tsdown'
import { twins } from './scripts/twins.ts'
import { withoutHints } from './scripts/without-hints.ts'
import development from './tsdown.config.ts'

/** The same entries, with the twins of some modules. */
const build = (outDir: string, ...kinds: readonly string[]): UserConfig => ({
  ...development,
  outDir,
  dts: false,
  clean: false,
  plugins: [...development.plugins, withoutHints(), twins(...kinds)],
})

export default [
  /** Without texts and option checks, for bundlers that build for production. */
  build('dist/production', 'production'),
  /** Also without what has no use in a browser. */
  build('dist/browser', 'browser', 'production'),
]
