import { angularTransport } from './angular-transport.ts'
import { conformWithDPoP } from './conform-with-dpop.ts'

conformWithDPoP(angularTransport)
