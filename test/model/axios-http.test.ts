import { factoryOf } from '../conformance/conform.ts'
import { axiosHttpTransport } from '../conformance/transports.ts'
import { describeModelOver } from './suite.ts'

describeModelOver('axios-http', factoryOf(axiosHttpTransport))
