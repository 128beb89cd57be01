import { conform } from './conform.ts'
import { fetchTransport } from './transports.ts'

conform(fetchTransport)
