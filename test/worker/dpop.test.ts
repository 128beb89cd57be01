import { conformWithDPoP } from '../conformance/conform-with-dpop.ts'
import { fetchTransport } from '../conformance/transports.ts'
import { factoryOverWorker } from './over-worker.ts'

conformWithDPoP(fetchTransport, ' with DPoP, with the session in a worker', factoryOverWorker(fetchTransport))
