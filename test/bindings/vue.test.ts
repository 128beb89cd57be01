import { describeBinding } from './describe-binding.ts'

describeBinding('Vue 3', { example: 'vue' })
