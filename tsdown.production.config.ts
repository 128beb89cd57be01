import type { UserConfig } from 'tsdown'
import { productionTwins } from './scripts/production-twins.ts'
import development from './tsdown.config.ts'

/** The same entries without texts and option checks, for bundlers that build for production. */
export default {
  ...development,
  outDir: 'dist/production',
  dts: false,
  clean: false,
  plugins: [...development.plugins, productionTwins()],
} satisfies UserConfig
