import { conformWithDPoP } from './conform-with-dpop.ts'
import { transports } from './transports.ts'

for (const transport of transports) conformWithDPoP(transport)
