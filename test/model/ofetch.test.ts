import { factoryOf } from '../conformance/conform.ts'
import { ofetchTransport } from '../conformance/transports.ts'
import { describeModel } from './suite.ts'

describeModel('over ofetch', factoryOf(ofetchTransport))
