import { conform } from './conform.ts'
import { axiosFetchTransport } from './transports.ts'

conform(axiosFetchTransport)
