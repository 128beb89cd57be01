import { describeModelInProcess } from './suite.ts'

describeModelInProcess()
