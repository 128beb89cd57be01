import { factoryOf } from '../conformance/conform.ts'
import { axiosFetchTransport } from '../conformance/transports.ts'
import { describeModelOver } from './suite.ts'

describeModelOver('axios-fetch', factoryOf(axiosFetchTransport))
