import { angularTransport } from '../conformance/angular-transport.ts'
import { factoryOf } from '../conformance/conform.ts'
import { describeModelOver } from './suite.ts'

describeModelOver('HttpClient', factoryOf(angularTransport))
