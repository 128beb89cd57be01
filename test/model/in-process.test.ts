import { describeModel } from './suite.ts'

describeModel('in process')
