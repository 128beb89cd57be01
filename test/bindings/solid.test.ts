import { describeBinding } from './describe-binding.ts'

describeBinding('Solid', { example: 'solid' })
