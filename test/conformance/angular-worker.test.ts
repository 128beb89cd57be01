import { conformOverWorker } from '../worker/over-worker.ts'
import { angularTransport } from './angular-transport.ts'

conformOverWorker(angularTransport)
