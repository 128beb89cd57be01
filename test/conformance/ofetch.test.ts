import { conform } from './conform.ts'
import { ofetchTransport } from './transports.ts'

conform(ofetchTransport)
