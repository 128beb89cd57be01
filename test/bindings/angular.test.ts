import { describeBinding } from './describe-binding.ts'

describeBinding('Angular 20', { example: 'angular' })
