import { factoryOf } from '../conformance/conform.ts'
import { ofetchTransport } from '../conformance/transports.ts'
import { describeModelOver } from './suite.ts'

describeModelOver('ofetch', factoryOf(ofetchTransport))
