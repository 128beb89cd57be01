import fc from 'fast-check'
import { codeSeed } from './code-seed.ts'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: codeSeed() })

/** fast-check, whose properties are tried in the same way wherever the code is the same. */
export default fc
