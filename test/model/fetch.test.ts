import { factoryOf } from '../conformance/conform.ts'
import { fetchTransport } from '../conformance/transports.ts'
import { describeModelOver } from './suite.ts'

describeModelOver('fetch', factoryOf(fetchTransport))
