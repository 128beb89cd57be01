import { axiosFetchTransport, fetchTransport, ofetchTransport } from '../conformance/transports.ts'
import { conformOverWorker } from './over-worker.ts'

for (const transport of [fetchTransport, ofetchTransport, axiosFetchTransport]) conformOverWorker(transport)
