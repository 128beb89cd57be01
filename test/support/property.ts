import fc from 'fast-check'
import { codeSeed } from './code-seed.ts'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: codeSeed() })

/** fast-check with a seed derived from the code: the same code tests the same cases everywhere. */
export default fc
