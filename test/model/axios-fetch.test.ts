import { factoryOf } from '../conformance/conform.ts'
import { axiosFetchTransport } from '../conformance/transports.ts'
import { describeModel } from './suite.ts'

describeModel('over axios-fetch', factoryOf(axiosFetchTransport))
