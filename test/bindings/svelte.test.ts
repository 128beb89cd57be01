import { describeBinding } from './describe-binding.ts'

describeBinding('Svelte 5', { example: 'svelte' })
