import { conform } from './conform.ts'
import { axiosHttpTransport } from './transports.ts'

conform(axiosHttpTransport)
