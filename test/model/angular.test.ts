import { angularTransport } from '../conformance/angular-transport.ts'
import { factoryOf } from '../conformance/conform.ts'
import { describeModel } from './suite.ts'

describeModel('over HttpClient', factoryOf(angularTransport))
