import { factoryOf } from '../conformance/conform.ts'
import { fetchTransport } from '../conformance/transports.ts'
import { describeModel } from './suite.ts'

describeModel('over fetch', factoryOf(fetchTransport))
