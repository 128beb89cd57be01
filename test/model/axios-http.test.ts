import { factoryOf } from '../conformance/conform.ts'
import { axiosHttpTransport } from '../conformance/transports.ts'
import { describeModel } from './suite.ts'

describeModel('over axios-http', factoryOf(axiosHttpTransport))
