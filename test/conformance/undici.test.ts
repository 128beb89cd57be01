import { conform } from './conform.ts'
import { undiciTransport } from './transports.ts'

conform(undiciTransport)
