import { angularTransport } from './angular-transport.ts'
import { conform } from './conform.ts'

conform(angularTransport)
