import { describeBinding } from './describe-binding.ts'

describeBinding('Plain TypeScript', { example: 'vanilla' })
